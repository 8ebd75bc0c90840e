"""Filing what a laboratory reports: onto the right line of the right person, once, or not at all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from adapters.lis.contract import LabObservation, LabReport, LabResult
from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemUnit
from tjapi.exam import service as exams
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import exam_no_read
from tjapi.examinee import service as examinees
from tjapi.examinee.rules import is_one_name
from tjapi.kernel import inbox
from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import service as requisitions
from tjapi.requisition.errors import TubeHasResults, TubeStateConflict
from tjapi.result import repository, views
from tjapi.result.rules.alarms import TEXT_GRAVE
from tjapi.result.rules.flags import calls_critical, flags_said, lab_critical
from tjapi.result.rules.identity import Identity, disagreement, shows_another
from tjapi.result.rules.notes import grave_sentence, meant, weighs
from tjapi.result.rules.numbers import numbers_in
from tjapi.result.rules.orders import another_specimen, disowned, specimen_unknown, statuses_unknown
from tjapi.result.rules.reading import NUMBERS, Measured, Reading, Said, put_together, without_dust
from tjapi.result.rules.releases import word_decides
from tjapi.result.rules.revisions import LIS_STATUS, ResultStatus, meaning
from tjapi.result.rules.values import Value, plain, same_unit, together, unit_said, voids
from tjapi.result.service.alarming import Judge, judge_for, judge_for_anyone
from tjapi.result.service.book import LIS, Addition, Book, Entry, Placed, UnplacedAlarm, UnreadValue
from tjapi.result.service.computing import compute
from tjapi.result.service.judging import follow
from tjapi.result.service.measuring import Turned, doubted, in_our_unit, in_two_units, unit_doubted
from tjapi.result.service.naming import items_meant, with_names
from tjapi.result.service.release import released_to

# What keeps a value from being filed, gravest first: a message that meets several ends with the first; `detail` lists them all.
REASONS: dict[str, str] = {
    "unknown-barcode": "barcodes",
    "specimen-rejected": "rejected",
    "refusal-not-possible": "not_refused",
    "unknown-code": "codes",
    "codes-disagree": "disputed_codes",
    "item-not-ordered": "not_ordered",
    "specimen-differs": "specimens",
    "line-not-live": "not_live",
    "status-not-filed": "statuses",
    "value-unread": "unread",
    "no-value": "empty",
    "unit-differs": "units",
    "final-changed-without-correction": "contested",
    "value-implausible": "implausible",
    "nothing-withdrawn": "not_withdrawn",
    "withdrawn-before": "withdrawn",
    "left-out": "left_out",
    "no-observations": "groups",
}
_SHOWN = 100
_MOST_NUMBERS = 50
"""Of one person: what follows in a message is looked up for nobody."""


@dataclass(frozen=True, slots=True)
class Filing:
    """What became of a message. `detail` holds codes, barcodes and numbers; never a value, never a name."""

    outcome: Literal["filed", "duplicate", "revision", "quarantined", "unmatched"]
    reason: str | None = None
    exam_id: UUID | None = None
    campus_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Group:
    """Observations of one item that were said in one breath: one status, one moment. `first` speaks for all of them."""

    item: Item | None
    observations: tuple[LabObservation, ...]
    disputed: tuple[Item, ...] = ()
    """Items of ours that the codes of one observation lead to, where they are several: it is filed under none of them."""

    @property
    def first(self) -> LabObservation:
        return self.observations[0]

    @property
    def may_be(self) -> tuple[Item, ...]:
        """The items that it may be of."""
        return (self.item,) if self.item is not None else self.disputed

    @property
    def marks(self) -> tuple[str, ...]:
        """The laboratory's flags, each once."""
        return tuple(dict.fromkeys(flag for o in self.observations for flag in o.abnormal_flags))

    @property
    def said(self) -> list[Said]:
        """The values, in order, to be read."""
        return [
            Said(one.raw_value, one.unit, i, one.other_words, one.range_text, one.remarks)
            for i, one in enumerate(self.observations)
        ]


_CLOCKS_DIFFER = timedelta(minutes=5)
"""How far a neighbour's clock may be ahead of ours, and is believed."""


@dataclass(frozen=True, slots=True)
class _Told:
    """The message that is being filed, and the units in which its items may be said besides our own."""

    message_id: UUID
    source: str
    report: LabReport
    arrived_at: datetime
    day: date
    """Of the exam: before it nothing of it was measured."""
    units: Mapping[UUID, Sequence[ItemUnit]]
    last: Mapping[str, Decimal]
    """Numbers of the last exam, of items whose change is asked about."""
    takes_back: frozenset[UUID] = frozenset()
    """Items of which it takes a value back."""
    recorded: list[tuple[Entry, Addition]] = field(default_factory=list)
    """What was recorded of it, and as what."""

    @property
    def sent_at(self) -> datetime:
        """When it was written; who does not say it wrote it before it came."""
        return self.report.sent_at or self.arrived_at


async def file_report(
    uow: UnitOfWork, message_id: UUID, source: str, report: LabReport, arrived_at: datetime | None = None
) -> Filing:
    """File a report: placer number and barcode lead to the line, their own number where these do not; then the identity must agree.

    What can be filed is filed even where a part cannot: the message then ends unmatched, naming what is missing, and its replay files
    the rest and finds the others duplicates. Nothing of a message is filed when its identity does not agree. `arrived_at` bounds what it
    says of the future, and is now where nobody knows better.
    """
    report = _flagged(report)
    placed = await released_to(uow, message_id)
    targets = await _leading(uow, source, report, placed)
    exam_ids = {exam_id for found in targets for exam_id in found.exam_ids}
    if placed is not None:
        # Two people looked: the identity is theirs to answer for. What they cannot do is split a message over two exams.
        exam_ids.add(placed)
    if len(exam_ids) > 1:
        named = [await exams.get(uow, exam_id) for exam_id in sorted(exam_ids)]
        detail = {"disagree": ["order"], "exam_ids": sorted(map(str, exam_ids))} | await _alarming(
            uow, source, report, named
        )
        return Filing("quarantined", "identity-mismatch", detail=detail)
    lost: dict[str, list[str]] = {}
    if not exam_ids:
        lost["unknown-barcode"] = [result.barcode or result.placer_no or "" for result in report.results]
        detail = _detail(lost, {}) | await _alarming(uow, source, report, ()) | await _propose(uow, source, report)
        return Filing("unmatched", "unknown-barcode", detail=detail)
    book = await Book.open(uow, exam_ids.pop())
    if await requisitions.drawn_again(uow, book.exam.id):
        # Whoever waited for the lock may have looked before a specimen was rejected: where the numbers lead now is what counts.
        targets = await _leading(uow, source, report, placed)
    against = None
    if placed is None:
        against = disagreement(_ours(book.exam), await _theirs(uow, book.exam, report), is_one_name)
    if against is not None:
        # Kept from the exam's own list: whose result this is, is exactly what is not known.
        detail = {"disagree": against, "suspected_exam_id": str(book.exam.id)}
        detail |= await _alarming(uow, source, report, [book.exam])
        return Filing("quarantined", "identity-mismatch", detail=detail)
    counts = {"filed": 0, "revision": 0, "duplicate": 0}
    report, items = with_names(book, report, await _items(uow, source, report))
    units, last = await _other_units(uow, report, items), await _last_numbers(uow, book, items)
    told = _Told(
        message_id, source, report, min(arrived_at or uow.now, uow.now), book.exam.exam_date, units, last, _taken_back(report, items)
    )  # fmt: skip
    for place in report.left_out:
        _lose(lost, "left-out", place)
    unplaced = _add_all(uow, book, targets, items, (lost, counts), told, placed=placed is not None)
    _name_what_waits(uow, book, told, lost)
    await _alarm_unplaced(uow, book, unplaced)
    await _alarm_unknown(uow, book)
    if counts["filed"] or counts["revision"]:
        compute(uow, book, (line for line in book.lines.values() if line.performed_by == "lis" and book.live(line)))
    await book.close(uow)
    if counts["filed"] or counts["revision"]:
        await _tell(uow, book, targets, told, counts)
    counts["filed"] += await _refuse(uow, report, targets, lost)
    reason = next((name for name in REASONS if name in lost), None)
    outcome = _outcome(reason, counts)
    return Filing(outcome, reason, book.exam.id, book.exam.campus_id, _detail(lost, counts))


def _flagged(report: LabReport) -> LabReport:
    """Return a report with all that its flags say in one place. Of what could not be taken up that stays which is called critical.

    The rest of that is named (`left_out`), and no value.
    """

    def noted(result: LabResult) -> LabResult:
        """What a note on the whole report changes stands beside each value that it may mean, as if it had been said there."""
        # Who writes one note in several lines sends it in several: it may weigh as a whole only.
        weighty = [note for note in result.remarks if weighs(note)] or [
            note for note in together(result.remarks) if weighs(note)
        ]
        said = [(o.name, o.code, bool(flags_said(o.abnormal_flags, ()))) for o in result.observations]
        if not said or not weighty:
            return result
        beside = [tuple(note for note in weighty if i in meant(note, said)) for i in range(len(said))]
        values = tuple(
            replace(o, remarks=tuple(dict.fromkeys((*o.remarks, *own))))
            for o, own in zip(result.observations, beside, strict=True)
        )
        left = tuple(note for note in result.remarks if note not in weighty)
        return replace(result, observations=values, remarks=left)

    def observed(result: LabResult) -> tuple[LabObservation, ...]:
        flagged = (
            replace(
                o,
                abnormal_flags=flags_said(o.abnormal_flags, _flag_words(o)),
                flag_words=(),
                # Who has no other place for it writes 标本凝固 where the range belongs.
                remarks=(*o.remarks, o.range_text) if voids(o.range_text) else o.remarks,
            )
            for o in result.observations
        )
        return tuple(o for o in flagged if not o.left_out or lab_critical(o.abnormal_flags))

    results = map(noted, report.results)
    return replace(report, results=tuple(replace(result, observations=observed(result)) for result in results))


async def _items(uow: UnitOfWork, source: str, report: LabReport) -> Mapping[str, Item]:
    codes = {code for result in report.results for o in result.observations for code in (o.code, *o.other_codes)}
    return await catalog.items_of_external_codes(uow, source, codes)


async def _alarming(uow: UnitOfWork, source: str, report: LabReport, whose: Sequence[Exam]) -> dict[str, Any]:
    """Return the codes that are critical in a message that belongs to nobody yet: whose it is, is asked at once.

    By the laboratory's word, or by what applies to any of those whose it may be (`whose`; nobody: to anybody).
    """
    codes = {o.code or "?" for result in report.results for o in result.observations if lab_critical(o.abnormal_flags)}
    items = await _items(uow, source, report)
    known = list({item.id: item for item in items.values()}.values())
    judges = [await judge_for(uow, exam, known) for exam in whose]
    if not judges and known:
        judges = [await judge_for_anyone(uow, report.patient_sex, known)]
    for result in report.results:
        for group in _groups(result.observations, items):
            if any(_is_critical(judge, result, group) for judge in judges):
                codes.add(group.first.code)
    grave = _grave_codes(report, items)
    detail: dict[str, Any] = {TEXT_GRAVE: sorted(grave)[:_SHOWN]} if grave else {}
    codes |= grave
    return detail | ({inbox.ALARMING: sorted(codes)[:_SHOWN]} if codes else {})


def _grave_codes(report: LabReport, items: Mapping[str, Item]) -> set[str]:
    """Return the codes, of items or of reported groups, under which something is written that asks for a person at once."""
    codes: set[str] = set()
    for result in report.results:
        codes |= {group.first.code or "?" for group in _groups(result.observations, items) if _grave_in(result, group)}
        if grave_sentence((), result.remarks):
            codes.add(result.group_code or "?")
    return codes


def _grave_in(result: LabResult, group: _Group, notes: Sequence[str] = ()) -> str:
    """Return the first sentence of what was said of an item, whichever it may be, that asks for a person at once; what takes a value back is none."""
    if LIS_STATUS.get(group.first.status or result.status) == "entered_in_error":
        return ""
    said = group.observations
    texts = [text for o in said for text in (o.raw_value, *o.other_words)]
    return grave_sentence(texts, [*notes, *(note for o in said for note in o.remarks)])


async def _propose(uow: UnitOfWork, source: str, report: LabReport) -> dict[str, Any]:
    """Return whose a message without a number of an order or a tube seems to be: nothing is filed by it, two people say so.

    Proposed is the one exam that a number in it names, whose person is the one it names in full (name, sex and birth date), and which has an
    open line of what is reported. What is critical in it alarms there meanwhile.
    """
    exam = await _named_in_full(uow, report)
    if exam is None:
        return {}
    items = await _items(uow, source, report)
    book = await Book.open(uow, exam.id)
    lines = {id(result): _lines_named(book, result, items) for result in report.results}
    if not any(lines.values()):
        return {}
    unplaced: list[_Unplaced] = []
    for result in report.results:
        led_to = lines[id(result)]
        private = any(line.private for line in led_to)
        groups = _groups(result.observations, items)
        unplaced += [_Unplaced(result, group, next(iter(led_to), None), private, belongs=False) for group in groups]
    await _alarm_unplaced(uow, book, unplaced)
    await book.close(uow)
    named = sorted({line.code for led_to in lines.values() for line in led_to if not line.private})
    return {"proposed": {"exam_id": str(exam.id), "exam_no": exam.exam_no, "lines": named}}


async def _named_in_full(uow: UnitOfWork, report: LabReport) -> Exam | None:
    """Return the one exam that a report names, by a number and by the person's name, sex and birth date."""
    if not report.patient_name or report.patient_sex not in ("male", "female") or report.patient_birth_date is None:
        return None
    said = [report.exam_no, *report.numbers[:_MOST_NUMBERS]]
    said += [number for result in report.results[:_MOST_NUMBERS] for number in (result.placer_no, result.barcode)]
    numbers = {read for one in said if one and (read := exam_no_read(one)) is not None}
    found = {exam.id: exam for number in sorted(numbers) if (exam := await exams.find_by_no(uow, number)) is not None}
    if len(found) != 1:
        return None
    (exam,) = found.values()
    theirs = await _theirs(uow, exam, report)
    agrees = disagreement(_ours(exam), theirs, is_one_name) is None
    return exam if agrees else None


def _lines_named(book: Book, result: LabResult, items: Mapping[str, Item]) -> list[ExamLine]:
    """Return the open lines of what is reported: by the code of the group, or of an item, ours or one that leads to ours."""
    said = {result.group_code, *(code for o in result.observations for code in (o.code, *o.other_codes))}
    meant = {item.code for code, item in items.items() if code in said} | said
    return [
        line
        for line in book.lines.values()
        if book.live(line) and (line.code in said or any(item.code in meant for item in book.items_of(line)))
    ]


def _is_critical(judge: Judge, result: LabResult, group: _Group) -> bool:
    """Say whether what was said of an item is critical by our own range or rule; what takes a value back is not."""
    if LIS_STATUS.get(group.first.status or result.status) == "entered_in_error":
        return False
    return any(judge.is_critical(item, group.said) for item in group.may_be)


def _add_all(
    uow: UnitOfWork, book: Book, targets: Sequence["_Found"], items: Mapping[str, Item], tally: tuple[dict[str, list[str]], dict[str, int]],
    told: "_Told", *, placed: bool,
) -> list["_Unplaced"]:  # fmt: skip
    """Record what was observed of every reported group on the lines that its numbers lead to; return what no line took."""
    lost, _ = tally
    unplaced: list[_Unplaced] = []
    for result, target in zip(told.report.results, targets, strict=True):
        if target.line_ids is None and not placed:
            _lose(lost, "unknown-barcode", result.barcode or result.placer_no or "")
            unplaced += [_Unplaced(result, group, None) for group in _groups(result.observations, items)]
            continue
        if not result.observations and result.refused is None:
            _lose(lost, "no-observations", result.group_code)
        lines = [line for line in book.lines.values() if target.line_ids is None or line.id in target.line_ids]
        lines.sort(key=lambda line, known=target.known: line.id not in known)  # type: ignore[misc]
        rejected = [line for line in book.lines.values() if line.id in target.rejected]
        unplaced += _add(uow, book, (lines, rejected), result, items, tally, told)
        if result.refused is not None:
            _ask_disowned(uow, book, lines, result, told, f"标本被拒收:{result.refused.text or result.refused.reason}", (result.refused.reason, result.refused.text))  # fmt: skip
        for place in (
            *statuses_unknown(result.status, result.order_status), *(["SPM-4/OBR-15"] if specimen_unknown(result.specimens) else [])
        ):  # fmt: skip
            _lose(lost, "left-out", f"{place}: not understood")
        withdraws = bool(result.observations) and not _says_values(result)
        why = disowned(result.status, result.control, result.order_status, withdraws=withdraws)
        if why is not None and result.observations:
            # It reports what it says was taken back, or is not there yet: one of the two is wrong.
            if not withdraws:
                _lose(lost, "status-not-filed", result.group_code)
            _ask_disowned(uow, book, lines, result, told, why.why, status=why.status)
        elif not result.observations and (why is not None or any(map(voids, result.remarks))):
            # The order alone is taken back: what was reported of it stands no longer as if nothing had been said.
            of_order = [line for line in lines if line.id in target.known] or lines
            words, status = (why.why, why.status) if why is not None else ("报告已作废", "corrected")
            _ask_disowned(uow, book, of_order, result, told, words, status=status)
    return unplaced


def _says_values(result: LabResult) -> bool:
    """Say whether a report holds more than withdrawals of values."""
    return any(LIS_STATUS.get(o.status or result.status) != "entered_in_error" for o in result.observations)


def _ask_disowned(
    uow: UnitOfWork, book: Book, lines: Sequence[ExamLine], result: LabResult, told: "_Told", why: str,
    before: tuple[str, ...] = (), status: ResultStatus = "corrected",
) -> None:  # fmt: skip
    """Put to a person what was reported of what the laboratory refuses or has cancelled: nobody knows whether it still stands.

    `before`: what stood in the place of `why` in the keys of earlier editions; their questions are not asked again.
    """
    issued_at = min(result.reported_at or told.sent_at, told.arrived_at)
    for line in lines:
        for item in book.items_of(line):
            if book.now_at(line.id, item.id) is not None and book.said_by(line.id, item.id, LIS):
                key = meaning((result.barcode, why, item.id, issued_at.timestamp()))
                older = meaning((result.barcode, *before, item.id, issued_at.timestamp())) if before else None
                words = UnreadValue(
                    raw=why, key=key, said_at=issued_at, message_id=told.message_id, status=status, older_key=older
                )
                book.ask_unread(uow, (line, item), words)


async def _tell(
    uow: UnitOfWork, book: Book, targets: Sequence["_Found"], told: _Told, counts: Mapping[str, int]
) -> None:
    """Draw what follows from results that were filed: what is back from outside, the departments' summaries, the screens, the trail."""
    for tube_id in {target.sent_out for target in targets if target.sent_out is not None}:
        await requisitions.reported(uow, tube_id)
    if book.exam.state != "finalized":
        departments = {line.department_id for line in book.lines.values() if line.performed_by == "lis"}
        await follow(uow, book.exam, departments)
    exam = {"exam_id": str(book.exam.id)}
    await uow.announce("result", exam, campus_id=book.exam.campus_id, permission="result.read")
    await uow.audit(
        "result.filed",
        "exam",
        book.exam.id,
        campus_id=book.exam.campus_id,
        detail={"message_id": str(told.message_id), **counts},
    )


async def _other_units(
    uow: UnitOfWork, report: LabReport, items: Mapping[str, Item]
) -> Mapping[UUID, Sequence[ItemUnit]]:
    said = [
        (item, o) for result in report.results for o in result.observations if (item := _item(items, o)) is not None
    ]
    # Of a number without a unit it is asked what it would be in each of them.
    strange = {item.id for item, o in said if not unit_said(o.unit) or not same_unit(o.unit, item.unit)}
    return await catalog.units(uow, strange) if strange else {}


async def _last_numbers(uow: UnitOfWork, book: Book, items: Mapping[str, Item]) -> Mapping[str, Decimal]:
    codes = {item.code for item in items.values() if item.delta_percent is not None}
    return await views.last_numbers(uow, book.exam, codes) if codes else {}


def _item(items: Mapping[str, Item], o: LabObservation) -> Item | None:
    """Return the item of an observation: by its code and the other codes that it bears; None where they lead to none, or to several."""
    found = items_meant(items, o)
    return found[0] if len(found) == 1 else None


async def _refuse(uow: UnitOfWork, report: LabReport, targets: Sequence["_Found"], lost: dict[str, list[str]]) -> int:
    """Reject the specimens that the laboratory refuses, after what it says of them is filed; return how many were not rejected before."""
    done = 0
    for result, target in zip(report.results, targets, strict=True):
        if result.refused is None or target.tube_id is None:
            continue
        try:
            why = result.refused
            done += await requisitions.reject_reported(uow, target.tube_id, why.reason, why.text[:200] or None)
        except (TubeHasResults, TubeStateConflict):
            _lose(lost, "refusal-not-possible", result.barcode or result.placer_no or "")
    return done


def _add(
    uow: UnitOfWork, book: Book, lines: tuple[Sequence[ExamLine], Sequence[ExamLine]], result: LabResult, items: Mapping[str, Item],
    tally: tuple[dict[str, list[str]], dict[str, int]], told: _Told,
) -> list["_Unplaced"]:  # fmt: skip
    """Record what was observed of one reported group; what cannot be recorded is named in the tally, and what no line took is returned.

    `lines` are those it may be recorded on, and those whose specimen was rejected: what is measured from it all the same, a person looks at.
    """
    lost, counts = tally
    # A remark on the whole report stands beside its first value that is filed.
    remarks = result.remarks
    unplaced: list[_Unplaced] = []
    for group in _groups(result.observations, items):
        place = _place(book, lines, result, group, lost)
        if place is None:
            if _ask_unplaced(uow, book, lines, result, group, told):
                led_to = (*lines[0], *lines[1])
                private = any(line.private for line in led_to)
                unplaced.append(_Unplaced(result, group, next(iter(led_to), None), private))
            else:
                _note_placed(book, lines, result, group)
            continue
        typed = book.typed(place[0].id, place[1].id)
        entries = _entries(uow, book, _saying(place, result, group, told, remarks, typed=typed), lost, told)
        remarks = () if entries else remarks
        for entry in entries:
            added = book.add(uow, entry)
            counts[added] += 1
            told.recorded.append((entry, added))
            # What was said before was asked of a person then.
            if (
                added != "duplicate"
                and entry.status != "entered_in_error"
                and (entry.doubt or book.is_doubted(*_at(entry)))
            ):
                _lose(lost, "value-implausible", entry.code)
        _note_placed(book, lines, result, group, frozenset(entry.meaning_key for entry in entries))
    return unplaced


def _unplaced_key(result: LabResult, group: _Group) -> str:
    """Return what tells apart what is said on no line: the same words again, of the same moment, are the same."""
    o, moment = group.first, _said_moment(result, group.first)
    return meaning((o.code, o.status, moment and moment.timestamp(), o.raw_value, *group.marks))


def _note_placed(
    book: Book, lines: tuple[Sequence[ExamLine], Sequence[ExamLine]], result: LabResult, group: _Group,
    meanings: frozenset[str | None] = frozenset(),
) -> None:  # fmt: skip
    """Note that what was said stands, or is asked about, on a line: an alert of it from when no line took it has no reason any more."""
    for item in group.may_be:
        line = _line(book, lines, result.group_code, item)
        if not isinstance(line, str):
            key = _unplaced_key(result, group)
            book.note_placed(Placed(line=line, item=item, code=group.first.code, key=key, meanings=meanings))


def _name_what_waits(uow: UnitOfWork, book: Book, told: _Told, lost: dict[str, list[str]]) -> None:
    """Name what a person has to look at of the values that a message said, once all of them are known: one may decide another."""
    withdrawn = {(_at(entry), entry.value.same) for entry, _ in told.recorded if entry.status == "entered_in_error"}
    for entry, added in told.recorded:
        place = _at(entry)
        if entry.status == "entered_in_error":
            if added != "duplicate" and book.withdrew_nothing(*place, told.message_id):
                # It was meant for something: what stands is not verified until a person has looked.
                _lose(lost, "nothing-withdrawn", entry.code)
            continue
        if book.contested(*place):
            _lose(lost, "final-changed-without-correction", entry.code)
        if added == "duplicate" and book.withdrawn_by(*place, entry.issued_at):
            # The clock does not tell which of the two was said last.
            _lose(lost, "withdrawn-before", entry.code)
        if entry.value.same and (place, entry.value.same) in withdrawn:
            _lose(lost, "withdrawn-before", entry.code)
            _ask_both(uow, book, entry)


def _ask_both(uow: UnitOfWork, book: Book, entry: Entry) -> None:
    """Put to a person what one message says and takes back: it does not stand, and nobody knows whether it should."""
    said = UnreadValue(
        raw=f"同一报文既报告又撤回:{entry.value.raw}", key=meaning((entry.meaning_key, "taken back")), said_at=entry.issued_at,
        message_id=entry.message_id, status=entry.status, remarks=entry.remarks, lis_marks=entry.lis_marks,
        said=((entry.value.raw, entry.unit or ""),),
    )  # fmt: skip
    book.ask_unread(uow, (entry.line, entry.item), said)


def _at(entry: Entry) -> tuple[UUID, UUID]:
    return entry.line.id, entry.item.id


def _taken_back(report: LabReport, items: Mapping[str, Item]) -> frozenset[UUID]:
    """Return the items of which a report takes a value back."""
    return frozenset(
        item.id
        for result in report.results
        for o in result.observations
        if LIS_STATUS.get(o.status or result.status) == "entered_in_error"
        for item in items_meant(items, o)
    )


def _said_moment(result: LabResult, o: LabObservation) -> datetime | None:
    """Return when a value was observed, as far as its message says it: the value's own moment, its specimen's, its report's."""
    return o.observed_at or result.specimen_at or result.reported_at


def _unread(result: LabResult, group: _Group, told: _Told, issued_at: datetime, how: str) -> UnreadValue:
    """Return what is put to a person of observations that are no value: what was said, and how. Only a correction answers it."""
    o, values = group.first, "\n".join(one.raw_value for one in group.observations if one.raw_value)
    raw, moment = f"{how}:{values}" if values else how, _said_moment(result, o)
    return UnreadValue(
        raw=raw, key=meaning((o.code, o.status, moment and moment.timestamp(), raw, *group.marks)), said_at=issued_at,
        message_id=told.message_id, status="corrected",
        remarks=tuple(dict.fromkeys(note for one in group.observations for note in one.remarks)), lis_marks=group.marks,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Unplaced:
    """What was said of an item and stands on no line. `line`: one that its numbers lead to; `private`: they lead to a private one as well.

    `belongs`: its message is filed with this exam, and does not only name it.
    """

    result: LabResult
    group: _Group
    line: ExamLine | None
    private: bool = False
    belongs: bool = True


def _ask_unplaced(
    uow: UnitOfWork, book: Book, lines: tuple[Sequence[ExamLine], Sequence[ExamLine]], result: LabResult, group: _Group, told: _Told
) -> bool:  # fmt: skip
    """Put to a person what was said under a status that files nothing; say whether it may still be critical: nothing that came since answers.

    A status that files nothing takes a value back, or amends it, in a way that we do not know: what stands is not verified until somebody
    has looked. Where nothing stands and nothing was said, there is nothing to ask.
    """
    if group.disputed:
        return _ask_disputed(uow, book, lines, result, group, told)
    o, line = group.first, _line(book, lines, result.group_code, group.item)
    if group.item is None or isinstance(line, str):
        return True
    said = any(one.raw_value.strip() for one in group.observations)
    if not said and not lab_critical(group.marks) and book.now_at(line.id, group.item.id) is None:
        return False
    issued_at = min(result.reported_at or told.sent_at, told.arrived_at)
    status = o.status or result.status
    differs = another_specimen(result.specimens, line.specimen)
    unread = _unread(result, group, told, issued_at, differs or f"状态 {plain(status) or '未注明'}")
    if differs is not None:
        # What comes of the right specimen answers it.
        unread = replace(unread, status=LIS_STATUS.get(status, "corrected"))
    # What the laboratory calls critical alarms by the question.
    return book.ask_unread(uow, (line, group.item), unread) and not lab_critical(group.marks)


def _ask_disputed(
    uow: UnitOfWork, book: Book, lines: tuple[Sequence[ExamLine], Sequence[ExamLine]], result: LabResult, group: _Group, told: _Told
) -> bool:  # fmt: skip
    """Put to a person, of each item that it may be of, what was said under codes that lead to several; say whether it may still be critical."""
    issued_at = min(result.reported_at or told.sent_at, told.arrived_at)
    unread = _unread(result, group, told, issued_at, f"代码不一致({'、'.join(item.name for item in group.disputed)})")
    asked = False
    for item in group.disputed:
        line = _line(book, lines, result.group_code, item)
        if not isinstance(line, str):
            asked = book.ask_unread(uow, (line, item), unread) or asked
    return not (asked and lab_critical(group.marks))


async def _alarm_unplaced(uow: UnitOfWork, book: Book, unplaced: Sequence[_Unplaced]) -> None:
    """Alarm of what no line took and is critical all the same: by the laboratory's word, by our own range or rule, or of grave words.

    Notes on a whole report are read with the first of it that no line took.
    """
    noted: set[int] = set()
    items = {item.id: item for one in unplaced for item in one.group.may_be}
    judge = await judge_for(uow, book.exam, items.values()) if items else None
    for one in unplaced:
        o, by_lab = one.group.first, lab_critical(one.group.marks)
        words = _grave_in(one.result, one.group, () if id(one.result) in noted else one.result.remarks)
        noted.add(id(one.result))
        # Words alone are never of class A.
        only_words = bool(words) and all(item.kind == "text" for item in one.group.may_be)
        critical = by_lab or (not only_words and judge is not None and _is_critical(judge, one.result, one.group))
        if not critical and not words:
            continue
        # A laboratory's line, if there is any: it is they who call. Of words it is whoever's they are.
        theirs = [] if only_words else [line for line in book.lines.values() if line.performed_by == "lis"]
        lines = [*([one.line] if one.line in theirs else []), *theirs, one.line, *book.lines.values()]
        department = next((line.department_id for line in lines if line is not None), None)
        if department is not None:
            key = _unplaced_key(one.result, one.group)
            name = "/".join(item.name for item in one.group.may_be) or o.name or o.code or "未注明项目"
            book.alarm_unplaced(
                UnplacedAlarm(
                    department_id=department,
                    code=o.code,
                    name=name,
                    key=key,
                    ours=not by_lab,
                    private=one.private,
                    words="" if critical else words,
                    belongs=one.belongs,
                )
            )


async def _alarm_unknown(uow: UnitOfWork, book: Book) -> None:
    """Alarm of what nobody could read, or in which unit, where no reading of it excludes that it is critical."""
    if book.unknown:
        judge = await judge_for(uow, book.exam, [one.item for one in book.unknown])
        book.alarm_unknown(one.key for one in book.unknown if judge.may_be_critical(one.item, one.said))


def _flag_words(o: LabObservation) -> tuple[str, ...]:
    """Return what an observation says of itself besides its flags: in further parts of a code, and that it is critical, in whatever words."""
    called = any(calls_critical(words) for words in (o.raw_value, *o.other_words, *together(o.remarks)))
    return (*o.flag_words, *(("危急值",) if called else ()))


def _outcome(reason: str | None, counts: dict[str, int]) -> Literal["filed", "duplicate", "revision", "unmatched"]:
    if reason is not None:
        return "unmatched"
    if counts["revision"]:
        return "revision"
    return "filed" if counts["filed"] else "duplicate"


def _lose(lost: dict[str, list[str]], reason: str, what: str) -> None:
    names = lost.setdefault(reason, [])
    if what not in names:
        names.append(what)


def _detail(lost: dict[str, list[str]], counts: dict[str, int]) -> dict[str, Any]:
    return {**{REASONS[reason]: sorted(names)[:_SHOWN] for reason, names in lost.items()}, **counts}


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a reported group leads: every exam that one of its numbers names, and the lines; None: nowhere. `known`: theirs before.

    `rejected` are lines whose specimen was rejected and that wait for another one. `tube_id` is the tube, `sent_out` the same if it is out.
    `ordered`: our own number of an order named it.
    """

    exam_ids: frozenset[UUID]
    line_ids: frozenset[UUID] | None
    known: frozenset[UUID] = frozenset()
    rejected: frozenset[UUID] = frozenset()
    tube_id: UUID | None = None
    sent_out: UUID | None = None
    ordered: bool = False


async def leads_elsewhere(
    uow: UnitOfWork, source: str, report: LabReport, exam_id: UUID, *, moved: bool = False
) -> bool:
    """Say whether two people's word that a message is an exam's would be in vain: its numbers name another one, and so does its identity.

    `moved`: so it is as well where its numbers lead to that exam anyhow, which took nothing of it.
    """
    if moved and all(found.exam_ids <= {exam_id} for found in await _targets(uow, source, report, exam_id)):
        return True
    return any(found.exam_ids - {exam_id} for found in await _leading(uow, source, report, exam_id))


async def _leading(uow: UnitOfWork, source: str, report: LabReport, placed: UUID | None) -> list[_Found]:
    """Return where each group leads; a label on the wrong tube leads nowhere where two people, and the identity, say whose it is."""
    targets = await _targets(uow, source, report, placed)
    if placed is None or all(found.exam_ids <= {placed} for found in targets):
        return targets
    exam = await exams.get(uow, placed)
    over = await _cancelled(uow, exam, {exam_id for found in targets for exam_id in found.exam_ids} - {placed})
    against = disagreement(_ours(exam), await _theirs(uow, exam, report, over), is_one_name)
    # Nothing is done to the tube whose label it bears: that one is another person's, or an exam's that is over.
    there = _Found(frozenset({placed}), None)
    return [there if word_decides(found.exam_ids, placed, against) else found for found in targets]


async def _cancelled(uow: UnitOfWork, exam: Exam, exam_ids: Collection[UUID]) -> frozenset[str]:
    """Return the numbers of those exams that are the same person's and were cancelled: what was drawn for one may be of the next."""
    found: set[str] = set()
    for one in [await exams.get(uow, exam_id) for exam_id in sorted(exam_ids)]:
        same = await examinees.survivor_id(uow, one.examinee_id) == await examinees.survivor_id(uow, exam.examinee_id)
        if one.state == "cancelled" and same:
            found.add(one.exam_no)
    return frozenset(found)


async def _targets(uow: UnitOfWork, source: str, report: LabReport, placed: UUID | None) -> list[_Found]:
    """Follow the numbers of each group; groups of one tube mostly share theirs, and each number is followed once.

    A number of theirs may be one of the day, or always the same: it leads only where none of ours does, and where one of ours does, only to
    that one's exam. Ours are those of orders and tubes, then what two people said (`placed`), then the exam that is named.
    """
    known: dict[tuple[str | None, str | None, str | None], _Found] = {}
    for result in report.results:
        numbers = (result.placer_no, result.filler_no, result.barcode)
        if numbers not in known:
            known[numbers] = await _target(uow, result)
    ours = {exam_id for found in known.values() for exam_id in found.exam_ids} | (
        {placed} if placed is not None else set()
    )
    if not ours and any(filler for _, filler, _ in known):
        number = exam_no_read(report.exam_no) if report.exam_no else None
        named = await exams.find_by_no(uow, number) if number is not None else None
        ours = {named.id} if named is not None else set()
    for numbers, found in known.items():
        if numbers[1] and not found.ordered:
            known[numbers] = await _by_theirs(uow, source, numbers[1], found, ours)
    return [known[(result.placer_no, result.filler_no, result.barcode)] for result in report.results]


async def _target(uow: UnitOfWork, result: LabResult) -> _Found:
    """Follow our own numbers, every one that was sent: numbers of one group that lead to two exams are not to be believed.

    Our own number is one line; a barcode leads to whatever the tube is for.
    """
    exam_ids: set[UUID] = set()
    ordered: set[UUID] = set()
    in_tube: set[UUID] = set()
    rejected: set[UUID] = set()
    line = await requisitions.lines_by_placer(uow, result.placer_no) if result.placer_no else None
    tube = await requisitions.tube_by_barcode(uow, result.barcode) if result.barcode else None
    if line is not None:
        exam_ids.add(line.exam_id)
        # The number of an order whose specimen was rejected is good for the next specimen only where that one's barcode stands beside it.
        good = not line.rejected or (tube is not None and line.line_id in tube.line_ids)
        (ordered if good else rejected).add(line.line_id)
    tube_id = line.tube_id if line is not None else None
    out = None
    if tube is not None:
        exam_ids.add(tube.exam_id)
        in_tube.update(tube.line_ids)
        rejected.update(tube.rejected_line_ids)
        tube_id, out = tube.tube_id, tube.tube_id if tube.state == "sent_out" else None
    lines = (ordered if line is not None else in_tube) - rejected
    return _Found(
        frozenset(exam_ids), frozenset(lines) if exam_ids else None, frozenset(), frozenset(rejected), tube_id, out, line is not None
    )  # fmt: skip


async def _by_theirs(uow: UnitOfWork, source: str, filler_no: str, found: _Found, ours: Collection[UUID]) -> _Found:
    """Follow a number of theirs besides: it is often the tube's, the same for each of its groups, and leads to what it was used for before.

    Only one that names a single exam leads anywhere; `ours` are the exams that numbers of ours name.
    """
    known = [r for r in await repository.of_filler(uow, LIS + source, filler_no) if not ours or r.exam_id in ours]
    if len({r.exam_id for r in known}) != 1:
        return found
    used = frozenset(r.line_id for r in known)
    lines = ((found.line_ids or frozenset()) | used) - found.rejected
    # Within a tube, whatever else of the exam bore that number does not come before what the tube is for.
    first = (used & (found.line_ids or frozenset())) or found.line_ids or used
    return replace(found, exam_ids=found.exam_ids | {known[0].exam_id}, line_ids=lines, known=first)


def _ours(exam: Exam) -> Identity:
    return Identity(exam.exam_no, (exam.name,), exam.sex, exam.birth_date)


async def _theirs(uow: UnitOfWork, exam: Exam, report: LabReport, over: Collection[str] = ()) -> Identity:
    """Return who a message says it is about; the numbers of exams that are `over` name nobody else."""
    names = (report.patient_name or "", *report.other_names)
    is_theirs = await examinees.has_number(uow, exam.examinee_id, report.id_numbers)
    if report.masked_id_numbers:
        known = await examinees.numbers_shown(uow, exam.examinee_id)
        if any(shows_another(masked, known) for masked in report.masked_id_numbers):
            is_theirs = False
    number = exam_no_read(report.exam_no) if report.exam_no else None
    return Identity(
        report.exam_no if number is None or number not in over else None, names, report.patient_sex, report.patient_birth_date, is_theirs,
        await _names_another(uow, exam, report, over),
    )  # fmt: skip


async def _names_another(uow: UnitOfWork, exam: Exam, report: LabReport, over: Collection[str]) -> bool:
    """Say whether a number of a message, whatever it is called there, is that of another exam of ours, or of another examinee alone."""
    read = {one: exam_no_read(one) for one in dict.fromkeys(report.numbers[:_MOST_NUMBERS])}
    for number in {known for known in read.values() if known is not None} - {exam.exam_no, *over}:
        if await exams.find_by_no(uow, number) is not None:
            return True
    ours = await examinees.survivor_id(uow, exam.examinee_id)
    others = await examinees.holders(uow, [one for one, known in read.items() if known is None])
    return any(held and ours not in held for held in others)


def _groups(observations: Sequence[LabObservation], items: Mapping[str, Item]) -> list[_Group]:
    """Put together what was said of one item with one status at one moment."""
    parts: dict[tuple[object, ...], list[LabObservation]] = {}
    for o in observations:
        item = _item(items, o)
        parts.setdefault((item.id if item is not None else o.code, o.status, o.observed_at), []).append(o)
    return [_group(items, same) for same in parts.values()]


def _group(items: Mapping[str, Item], same: Sequence[LabObservation]) -> _Group:
    item = _item(items, same[0])
    disputed = {one.id: one for o in same for one in items_meant(items, o)} if item is None else {}
    return _Group(item, tuple(same), tuple(disputed.values()))


def _place(
    book: Book, lines: tuple[Sequence[ExamLine], Sequence[ExamLine]], result: LabResult, group: _Group, lost: dict[str, list[str]]
) -> tuple[ExamLine, Item, ResultStatus] | None:  # fmt: skip
    """Return where a group is to be filed, and under which status; None: nowhere, which `lost` says."""
    o = group.first
    line = _line(book, lines, result.group_code, group.item)
    status = LIS_STATUS.get(o.status or result.status)
    if group.disputed:
        _lose(lost, "codes-disagree", o.code)
    elif line == "specimen-rejected":
        _lose(lost, line, result.barcode or result.placer_no or o.code)
    elif group.item is None or isinstance(line, str) or status is None:
        _lose(lost, line if isinstance(line, str) else "status-not-filed", o.code)
    elif another_specimen(result.specimens, line.specimen) is not None:
        _lose(lost, "specimen-differs", o.code)
    else:
        return line, group.item, status
    return None


@dataclass(frozen=True, slots=True)
class _Saying:
    """What was said of one item of a line in one breath: by whom, under which status, when; `remarks` stand beside the whole report.

    `said_at` is the moment that it names, if it names one; `observed_at` and `issued_at` are bounded by its arrival.
    """

    line: ExamLine
    item: Item
    status: ResultStatus
    group: _Group
    said_at: datetime | None
    observed_at: datetime
    issued_at: datetime
    remarks: tuple[str, ...]
    filler_no: str | None
    amends: bool = False
    """Whether the value, or the report that it is in, is said to be a correction."""
    examined_by: str = ""
    verified_by: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """All remarks beside it."""
        return (*self.remarks, *dict.fromkeys(note for one in self.group.observations for note in one.remarks))

    def _beside(self, observation: LabObservation) -> tuple[str, ...]:
        """What a coded number says of itself besides: it may be the value as well."""
        return observation.other_words if self.item.kind in NUMBERS else ()

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Where its value may stand, each beside its unit: in the values; where these hold no number, in the words beside them."""
        said = tuple((text, o.unit) for o in self.group.observations for text in (o.raw_value, *self._beside(o)))
        return said if any(numbers_in(raw) for raw, _ in said) else tuple((note, said[0][1]) for note in self.notes)


def _saying(
    place: tuple[ExamLine, Item, ResultStatus],
    result: LabResult,
    group: _Group,
    told: _Told,
    remarks: tuple[str, ...],
    *,
    typed: bool,
) -> _Saying:
    (line, item, status), o = place, group.first
    said_at = _said_moment(result, o)
    issued_at = min(result.reported_at or told.sent_at, told.arrived_at)
    observed_at = min(said_at or told.sent_at, told.arrived_at)
    if status == "entered_in_error":
        if o.observed_at is None:
            # It does not say of which moment it speaks: of whatever was said until now.
            observed_at = max(observed_at, issued_at)
    elif (
        not typed
        and max(said_at or told.sent_at, result.reported_at or told.sent_at) > told.arrived_at + _CLOCKS_DIFFER
    ):
        # A wrong clock gives no moment that could outrank another: a believable one comes after it. Where another value was said before this
        # one arrived, a person decides between the two.
        observed_at, issued_at = datetime.combine(told.day, time.min, HOSPITAL_ZONE), told.arrived_at
    if status == "corrected":
        # Of two corrections of one moment the one that was sent later replaces the other, whatever the report says of when it was released.
        issued_at = min(max(issued_at, told.sent_at), told.arrived_at)
    amends = "corrected" in (status, LIS_STATUS.get(result.status))
    return _Saying(
        line, item, status, group, said_at, observed_at, issued_at, remarks, result.filler_no, amends,
        result.examined_by, result.verified_by,
    )  # fmt: skip


def _entries(uow: UnitOfWork, book: Book, said: _Saying, lost: dict[str, list[str]], told: _Told) -> list[Entry]:
    """Read what was said of an item; what could not be read is asked of a person, and what the laboratory calls critical alarms at once."""
    item, o = said.item, said.group.first
    others = told.units.get(item.id, ())
    units = [unit for unit in (item.unit, *(u.unit for u in others)) if unit]
    known = [*(item.choices or ()), *book.normal_texts(item)]
    measured, unread = put_together(item.kind, said.group.said, units, known)
    withdrawn = said.status == "entered_in_error"
    if withdrawn and (unread is not None or not measured):
        # It strikes whatever was said before, when it does not say which value was wrong.
        measured, unread = [Measured(Reading(Value("", "")), (0,))], None
    if not measured:
        # A correction to nothing takes something back, of which nobody knows whether it still stands.
        deletes = any(one.deletes for one in said.group.observations)
        emptied = (said.amends or deletes) and (
            said.status == "corrected" or book.now_at(said.line.id, item.id) is not None
        )
        if unread is None and not said.notes and not lab_critical(said.group.marks) and not emptied:
            _lose(lost, "no-value", o.code)
            return []
        _lose(lost, "value-unread", o.code)
        _ask_unread(
            uow,
            book,
            said,
            unread.raw if unread is not None else ("更正为空值" if said.amends else "删除该结果") if emptied else "",
            (),
            told,
        )
        return []
    found: list[tuple[Measured, Turned]] = []
    for one in measured:
        first = said.group.observations[one.orders[0]]
        turned = in_our_unit(one.reading, first.unit, item, others)
        if turned is None and withdrawn:
            # It takes back what nobody can compare with it: whatever was said before.
            turned = (Value("", ""), item.unit, None)
        if turned is None:
            # The same name is not the same analyte, and no factor is guessed: a person looks.
            _lose(lost, "unit-differs", o.code)
            _ask_unread(uow, book, said, f"{first.raw_value} {plain(first.unit)}", (first.raw_value, first.unit), told)
        else:
            found.append((one, turned))
    as_one, turnable = in_two_units(found), {one.orders for one, _ in found}
    values = [*(each for each, _ in as_one), *(one for one in measured if one.orders not in turnable)]
    return [_entry(book, said, values, one, turned, told) for one, turned in as_one]


def _ask_unread(
    uow: UnitOfWork, book: Book, said: _Saying, raw: str, told_apart_by: tuple[str, ...], told: _Told
) -> None:
    key = meaning(
        (
            said.line.id,
            said.item.id,
            said.status,
            said.said_at and said.said_at.timestamp(),
            *(told_apart_by or (raw,)),
        )
    )
    words = UnreadValue(
        raw=raw, key=key, said_at=said.issued_at, message_id=told.message_id, status=said.status, remarks=said.notes,
        lis_marks=said.group.marks, said=said.texts,
    )  # fmt: skip
    book.ask_unread(uow, (said.line, said.item), words)


def _entry(
    book: Book, said: _Saying, measured: Sequence[Measured], one: Measured, turned: Turned, told: _Told
) -> Entry:
    """Return what is recorded of one of the values that were measured: with its own remarks and flags, and those that belong to none."""
    (value, unit, conversion), item, observations = turned, said.item, said.group.observations
    first, leads = observations[one.orders[0]], one is measured[0]
    own = [observations[i] for i in one.orders]
    # Flags and remarks of observations that are no value of their own, such as a remark that is flagged, are the first value's.
    valued = {i for each in measured for i in each.orders}
    beside = [o for i, o in enumerate(observations) if leads and i not in valued]
    flags = [flag for each in (*own, *beside) for flag in each.abnormal_flags]
    marks = tuple(dict.fromkeys([*flags, *([one.reading.mark] if one.reading.mark else [])]))
    noted = dict.fromkeys(note for each in (*own, *beside) for note in each.remarks)
    remarks = (*one.remarks, *(said.remarks if leads else ()), *noted)
    doubt = said.status != "entered_in_error" and (
        doubted(value, item, told.last.get(item.code), book.exam.age_years)
        or unit_doubted(
            one.reading, (first.unit, first.range_text), item, told.units.get(item.id, ()), book.found_range(item), flags
        )
    )  # fmt: skip
    sub_id = ",".join(dict.fromkeys(each.sub_id for each in own))
    parts = (
        said.line.id, item.id, sub_id, said.status, said.said_at and said.said_at.timestamp(), value.text, said.issued_at.timestamp(),
        first.range_text, *marks, "", *remarks,
        # Said again beside a withdrawal, it stands beside that one too, whatever was said before.
        *(("beside a withdrawal",) if item.id in told.takes_back and said.status != "entered_in_error" else ()),
    )  # fmt: skip
    return Entry(
        line=said.line, item=item, code=said.group.first.code, status=said.status, value=value, unit=unit, conversion=conversion, observed_at=said.observed_at,
        issued_at=said.issued_at, source=LIS + told.source, meaning_key=meaning(parts), sub_id=sub_id, filler_no=said.filler_no,
        lis_range_text=without_dust(first.range_text) or None, lis_marks=marks, message_id=told.message_id, remarks=remarks, doubt=doubt,
        unit_said=bool(unit_said(first.unit) or unit_said(one.reading.unit)), methods=tuple(dict.fromkeys(word for o in own for word in o.methods)),
        examined_by=next((o.examined_by for o in own if o.examined_by), said.examined_by), verified_by=said.verified_by,
    )  # fmt: skip


def _line(
    book: Book, found: tuple[Sequence[ExamLine], Sequence[ExamLine]], group_code: str, item: Item | None
) -> ExamLine | str:
    """Return the line that an item is to be filed on, or why there is none."""
    lines, rejected = found
    if item is None:
        return "unknown-code"
    # Where a tube serves two groups that hold the item, the group they name comes first.
    named = sorted(lines, key=lambda line: line.code != group_code)
    holding = [line for line in named if book.holds(line, item)]
    if not holding:
        return "specimen-rejected" if any(book.holds(line, item) for line in rejected) else "item-not-ordered"
    return next((line for line in holding if book.live(line)), "line-not-live")
