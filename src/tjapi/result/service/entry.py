"""Departments enter and sign: values by hand, computed items, the summary and its signature."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from uuid import UUID

from tjapi.catalog.models import Item
from tjapi.catalog.rules import ItemKind
from tjapi.exam import service as exams
from tjapi.exam.models import ExamLine
from tjapi.exam.rules import LineState
from tjapi.identity import service as identity
from tjapi.kernel.problem import FieldError, PermissionMissing, PreconditionFailed
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.claims import rewritten
from tjapi.knowledge.composing import Composed
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.service import Knowledge
from tjapi.result import repository, views
from tjapi.result.errors import (
    DepartmentNotOwn,
    NothingToRevoke,
    ResultsClosed,
    SheetNotComplete,
    SheetNotFound,
    SheetNotSigned,
    SheetSigned,
    SignerNotStaff,
    SummaryContradictsFindings,
    SummaryFigureOutdated,
    SummaryNamesPrivate,
    SummaryStale,
    old_figure,
)
from tjapi.result.events import DerivedFollowed
from tjapi.result.events import SheetSigned as SheetWasSigned
from tjapi.result.formulas import FORMULAS
from tjapi.result.models import DepartmentSheet, DepartmentSheetLine, DepartmentSheetStep, HeldRevision
from tjapi.result.rules import SheetState
from tjapi.result.rules.confirming import told_of
from tjapi.result.rules.revisions import SETTLED
from tjapi.result.schemas import (
    ConfirmedOut,
    RangeOut,
    ResultIn,
    ResultsIn,
    RevokeIn,
    SheetItemOut,
    SheetOut,
    SignIn,
    SummaryIn,
)
from tjapi.result.service.accepting import check, kept
from tjapi.result.service.alarming import graves_of
from tjapi.result.service.book import Book, value_of
from tjapi.result.service.case import ground_of, known
from tjapi.result.service.claims import Truth, truth_of
from tjapi.result.service.clicking import coded_of, composed
from tjapi.result.service.computing import compute, record
from tjapi.result.service.reading import line_out, value_out
from tjapi.result.service.summarizing import (
    STALE,
    asked_of,
    calm_words,
    new_sheet,
    put_lines,
    sheet_sources,
    summarize,
    summarize_department,
    take_confirmed,
    text_of,
    untrue_words,
)

STAFF = "staff"
REOPEN = "conclusion.reopen"
"""Who may take back a final sign-off, and with it what any department entered: they read its sheet as well."""
_CLAUSE = re.compile(r"[,，。;；\n]")
_UNDER_WAY = ("checked_in", "in_progress", "sheet_returned", "ready_for_review", "in_review")
_BLOCK = "summary_unsigned"
# Lines that never came to the department are none of its business.
_NOT_HERE = ("ordered", "withdrawn", "substituted")
# Lines for which nobody enters anything any more, or not now.
_DONE_WITH = ("withdrawn", "substituted", "refused", "waived", "deferred")
_Place = tuple[ExamLine, Item]


@dataclass(frozen=True, slots=True)
class _Desk:
    """A department's part of one exam, read under the exam's lock."""

    book: Book
    sheet: DepartmentSheet | None
    lines: Sequence[ExamLine]
    summary: Sequence[DepartmentSheetLine]
    edition: Knowledge | None = None

    @property
    def version(self) -> int:
        return self.sheet.version if self.sheet is not None else 0

    @property
    def signed(self) -> bool:
        return self.sheet is not None and self.sheet.state == "signed"

    @property
    def complete(self) -> bool:
        """Whether every item of the department's live lines has a value."""
        live = [line for line in self.lines if self.book.live(line)]
        places = [(line, item) for line in live for item in self.book.items_of(line)]
        return bool(places) and all(
            self.book.now_at(line.id, item.id) is not None or self.book.absence(line, item) is not None
            for line, item in places
        )

    def said(self) -> list[Known]:
        """Return the department's current values, as rules and sentences see them; a summary tells nothing of what is private."""
        found = []
        for line in self.lines:
            for item in self.book.items_of(line) if self.book.live(line) and not line.private else ():
                now = self.book.now_at(line.id, item.id)
                if now is not None:
                    range_ = now.range_snapshot or {}
                    found.append(
                        known(
                            item.code, item.name, value_of(now), kind=item.kind, item_unit=item.unit, unit=now.unit, flag=self.book.flag_of(now),
                            result_id=now.result_id, department_id=now.department_id, revision_id=now.id,
                            bounds=(range_.get("low"), range_.get("high")), usual=range_.get("text") or now.lis_range_text or "",
                            judged=item.judged, usual_texts=range_.get("normal_texts") or (), marked=bool(now.lis_flags),
                            by_person=now.flag is None and self.book.flag_of(now) is not None, remarks=now.remarks, coded=now.coded,
                        )
                    )  # fmt: skip
        return found

    @property
    def private(self) -> set[UUID]:
        """The results of the department's private lines."""
        places = [(line.id, item.id) for line in self.lines if line.private for item in self.book.items_of(line)]
        return {now.result_id for place in places if (now := self.book.now_at(*place)) is not None}

    def text(self, lines: Sequence[DepartmentSheetLine], *, complete: bool) -> str:
        """Return the summary that lines make: it names what is critical of the department's own values."""
        values = self.said()
        case: dict[str, Known] = {}
        repeats: dict[str, list[Known]] = {}
        for one in values:
            if one.item_code in case:
                repeats.setdefault(one.item_code, []).append(one)
            else:
                case[one.item_code] = one
        exam = self.book.exam
        own = Case(exam.sex, exam.age_years, case, {}, repeats, bool(exam.pregnant), exam.age_days)
        told = [line for line in lines if self.private.isdisjoint(line.result_ids or ())]
        return text_of(told, values, complete=complete, grave=graves_of(self.edition, own) if self.edition else ())

    def entered(self) -> list[_Place]:
        """Return the items that the department answers for: those of its live lines that no laboratory carries out."""
        own = [line for line in self.lines if line.performed_by == "department" and self.book.live(line)]
        return [(line, item) for line in own for item in self.book.items_of(line)]


async def get_sheet(uow: UnitOfWork, exam_id: UUID, department_id: int) -> SheetOut:
    """Return a department's sheet, to whoever may change it: of their own department, or of any where they may revoke its results.

    Raises ExamNotFound, DepartmentNotOwn, SheetNotFound.
    """
    exam = await exams.get(uow, exam_id)
    if not uow.principal.may(REOPEN):
        await _only_own(uow, exam_id, exam.campus_id, department_id)
    async with uow.for_every_department():
        sheet = _out(await _desk(uow, await Book.read(uow, exam), department_id), exam_id, department_id)
        sheet.summary = await views.open_words(uow, exam_id, department_id, sheet.summary)
        return sheet


async def put_results(uow: UnitOfWork, exam_id: UUID, department_id: int, given: ResultsIn, expected: int) -> SheetOut:
    """Enter values; computed items follow. Unchanged values make no revision.

    Zero input (零输入): with `fill_defaults` every item of the department that nobody has ever said anything of gets its normal default.
    An item that was entered and cleared stays empty: somebody meant that.

    Raises ExamNotFound, DepartmentNotOwn, SheetNotFound, PreconditionFailed, ResultsClosed, SheetSigned, ResultsInvalid, LineUnsuitable.
    """
    desk = await _open(uow, exam_id, department_id, expected)
    if desk.signed:
        raise SheetSigned
    places: dict[UUID, list[_Place]] = {}
    for line, item in desk.entered():
        places.setdefault(item.id, []).append((line, item))
    from_lis = {item.id for line in desk.lines if line.performed_by == "lis" for item in desk.book.items_of(line)}
    items = {item_id: found[0][1] for item_id, found in places.items()}
    compared = {
        items[one.item_id].code for one in given.results if one.item_id in items and items[one.item_id].delta_percent
    }
    last = await views.last_numbers(uow, desk.book.exam, compared) if compared else {}
    doubted = await exams.unsuitable(uow, exam_id)
    exams.refuse_unsuitable(
        [
            (f"/results/{i}", line)
            for i, one in enumerate(given.results)
            if one.value is not None
            for line, _ in places.get(one.item_id, ())
        ],
        doubted,
    )
    written = await composed(uow, items, given)
    given = given.model_copy(update={"results": [_written(one, written) for one in given.results]})
    check(items, from_lis, given, last, desk.book.exam.age_years)
    entered = 0
    for one in given.results:
        coded = coded_of(one.coded, written[one.item_id]) if one.coded is not None else None
        remarks = ([one.remark] if one.remark else []) if "remark" in one.model_fields_set else None
        said = _Typed(one.value, one.kept_because, remarks, coded)
        for place in places[one.item_id]:
            entered += _enter(uow, desk.book, place, replace(said, value=kept(place[1], one.value)))
    if given.fill_defaults:
        entered += _fill(uow, desk, doubted)
    compute(uow, desk.book, (line for line, _ in desk.entered()))
    sheet = _touch(uow, desk, department_id)
    await uow.audit(
        "result.entered",
        "department_sheet",
        f"{exam_id}/{department_id}",
        campus_id=sheet.campus_id,
        detail={"changed": entered},
    )
    await desk.book.close(uow)
    summary = await summarize_department(uow, desk.book.exam, department_id, desk.summary, sheet)
    await _followed(uow, sheet)
    await uow.announce("result", {"exam_id": str(exam_id)}, campus_id=sheet.campus_id, permission="result.read")
    return _out(replace(desk, sheet=sheet, summary=summary), exam_id, department_id)


async def sign_sheet(uow: UnitOfWork, exam_id: UUID, department_id: int, given: SignIn, expected: int) -> SheetOut:
    """Sign what was entered: it becomes final, the department's lines are verified, its reason against the review is cleared.

    The summary is what the lines make, unless somebody wrote another one: that stands while it rests on what is known, and is asked for
    anew once it does not.

    Raises ExamNotFound, DepartmentNotOwn, SignerNotStaff, SheetNotFound, PreconditionFailed, ResultsClosed, SheetSigned, SheetNotComplete,
    SummaryContradictsFindings, SummaryStale, SummaryFigureOutdated, SummaryNamesPrivate, LineUnsuitable, WordsUnconfirmed.
    """
    _only_staff(uow)
    desk = await _open(uow, exam_id, department_id, expected)
    if desk.signed:
        raise SheetSigned
    book = desk.book
    doubted = await exams.unsuitable(uow, exam_id)
    own = {line.id: line for line in desk.lines if line.performed_by == "department" and book.live(line)}
    exams.refuse_unsuitable([(f"line:{line.id}", line) for line in own.values()], doubted)
    if given.fill_defaults:
        _fill(uow, desk, doubted)
        compute(uow, book, (line for line, _ in desk.entered()))
    missing = [
        (line, item)
        for line, item in desk.entered()
        if book.now_at(line.id, item.id) is None and book.absence(line, item) is None
    ]
    if missing:
        given_up = {(q.line_id, q.item_id) for q in await repository.questions_of(uow, exam_id) if q.gives_up}
        missing = [(line, item) for line, item in missing if (line.id, item.id) not in given_up]
    if missing:
        raise SheetNotComplete(
            errors=[FieldError(f"item:{item.id}", "missing", f"{line.name}/{item.name}:没有结果", f"{line.name}/{item.name}: no value") for line, item in missing]
        )  # fmt: skip
    for line, item in desk.entered():
        now = book.now_at(line.id, item.id)
        if now is not None and now.status not in SETTLED:
            record(uow, book, (line, item), now.raw_value, "final", now.source, now.reason, now.remarks, now.coded)
    # The lines as they are after zero input; then the signature covers them.
    await book.close(uow)
    sheet = _touch(uow, desk, department_id)
    lines = await summarize_department(uow, book.exam, department_id, desk.summary, sheet)
    values = desk.said()
    written = given.summary if given.summary is not None else sheet.summary if sheet.by_hand else ""
    _refuse_private(desk, [("/summary", written), *((f"line:{line.id}", line.text) for line in lines if (line.origin == "manual" or line.edited) and not (line.removed or line.private))])  # fmt: skip
    ground = await ground_of(uow, book.exam)
    _refuse_stale(lines, sheet, given)
    truth = await truth_of(uow, exam_id, ground)
    _refuse_words(lines, written, values, truth)
    made = desk.text(lines, complete=True)
    by_hand = written if written != made else ""
    await take_confirmed(uow, lines, sheet, asked_of(lines, by_hand, truth, [made]), given.confirmed)
    if given.summary is not None:
        sheet.summary, sheet.by_hand = given.summary, given.summary != made
    elif not sheet.by_hand:
        sheet.summary = made
    sheet.made_of, sheet.stale = sheet_sources(ground, department_id, lines).digest, False
    sheet.state, sheet.signed_by, sheet.signed_at = "signed", uow.principal.id, uow.now
    sheet.signer_name = await identity.staff_name(uow, uow.principal.id)
    _step(uow, sheet, "signed", None)
    await uow.audit(
        "department_sheet.signed", "department_sheet", f"{exam_id}/{department_id}", campus_id=sheet.campus_id
    )
    # Values moved a line to resulted; one without items comes straight from released.
    ways: dict[str, Sequence[str]] = {"verified": (), "resulted": ("verified",)}
    await exams.advance(
        uow, exam_id, {line_id: ways.get(line.state, ("resulted", "verified")) for line_id, line in own.items()}
    )
    await exams.unblock(uow, exam_id, _BLOCK, f"department:{department_id}")
    await exams.unblock(uow, exam_id, STALE, f"department:{department_id}")
    await _followed(uow, sheet)
    await uow.publish(SheetWasSigned(campus_id=sheet.campus_id, exam_id=exam_id, department_id=department_id))
    return _out(replace(desk, sheet=sheet, summary=lines), exam_id, department_id)


async def reopen_sheet(uow: UnitOfWork, exam_id: UUID, department_id: int, reason: str, expected: int) -> SheetOut:
    """Take a signature back. Raises ExamNotFound, DepartmentNotOwn, SheetNotFound, PreconditionFailed, ResultsClosed, SheetNotSigned."""
    desk = await _open(uow, exam_id, department_id, expected)
    if not desk.signed:
        raise SheetNotSigned
    sheet = await _take_back(uow, desk, department_id, "reopened", reason)
    summary = await summarize_department(uow, desk.book.exam, department_id, desk.summary, sheet)
    await _followed(uow, sheet)
    return _out(replace(desk, sheet=sheet, summary=summary), exam_id, department_id)


async def revoke_results(
    uow: UnitOfWork, exam_id: UUID, department_id: int, given: RevokeIn, expected: int
) -> SheetOut:
    """Strike what a department entered of a person, all or some items, to be entered anew: the old revisions stay, the signature ends.

    Of a finalized exam the final sign-off and a published report are taken back by the same act. Who may do that answers for every
    department, anybody else for their own. What a laboratory said is taken back by the laboratory.

    Raises ExamNotFound, DepartmentNotOwn, SignerNotStaff, SheetNotFound, PreconditionFailed, ResultsClosed, NothingToRevoke,
    PermissionMissing.
    """
    _only_staff(uow)
    exam = await exams.lock(uow, exam_id)
    if not uow.principal.may(REOPEN):
        await _only_own(uow, exam_id, exam.campus_id, department_id)
        if exam.state == "finalized":
            raise PermissionMissing(REOPEN)
    async with uow.for_every_department():
        desk = await _desk(uow, await Book.read(uow, exam), department_id)
        if expected != desk.version:
            raise PreconditionFailed
        if exam.state == "finalized":
            await exams.reopen(uow, exam_id, given.reason)
            # What came while it was finalized may have made the sheet stale by now.
            desk = await _desk(uow, desk.book, department_id)
        if exam.state not in _UNDER_WAY:
            raise ResultsClosed("体检当前为「{current}」", "The exam is {current}", current=exam.state)
        desk, sheet = await _revoke(uow, desk, department_id, given)
        summary = await summarize_department(uow, exam, department_id, desk.summary, sheet)
        await _followed(uow, sheet)
    return _out(replace(desk, sheet=sheet, summary=summary), exam_id, department_id)


async def _revoke(uow: UnitOfWork, desk: _Desk, department_id: int, given: RevokeIn) -> tuple[_Desk, DepartmentSheet]:
    wanted = set(given.item_ids or ())
    places = [
        (line, item)
        for line, item in desk.entered()
        if desk.book.now_at(line.id, item.id) is not None and (not wanted or item.id in wanted)
    ]
    if not places or wanted - {item.id for _, item in places}:
        raise NothingToRevoke
    if desk.signed:
        sheet = await _take_back(uow, desk, department_id, "revoked", given.reason)
    else:
        sheet = _touch(uow, desk, department_id)
        _step(uow, sheet, "revoked", given.reason)
    for place in places:
        record(uow, desk.book, place, "", "entered_in_error", STAFF)
    compute(uow, desk.book, (line for line, _ in desk.entered()))
    where = f"{desk.book.exam.id}/{department_id}"
    detail = {"items": len(places)}
    await uow.audit("result.revoked", "department_sheet", where, campus_id=sheet.campus_id, detail=detail)
    await desk.book.close(uow)
    return desk, sheet


async def _take_back(
    uow: UnitOfWork, desk: _Desk, department_id: int, action: Literal["reopened", "revoked"], reason: str
) -> DepartmentSheet:
    """Take a signature back: the lines are verified no more, and the exam waits for the department."""
    exam_id = desk.book.exam.id
    sheet = _touch(uow, desk, department_id)
    _step(uow, sheet, action, reason)
    sheet.state, sheet.signed_by, sheet.signed_at, sheet.signer_name = "draft", None, None, None
    await uow.audit(
        f"department_sheet.{action}", "department_sheet", f"{exam_id}/{department_id}", campus_id=sheet.campus_id
    )
    verified = [line for line in desk.lines if line.performed_by == "department" and line.state == "verified"]
    await exams.advance(uow, exam_id, {line.id: ("resulted",) for line in verified})
    await exams.block(uow, exam_id, _BLOCK, f"department:{department_id}")
    return sheet


async def _followed(uow: UnitOfWork, sheet: DepartmentSheet) -> None:
    await uow.publish(DerivedFollowed(campus_id=sheet.campus_id, exam_id=sheet.exam_id))


async def put_summary(uow: UnitOfWork, exam_id: UUID, department_id: int, given: SummaryIn, expected: int) -> SheetOut:
    """Edit the lines of a department's summary.

    Raises ExamNotFound, DepartmentNotOwn, SheetNotFound, PreconditionFailed, ResultsClosed, SheetSigned, SummaryNamesPrivate, SummaryLineUnknown,
    SummaryFigureOutdated.
    """
    desk = await _open(uow, exam_id, department_id, expected)
    if desk.signed:
        raise SheetSigned
    shown = {line.id: line for line in desk.summary}
    _refuse_private(
        desk,
        [
            (f"/lines/{i}/text", one.text)
            for i, one in enumerate(given.lines)
            if one.id not in shown or not (shown[one.id].private or shown[one.id].text == one.text)
        ],
    )
    await put_lines(uow, desk.book.exam, department_id, given.lines)
    sheet = _touch(uow, desk, department_id)
    await uow.session.flush()
    lines = await repository.sheet_lines(uow, exam_id, department_id)
    await summarize_department(uow, desk.book.exam, department_id, lines, sheet)
    await uow.audit(
        "department_summary.edited", "department_sheet", f"{exam_id}/{department_id}", campus_id=sheet.campus_id,
        detail={"lines": len(given.lines)},
    )  # fmt: skip
    await _followed(uow, sheet)
    return _out(await _desk(uow, desk.book, department_id), exam_id, department_id)


async def plan_sheets(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """Departments that carry out released lines must sign before the exam is complete.

    A signature given before these lines came stays on what it was given for; the department takes it back itself to enter the new
    ones, and until then the exam is not complete.
    """
    wanted = set(line_ids)
    lines = [x for x in await exams.lines(uow, exam_id) if x.id in wanted]
    for department_id in sorted({x.department_id for x in lines if x.performed_by == "department"}):
        await exams.block(uow, exam_id, _BLOCK, f"department:{department_id}")
    async with uow.for_every_department():
        await _move_on(uow, exam_id, {x.department_id for x in lines})


async def _move_on(uow: UnitOfWork, exam_id: UUID, department_ids: Collection[int]) -> None:
    """A sheet that was begun shows other lines now: who read it before that has not seen them."""
    written = {sheet.department_id for sheet in await repository.sheets(uow, exam_id)} & set(department_ids)
    if written:
        await summarize(uow, await exams.lock(uow, exam_id), written)


async def plan_sheets_of_many(uow: UnitOfWork, released: Sequence[tuple[UUID, Iterable[UUID]]]) -> None:
    """Plan as `plan_sheets` does for many exams, each its id and lines: those that have not begun, in few statements."""
    found = await exams.ordered(uow, [line_id for _, line_ids in released for line_id in line_ids])
    new = {exam.id for exam in found if exam.state == "prepared"}
    await exams.block_many(
        uow,
        [
            (exam.id, exam.campus_id, _BLOCK, f"department:{department_id}")
            for exam in found
            if exam.id in new
            for department_id in sorted({x.department_id for x in exam.lines if x.performed_by == "department"})
        ],
    )
    for exam_id, line_ids in released:
        if exam_id not in new:
            await plan_sheets(uow, exam_id, line_ids)


async def drop_sheets(uow: UnitOfWork, exam_id: UUID, line_ids: Iterable[UUID]) -> None:
    """A department that has nothing left to do, or has signed for all that is left, is not waited for."""
    gone = set(line_ids)
    every = await exams.lines(uow, exam_id)
    lines = [line for line in every if line.performed_by == "department"]
    for department_id in sorted({line.department_id for line in lines if line.id in gone}):
        left = [line for line in lines if line.department_id == department_id and line.state not in _DONE_WITH]
        sheet = await repository.sheet(uow, exam_id, department_id)
        signed = sheet is not None and sheet.state == "signed"
        if not left or (signed and all(line.state == "verified" for line in left)):
            await exams.unblock(uow, exam_id, _BLOCK, f"department:{department_id}")
    async with uow.for_every_department():
        await _move_on(uow, exam_id, {line.department_id for line in every if line.id in gone})


async def _open(uow: UnitOfWork, exam_id: UUID, department_id: int, expected: int) -> _Desk:
    exam = await exams.lock(uow, exam_id)
    await _only_own(uow, exam_id, exam.campus_id, department_id)
    desk = await _desk(uow, await Book.read(uow, exam), department_id)
    if desk.version != expected:
        raise PreconditionFailed
    if exam.state not in _UNDER_WAY:
        raise ResultsClosed("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    return desk


async def _desk(uow: UnitOfWork, book: Book, department_id: int) -> _Desk:
    lines = [
        line for line in book.lines.values() if line.department_id == department_id and line.state not in _NOT_HERE
    ]
    if not lines:
        raise SheetNotFound
    exam_id = book.exam.id
    sheet = await repository.sheet(uow, exam_id, department_id)
    # Only looked at: what is critical of the department's values is named in its summary.
    version = book.exam.knowledge_version_id
    edition = await knowledge.edition(uow, version) if version is not None else await knowledge.active(uow)
    return _Desk(book, sheet, lines, await repository.sheet_lines(uow, exam_id, department_id), edition)


async def _only_own(uow: UnitOfWork, exam_id: UUID, campus_id: int, department_id: int) -> None:
    held = uow.principal.departments
    if held is None or department_id in held:
        return
    await uow.audit("access.refused", "department_sheet", f"{exam_id}/{department_id}", campus_id=campus_id)
    raise DepartmentNotOwn().kept()


def _refuse_stale(lines: Sequence[DepartmentSheetLine], sheet: DepartmentSheet, given: SignIn) -> None:
    """Nobody signs what rests on other values: the one guard of a department's signature."""
    wrong = [
        FieldError(
            f"line:{line.id}", "stale", "所依据的结果已变化,请修改或确认", "rests on other values; change or confirm it"
        )
        for line in lines
        # What is wrong with a line by hand is its words: they are refused by name.
        if line.stale and not line.removed and line.origin != "manual"
    ]
    # A form sends back what it showed: the same words stand only where somebody says so.
    again = given.summary is None or not (given.summary_confirmed or rewritten(sheet.summary, given.summary))
    if sheet.stale and again:
        wrong.append(
            FieldError("/summary", "stale", "小结按原结果撰写,请重新填写", "written on other values; write it anew")
        )
    if wrong:
        raise SummaryStale(errors=wrong)


def _refuse_words(
    lines: Sequence[DepartmentSheetLine],
    written: str,
    values: Sequence[Known],
    truth: Truth,
) -> None:
    """Nobody signs words that call normal what is not, or what nobody examined, or that tell of results what none of them says any more."""
    if calm := calm_words(lines, written, values, truth):
        raise SummaryContradictsFindings(errors=calm)
    if old := untrue_words(lines, written, truth):
        raise SummaryFigureOutdated(errors=[old_figure(place) for place in old])


def _refuse_private(desk: _Desk, said: Iterable[tuple[str, str]]) -> None:
    """Nobody writes into a summary, which is on the main report, what was found of a private item. Raises SummaryNamesPrivate."""
    named = [line for line in desk.lines if line.private]
    words = {word.casefold() for line in named for word in (line.code, line.name)}
    words |= {word.casefold() for line in named for item in desk.book.items_of(line) for word in (item.code, item.name)}
    wrong = [place for place, text in said if any(word in text.casefold() for word in words)]
    if wrong:
        raise SummaryNamesPrivate(
            errors=[FieldError(place, "private", "写有私密项目,请删去", "names a private item; take it out") for place in wrong]
        )  # fmt: skip


def _only_staff(uow: UnitOfWork) -> None:
    if uow.principal.kind != "staff":
        raise SignerNotStaff


def _touch(uow: UnitOfWork, desk: _Desk, department_id: int) -> DepartmentSheet:
    """Return the sheet under its next version, making it at the first entry."""
    sheet = desk.sheet
    if sheet is None:
        sheet = new_sheet(desk.book.exam, department_id)
        uow.session.add(sheet)
    sheet.version += 1
    return sheet


def _step(
    uow: UnitOfWork, sheet: DepartmentSheet, action: Literal["signed", "reopened", "revoked"], reason: str | None
) -> None:
    uow.session.add(
        DepartmentSheetStep(
            exam_id=sheet.exam_id, department_id=sheet.department_id, version=sheet.version, campus_id=sheet.campus_id, action=action,
            summary=sheet.summary, reason=reason, by=uow.principal.id, by_name=uow.principal.name, at=uow.now,
        )
    )  # fmt: skip


def _fill(uow: UnitOfWork, desk: _Desk, doubted: Collection[UUID]) -> int:
    """Give every untouched item its normal default, but for lines that do not suit the person; return how many."""
    untouched = [
        (line, item)
        for line, item in desk.entered()
        if line.id not in doubted
        and item.normal_default
        and item.code not in FORMULAS
        and desk.book.result_id(line.id, item.id) is None
    ]
    return sum(_enter(uow, desk.book, place, _Typed(place[1].normal_default)) for place in untouched)


@dataclass(frozen=True, slots=True)
class _Typed:
    """What a person entered of an item: a value, why it stands, remarks beside it (None: nothing was said of these), and what its text was composed of."""

    value: str | None
    reason: str | None = None
    remarks: list[str] | None = None
    coded: dict[str, Any] | None = None

    def beside(self, now: HeldRevision | None) -> "_Typed":
        """Return it with what it leaves as it stands: remarks of which nothing was said, and the codes of words that nobody edited."""
        if now is None:
            return self
        same_words = self.coded is None and self.value == now.raw_value
        return replace(
            self, remarks=list(now.remarks) if self.remarks is None else self.remarks, coded=now.coded if same_words else self.coded
        )  # fmt: skip

    def is_said_by(self, now: HeldRevision) -> bool:
        """Say whether it is what stands."""
        return (now.raw_value, list(now.remarks), now.coded) == (self.value, self.remarks or [], self.coded)


def _written(one: ResultIn, written: Mapping[UUID, Composed]) -> ResultIn:
    """Return a result whose clicks are its text."""
    return one if one.coded is None else one.model_copy(update={"value": written[one.item_id].text})


def _enter(uow: UnitOfWork, book: Book, place: _Place, said: _Typed) -> bool:
    """Bring an item to what was entered; says whether anything changed."""
    line, item = place
    now = book.now_at(line.id, item.id)
    said = said.beside(now)
    if now is None and said.value is None:
        return False
    if now is not None and said.is_said_by(now):
        return False
    if said.value is None:
        record(uow, book, place, "", "entered_in_error", STAFF)
    else:
        # What was signed once is corrected; before, it is a draft.
        corrects = now is not None and now.status in SETTLED
        record(uow, book, place, said.value, "corrected" if corrects else "preliminary", STAFF, said.reason, said.remarks or [], said.coded)  # fmt: skip
    return True


def _out(desk: _Desk, exam_id: UUID, department_id: int) -> SheetOut:
    sheet, book = desk.sheet, desk.book
    items = []
    for line in desk.lines:
        for item in book.items_of(line):
            now, normal = book.now_at(line.id, item.id), book.range_of(item)
            why = book.absence(line, item)
            items.append(
                SheetItemOut(
                    line_id=line.id, line_name=line.name, line_state=cast("LineState", line.state), item_id=item.id, item_code=item.code,
                    item_name=item.name, kind=cast("ItemKind", item.kind), unit=item.unit, choices=item.choices,
                    normal_default=item.normal_default, entered_here=line.performed_by == "department" and item.code not in FORMULAS,
                    result_id=book.result_id(line.id, item.id), range=RangeOut.model_validate(normal) if normal else None,
                    current=value_out(now, book.flag_of(now)) if now is not None else None,
                    no_value_because=why.zh if why is not None else None, no_value_because_en=why.en if why is not None else None,
                )
            )  # fmt: skip
    return SheetOut(
        exam_id=exam_id, department_id=department_id, version=desk.version,
        state=cast("SheetState", sheet.state if sheet else "draft"), summary=sheet.summary if sheet else "",
        stale=sheet.stale if sheet else False, lines=[line_out(line) for line in desk.summary if not line.removed],
        proposed_summary=desk.text(desk.summary, complete=desk.complete), signed_by=sheet.signed_by if sheet else None, signer_name=sheet.signer_name if sheet else None,
        signed_at=sheet.signed_at if sheet else None, items=items,
        asked=list(sheet.asked or ()) if sheet else [], confirmed=[ConfirmedOut.model_validate(one) for one in told_of(sheet.confirmed or (), private=any(line.private for line in desk.summary))] if sheet else [],
    )  # fmt: skip
