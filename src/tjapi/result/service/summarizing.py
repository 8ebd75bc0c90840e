"""Lines of a department's summary: made by the rules of the knowledge base, edited by the department; an edit is never overwritten."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.exam.rules import ENDED, LIVE_FOR_RESULTS
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.calm import says_all_normal, says_only_normal
from tjapi.knowledge.claims import rewritten
from tjapi.knowledge.rules import Clause, Known
from tjapi.knowledge.words import forbids_calm, judgement_of, nothing_found, told, valued
from tjapi.result import repository
from tjapi.result.errors import (
    SummaryContradictsFindings,
    SummaryFigureOutdated,
    SummaryLineUnknown,
    WordsUnconfirmed,
    old_figure,
    unconfirmed_words,
)
from tjapi.result.models import DepartmentSheet, DepartmentSheetLine
from tjapi.result.rules.choices import folded, untold
from tjapi.result.rules.confirming import Asked, confirmations, holding, unconfirmed, words_of
from tjapi.result.rules.derivation import Sources, fate
from tjapi.result.schemas import SummaryLineIn
from tjapi.result.service.case import Ground, ground_of, values_of
from tjapi.result.service.claims import Truth, truth_of
from tjapi.result.service.findings import found_in, line_text, of_department, result_ids

STALE = "summary_stale"


async def summarize(
    uow: UnitOfWork, exam: Exam, department_ids: Collection[int] | None = None, *, facts: bool = False
) -> None:
    """Bring what departments say in line with what is known now: of some of them, or of every one that said something.

    Generated lines of an unsigned summary are made anew; one that somebody edited keeps its words, and is stale once it rests on something
    else; one that was taken out stays out for as long as its values stay. A signed summary stays as it was signed, and is stale. What is
    stale keeps the exam from being finalized. What spans departments is found by the conclusion. The caller holds the exam's lock.

    A sheet that shows something else than its version did gets the next one: whoever edits or signs must have seen it. `facts`: by whom
    everything is judged has changed, which a sheet shows on which nothing stands yet.
    """
    if exam.state in ENDED:
        return
    sheets = {sheet.department_id: sheet for sheet in await repository.sheets(uow, exam.id)}
    held: dict[int, list[DepartmentSheetLine]] = {}
    for line in await repository.sheet_lines(uow, exam.id):
        held.setdefault(line.department_id, []).append(line)
    for department_id in await _unwritten(uow, exam, sheets.keys(), department_ids, facts=facts):
        sheets[department_id] = sheet = new_sheet(exam, department_id)
        uow.session.add(sheet)
    # Words that somebody wrote may tell of another department's values.
    own = {one for one, lines in held.items() if _own_words(lines)} | {one for one, s in sheets.items() if s.by_hand}
    for department_id in sorted(sheets.keys() | held.keys() if department_ids is None else own | set(department_ids)):
        lines, sheet_ = held.get(department_id, []), sheets.get(department_id)
        shown, stale = sheet_.shown if sheet_ is not None else None, _stale(lines, sheet_)
        after = await summarize_department(uow, exam, department_id, lines, sheet_)
        if sheet_ is None:
            continue
        # A signature stands for what was signed, until that is stale.
        moved = sheet_.shown != shown if sheet_.state == "draft" else bool(_stale(after, sheet_) - stale)
        if moved:
            sheet_.version += 1


async def _unwritten(
    uow: UnitOfWork, exam: Exam, written: Collection[int], department_ids: Collection[int] | None, *, facts: bool
) -> list[int]:
    """Return the departments that will sign, have written nothing yet, and whose sheet shows something that came from elsewhere."""
    lines = [x for x in await exams.lines(uow, exam.id) if x.performed_by == "department"]
    mine = {x.department_id for x in lines if x.state in LIVE_FOR_RESULTS} - set(written)
    if department_ids is not None:
        mine &= set(department_ids)
    if mine and not facts:
        ground = await ground_of(uow, exam)
        mine = {one for one in mine if ground.of_department(one)}
    return sorted(mine)


def new_sheet(exam: Exam, department_id: int) -> DepartmentSheet:
    """Return a sheet before its first version."""
    return DepartmentSheet(
        exam_id=exam.id, department_id=department_id, campus_id=exam.campus_id, version=0, state="draft", summary="",
        by_hand=False, stale=False, asked=[], confirmed=[],
    )  # fmt: skip


def _stale(lines: Sequence[DepartmentSheetLine], sheet: DepartmentSheet | None) -> set[UUID | None]:
    found: set[UUID | None] = {line.id for line in lines if line.stale and not line.removed}
    return found | ({None} if sheet is not None and sheet.stale else set())


async def summarize_department(
    uow: UnitOfWork, exam: Exam, department_id: int, held: Sequence[DepartmentSheetLine], sheet: DepartmentSheet | None
) -> Sequence[DepartmentSheetLine]:
    """Do so for one department, whose lines are `held`; return its lines as they are then."""
    ground = await ground_of(uow, exam)
    lines = list(held)
    if sheet is None or sheet.state != "signed":
        lines = await _bring(uow, exam, department_id, held, ground)
    if sheet is not None:
        follow_sheet(sheet, sheet_sources(ground, department_id, lines))
    await _mark_refused(uow, ground, exam, department_id, lines, sheet)
    if sheet is not None:
        sheet.shown = await _shown(uow, exam, ground, department_id, lines, sheet)
    await uow.session.flush()
    await _tell_stale(uow, exam.id, department_id, lines, sheet)
    return lines


def follow_sheet(sheet: DepartmentSheet, now: Sources) -> None:
    """Bring a sheet's summary in line: what was signed or written by hand is stale, what a machine made for a signature that is gone goes.

    A draft has no summary of its own until it is signed again; what would be said now is proposed.
    """
    become = fate(sheet.made_of, now, touched=sheet.state == "signed" or sheet.by_hand)
    sheet.stale = become == "stale"
    if become == "remake":
        sheet.summary, sheet.made_of = "", None


async def _shown(
    uow: UnitOfWork, exam: Exam, ground: Ground, department_id: int, lines: Sequence[DepartmentSheetLine], sheet: DepartmentSheet
) -> str:  # fmt: skip
    """Return the digest of what a sheet shows: its lines and values, each with its flag and range, its summary, and by whom it is judged."""
    own = [x for x in await exams.lines(uow, exam.id) if x.department_id == department_id]
    words = {(f"line:{x.id}", f"{x.text}|{x.edited}|{x.stale}") for x in lines if not x.removed}
    words |= {(f"exam_line:{x.id}", "live") for x in own if x.state in LIVE_FOR_RESULTS}
    words |= {
        (f"value:{k.result_id}", f"{k.revision_id}|{k.flag}|{k.bounds}|{k.usual}")
        for k in of_department(ground.case, department_id).every
    }
    return ground.sources((), words=words | {("summary", f"{sheet.summary}|{sheet.stale}")}).digest


async def _tell_stale(
    uow: UnitOfWork,
    exam_id: UUID,
    department_id: int,
    lines: Sequence[DepartmentSheetLine],
    sheet: DepartmentSheet | None,
) -> None:
    if (sheet is not None and sheet.stale) or any(line.stale and not line.removed for line in lines):
        await exams.block(uow, exam_id, STALE, f"department:{department_id}")
    else:
        await exams.unblock(uow, exam_id, STALE, f"department:{department_id}")


def sheet_sources(ground: Ground, department_id: int, lines: Sequence[DepartmentSheetLine]) -> Sources:
    """Return what a department's summary is made of: every value of the department, and its lines as they read."""
    words = {(f"line:{line.id}", line.text) for line in lines if not line.removed}
    return ground.sources(ground.of_department(department_id), words=words)


async def _bring(
    uow: UnitOfWork, exam: Exam, department_id: int, held: Sequence[DepartmentSheetLine], ground: Ground
) -> list[DepartmentSheetLine]:
    edition = ground.edition
    found = found_in(edition, of_department(ground.case, department_id))
    by_finding = {line.finding_code: line for line in held if line.origin == "rule"}
    found_codes = {advice.code for advice, _ in found}
    lines = list(held)
    for code, line in by_finding.items():
        if code not in found_codes:
            if line.edited and not line.removed:
                line.stale = not line_is_current(ground, line, found=False)
            else:
                await uow.session.delete(line)
                lines.remove(line)
    after = max((line.sort for line in held), default=0)
    for advice, fired in found:
        known = by_finding.get(advice.code)
        if known is None:
            after += 1
            known = DepartmentSheetLine(
                id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, department_id=department_id, sort=after, origin="rule",
                finding_code=advice.code, text="", edited=False, removed=False, stale=False, asked=[],
            )  # fmt: skip
            uow.session.add(known)
            lines.append(known)
        ids = result_ids(fired)
        now = ground.sources(ids)
        become = fate(known.made_of, now, touched=known.edited and not known.removed)
        known.rule_codes, known.result_ids, known.knowledge_version_id = (
            [one.rule.code for one in fired],
            ids,
            _version(ground),
        )
        known.stale = become == "stale"
        if become == "remake":
            # Also of one that was taken out: what was taken out was another finding.
            known.removed = known.edited = False
        if not known.edited:
            known.text = line_text(advice, fired)
        if become != "stale":
            known.made_of, known.revision_ids = now.digest, ground.revisions(ids)
    return sorted(lines, key=lambda line: (line.sort, line.id))


def _version(ground: Ground) -> UUID | None:
    return ground.edition.version_id if ground.edition is not None else None


def line_is_current(ground: Ground, line: DepartmentSheetLine, *, found: bool) -> bool:
    """Say whether a line still rests on what it was written on; `found`: whether its rules still find it."""
    return fate(line.made_of, line_sources(ground, line, found=found), touched=True) == "keep"


def line_sources(ground: Ground, line: DepartmentSheetLine, *, found: bool) -> Sources:
    """Return what a line rests on now."""
    return ground.sources(line.result_ids, missing=() if found else (f"finding:{line.finding_code}",))


async def summary_lines(uow: UnitOfWork, exam_id: UUID) -> Sequence[DepartmentSheetLine]:
    """Return the lines of every department's summary, those taken out as well."""
    return await repository.sheet_lines(uow, exam_id)


async def put_lines(uow: UnitOfWork, exam: Exam, department_id: int, given: Sequence[SummaryLineIn]) -> None:
    """Make a department's lines what was sent, in that order: other words are an edit, no id a line by hand, absence takes a line out.

    Words that are sent anew, or confirmed, stand for what is known now; a stale line that is sent back as it was stays stale.

    Raises SummaryLineUnknown, naming every line that is none of the department's, SummaryFigureOutdated, SummaryContradictsFindings.
    """
    held = {line.id: line for line in await repository.sheet_lines(uow, exam.id, department_id)}
    strange = [
        FieldError(f"/lines/{i}/id", "unknown", "不是该科室的小结行", "no line of the department's summary")
        for i, one in enumerate(given)
        if one.id is not None and one.id not in held
    ]
    if strange:
        raise SummaryLineUnknown(errors=strange)
    ground = await ground_of(uow, exam)
    edition = ground.edition
    found = found_in(edition, of_department(ground.case, department_id))
    found_codes = {advice.code for advice, _ in found}
    await _refuse_words(uow, exam, ground, held, given, of_department(ground.case, department_id).every)
    kept = {one.id for one in given}
    for line in held.values():
        if line.id in kept:
            continue
        if line.origin == "manual":
            await uow.session.delete(line)
        else:
            line.removed, line.stale = True, False
            line.made_of = line_sources(ground, line, found=line.finding_code in found_codes).digest
    for sort, one in enumerate(given, 1):
        if one.id is None:
            uow.session.add(
                DepartmentSheetLine(
                    id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, department_id=department_id, sort=sort, origin="manual",
                    text=one.text, edited=True, asked=[],
                )
            )  # fmt: skip
            continue
        line = held[one.id]
        line.sort, line.removed = sort, False
        if line.stale and not one.confirmed and not rewritten(line.text, one.text):
            # A full stop that is added to a stale line says nothing about what changed under it.
            line.text, line.edited = one.text, line.edited or line.text != one.text
        elif line.text != one.text or one.confirmed:
            line.text, line.edited, line.stale = one.text, line.edited or line.text != one.text, False
            line.made_of = line_sources(ground, line, found=line.finding_code in found_codes).digest
            line.revision_ids = ground.revisions(line.result_ids)
    await uow.session.flush()


async def _refuse_words(
    uow: UnitOfWork, exam: Exam, ground: Ground, held: Mapping[UUID, DepartmentSheetLine], given: Sequence[SummaryLineIn], values: Sequence[Known],
) -> None:  # fmt: skip
    """Nobody writes or confirms a figure that no result says any more, a stale line's words under another id, or 未见异常 beside a finding.

    Raises SummaryFigureOutdated, SummaryContradictsFindings.
    """
    said = await values_of(uow, {r for line in held.values() for r in line.revision_ids or ()})
    truth = await truth_of(uow, exam.id, ground)
    waiting = {line.text for line in held.values() if line.stale and not line.removed}
    written: list[tuple[str, str]] = []
    wrong: list[FieldError] = []
    for i, one in enumerate(given):
        line, at = held[one.id] if one.id is not None else None, f"/lines/{i}/text"
        if line is None or _is_written(line, one.text):
            written.append((at, one.text))
        if line is None and one.text in waiting:
            wrong.append(FieldError(at, "stale", "与待确认的原小结行相同,请改写,或按原行确认", "is the stale line's own words; rewrite them, or confirm that line"))  # fmt: skip
        if line is None or line.text != one.text or one.confirmed:
            linked = [said[r] for r in (line.revision_ids or () if line is not None else ()) if r in said]
            rests_on = line.result_ids if line is not None else ()
            if truth.contradicts(one.text, written_on=linked, rests_on=rests_on):
                wrong.append(old_figure(at))
    calm = calm_lines(written, [one.text for one in given], values) + unexamined_lines(written, truth)
    if calm:
        raise SummaryContradictsFindings(errors=calm)
    if wrong:
        raise SummaryFigureOutdated(errors=wrong)


def _is_written(line: DepartmentSheetLine, text: str) -> bool:
    return line.origin == "manual" or line.edited or line.text != text


def calm_lines(written: Sequence[tuple[str, str]], texts: Sequence[str], values: Sequence[Known]) -> list[FieldError]:
    """Return what somebody wrote, by its place, that calls everything, or what is flagged, normal beside a finding, a flag or what nobody judged.

    `texts` are all lines of the summary, the machine's as well; 余未见异常 may stand beside what is named.
    """
    flagged = [(known.item_name, known.item_code) for known in values if known.flag]
    against = forbids_calm([judgement_of(known) for known in values]) or any(
        not says_all_normal(text, department=True, flagged=flagged) for text in texts
    )
    if not against or not says_all_normal("\n".join(texts), department=True, flagged=flagged):
        return []
    return [
        FieldError(place, "calm", "写正常或未见异常,与结果矛盾", "calls normal what is flagged, found or not judged")
        for place, text in written
        if says_all_normal(text, department=True, flagged=flagged)
    ]


_CLAUSE = re.compile(r"[,，。;；\n]")


def unexamined_lines(written: Iterable[tuple[str, str]], truth: Truth) -> list[FieldError]:
    """Return what somebody wrote, by its place, that calls normal what nobody examined: 双耳听力正常 of a hearing test that was refused."""
    return [
        FieldError(place, "unexamined", "该项目没有检查结果,不能写正常或未见异常", "calls normal what nobody examined")
        for place, text in written
        if truth.calls_unexamined_normal(text)
    ]


def calm_words(
    lines: Sequence[DepartmentSheetLine], written: str, values: Sequence[Known], truth: Truth
) -> list[FieldError]:
    """Return what of a department's own words, by its place, calls normal what is not, or what nobody examined.

    `written`: the summary, where somebody wrote it; `values` are the department's.
    """
    shown = [line for line in lines if not line.removed]
    said, texts = _own_words(shown), [line.text for line in shown]
    calm = calm_lines(said, texts, values)
    calm += calm_lines([("/summary", written)], [*texts, written], values) if written else []
    calm += unexamined_lines([*said, ("/summary", written)], truth)
    if all(known.unexamined for known in values):
        calm += [
            FieldError(
                at, "calm", "本科室没有检查结果,不能写正常或未见异常", "nothing was examined here that could be normal"
            )
            for at, text in [*said, ("/summary", written)]
            if any(says_all_normal(one, department=True) or says_only_normal(one) for one in _CLAUSE.split(text))
        ]
    return calm


def untrue_words(lines: Sequence[DepartmentSheetLine], written: str, truth: Truth) -> list[str]:
    """Return the places of a department's own words that tell of results what these do not say."""
    said = _own_words([line for line in lines if not line.removed])
    return [at for at, text in [*said, ("/summary", written)] if truth.contradicts(text)]


def _own_words(lines: Sequence[DepartmentSheetLine]) -> list[tuple[str, str]]:
    return [(f"line:{line.id}", line.text) for line in lines if line.origin == "manual" or line.edited]


async def _mark_refused(
    uow: UnitOfWork, ground: Ground, exam: Exam, department_id: int, lines: Sequence[DepartmentSheetLine], sheet: DepartmentSheet | None
) -> None:  # fmt: skip
    """Mark stale what a signature would refuse of a department's own words, signed or not: whoever reads them sees it.

    A line by hand, which rests on no value by itself, is current again once it is true; so is any line of a signed sheet, which was none of
    them stale when it was signed: what the values changed under it makes the sheet stale.
    """
    signed = sheet is not None and sheet.state == "signed"
    for line in lines:
        line.stale = line.stale and line.origin != "manual" and not signed
    written = sheet.summary if sheet is not None and sheet.by_hand else ""
    if not written and not _own_words(lines):
        _mark_asked((), lines, sheet)
        return
    values = of_department(ground.case, department_id).every
    truth = await truth_of(uow, exam.id, ground)
    if not signed:
        _mark_asked(asked_of(lines, written, truth), lines, sheet)
    wrong = {one.pointer for one in calm_words(lines, written, values, truth)} | set(
        untrue_words(lines, written, truth)
    )
    for line in lines:
        line.stale = line.stale or f"line:{line.id}" in wrong
    if sheet is not None and "/summary" in wrong:
        sheet.stale = True


def asked_of(lines: Sequence[DepartmentSheetLine], written: str, truth: Truth, made: Iterable[str] = ()) -> list[Asked]:
    """Return what of a department's own words, text by text, nothing of the exam supports; what a machine made (`made`, and its lines) is not asked."""
    shown = [line for line in lines if not line.removed]
    own = _own_words(shown)
    free = [*made, *(line.text for line in shown)]
    hidden = {f"line:{line.id}" for line in shown if line.private}
    said = [Asked(place, text, truth.asked(text), truth.ground, private=place in hidden) for place, text in own]
    if written:
        said.append(Asked("/summary", written, truth.asked(written, free), truth.ground))
    return [one for one in said if one.words]


def _mark_asked(asked: Collection[Asked], lines: Iterable[DepartmentSheetLine], sheet: DepartmentSheet | None) -> None:
    """Write down which words are asked still, and let go of confirmations of what changed: whoever reads the sheet sees both."""
    kept = holding(asked, sheet.confirmed or ()) if sheet is not None else []
    words = {one.place: one.open(kept) for one in asked}
    for line in lines:
        line.asked = words.get(f"line:{line.id}", [])
    if sheet is not None:
        sheet.confirmed, sheet.asked = kept, words.get("/summary", [])


async def take_confirmed(
    uow: UnitOfWork,
    lines: Sequence[DepartmentSheetLine],
    sheet: DepartmentSheet,
    asked: Sequence[Asked],
    confirmed: Collection[str],
) -> None:
    """Nobody signs words that nothing supports without confirming exactly these; who did is kept with them, and audited. Raises WordsUnconfirmed."""
    kept = holding(asked, sheet.confirmed or ())
    if wrong := unconfirmed(asked, kept, confirmed):
        raise WordsUnconfirmed(errors=[unconfirmed_words(*one) for one in wrong])
    by = uow.principal.id
    new = confirmations(asked, kept, by, await identity.staff_name(uow, by), uow.now) if asked else []
    sheet.confirmed = [*kept, *new]
    _mark_asked(asked, lines, sheet)
    if new:
        await uow.audit(
            "department_sheet.confirmed", "department_sheet", f"{sheet.exam_id}/{sheet.department_id}", campus_id=sheet.campus_id,
            detail={"version": sheet.version, "words": words_of(new)},
        )  # fmt: skip


def text_of(
    lines: Sequence[DepartmentSheetLine], values: Sequence[Known], *, complete: bool, grave: Iterable[Clause] = ()
) -> str:
    """Return a summary as it is printed: the lines, then what is flagged and in none of them, choice by choice. `values` are the department's.

    What is critical (`grave`: why) and in none of the lines comes first. 未见异常 is said only where nothing stands beside it, and everything
    has its value; what nobody examined is called so.
    """
    own = [line for line in lines if not line.removed]
    reasons = list(grave)
    first: list[str] = []
    rest: list[str] = []
    for known in values:
        texts = [line.text for line in own if known.result_id in (line.result_ids or ())]
        clauses = _graves_untold(known, [one for one in reasons if _is_of(one, known)], texts)
        if clauses:
            first.append(told(clauses))
            texts = [*texts, first[-1]]
        left = untold(known.chosen, known.usual_texts, texts) if known.chosen else () if texts else (known.text,)
        if known.flag and left:
            rest.append(valued(replace(known, text=";".join(left)) if known.chosen else known))
    idle = [f"{known.item_name}（{known.text}）" for known in values if known.unexamined]
    left_out = f"未检：{'、'.join(dict.fromkeys(idle))}" if idle else ""
    shown = [*dict.fromkeys(first), *(line.text for line in own)]
    if rest:
        shown.append(f"其他异常：{'；'.join(dict.fromkeys(rest))}")
    if shown:
        return "\n".join(f"{i}. {text}" for i, text in enumerate([*shown, *([left_out] if left_out else [])], 1))
    if not complete:
        return left_out
    examined = any(not known.unexamined for known in values)
    return "；".join(part for part in (nothing_found(values) if examined or not idle else "", left_out) if part)


def _is_of(clause: Clause, known: Known) -> bool:
    return clause.known is not None and (clause.known.result_id, clause.known.item_code) == (
        known.result_id,
        known.item_code,
    )


_GRAVE = "属危急值"


def _graves_untold(known: Known, clauses: Sequence[Clause], texts: Sequence[str]) -> list[Clause]:
    """Return of the reasons for which a value is critical those of which no line that rests on it tells.

    A number that is flagged is named with the others; so is a word by itself.
    """
    found = []
    for clause in clauses:
        if clause.found and known.chosen:
            left = untold(known.chosen, (), texts)
            words = tuple(one for one in clause.found if one in left)
        elif clause.found:
            words = tuple(one for one in clause.found if not any(folded(one) in folded(text) for text in texts))
        elif known.flag or texts:
            continue
        else:
            words = ()
        if words or not clause.found:
            # What a person says later is not critical loses this mark where it is printed.
            found.append(replace(clause, found=words, note=clause.note or _GRAVE))
    return found
