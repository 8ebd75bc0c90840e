"""The results of one exam under its lock, and what is being added to them. Every path that records a value goes through here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemRange
from tjapi.exam import service as exams
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import LIVE_FOR_RESULTS
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.events import ResultArrivedLate, ResultsRecorded, RevisionsAdded
from tjapi.result.formulas import FORMULAS
from tjapi.result.models import HeldResult, HeldRevision
from tjapi.result.rules.flags import Range, flag_of, snapshot
from tjapi.result.rules.revisions import Fact, ResultStatus, contested, current, line_target, rivals
from tjapi.result.rules.values import Value, parse
from tjapi.result.service import case

LIS = "lis:"
Addition = Literal["filed", "revision", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value to be recorded. `meaning_key` None: recorded without asking whether the same was said before."""

    line: ExamLine
    item: Item
    status: ResultStatus
    value: Value
    unit: str | None
    observed_at: datetime
    issued_at: datetime
    source: str
    meaning_key: str | None = None
    sub_id: str = ""
    filler_no: str | None = None
    conversion: dict[str, str] | None = None
    lis_range_text: str | None = None
    lis_flags: str | None = None
    message_id: UUID | None = None


class Book:
    """What is known of one locked exam's results. `open` locks, `add` records, `close` writes and tells."""

    def __init__(
        self,
        exam: Exam,
        lines: Sequence[ExamLine],
        items: dict[UUID, list[Item]],
        ranges: dict[UUID, ItemRange],
        results: Sequence[HeldResult],
        revisions: Sequence[HeldRevision],
    ) -> None:
        self.exam = exam
        self.lines = {line.id: line for line in lines}
        self._items = items
        self._item_ids = {group_id: frozenset(item.id for item in held) for group_id, held in items.items()}
        self._ranges = ranges
        self._results = {(r.line_id, r.item_id): r for r in results}
        self._revisions: dict[UUID, list[HeldRevision]] = {r.id: [] for r in results}
        for revision in revisions:
            self._revisions[revision.result_id].append(revision)
        self._before = {r.id: r.current_revision_id for r in results}
        self._new_results: list[HeldResult] = []
        self._new_revisions: list[HeldRevision] = []
        self._touched: set[UUID] = set()
        self._facts: dict[UUID, Fact] = {}

    @classmethod
    async def open(cls, uow: UnitOfWork, exam_id: UUID) -> "Book":
        """Lock an exam and read its results. Raises ExamNotFound."""
        return await cls.read(uow, await exams.lock(uow, exam_id))

    @classmethod
    async def read(cls, uow: UnitOfWork, exam: Exam) -> "Book":
        """Read the results of an exam that is locked, or that is only looked at."""
        lines = await exams.lines(uow, exam.id)
        items = await catalog.group_items(uow, {line.item_group_id for line in lines})
        wanted = {item.id for group in items.values() for item in group}
        ranges = await catalog.choose_ranges(uow, wanted, exam.sex, exam.birth_date, exam.exam_date)
        results = await repository.results(uow, exam.id)
        return cls(exam, lines, items, ranges, results, await repository.revisions_of_exam(uow, exam.id))

    def items_of(self, line: ExamLine) -> list[Item]:
        """Return the items of a line, in order."""
        return self._items.get(line.item_group_id, [])

    def holds(self, line: ExamLine, item: Item) -> bool:
        """Say whether an item is one of a line's."""
        return item.id in self._item_ids.get(line.item_group_id, ())

    def live(self, line: ExamLine) -> bool:
        """Say whether results may be recorded on a line."""
        return self.exam.state != "cancelled" and line.state in LIVE_FOR_RESULTS

    def now_at(self, line_id: UUID, item_id: UUID) -> HeldRevision | None:
        """Return the current revision of an item of a line."""
        result = self._results.get((line_id, item_id))
        return self._current(result) if result is not None else None

    def said_by(self, line_id: UUID, item_id: UUID, source: str) -> bool:
        """Say whether a source (`lis:`: any laboratory) ever said anything of an item."""
        result = self._results.get((line_id, item_id))
        return result is not None and any(r.source.startswith(source) for r in self._revisions[result.id])

    def last_moment(self, line_id: UUID, item_id: UUID) -> datetime | None:
        """Return when an item was last observed."""
        result = self._results.get((line_id, item_id))
        return max((r.observed_at for r in self._revisions[result.id]), default=None) if result is not None else None

    def result_id(self, line_id: UUID, item_id: UUID) -> UUID | None:
        """Return the id of an item's result, if anything was ever said of it."""
        result = self._results.get((line_id, item_id))
        return result.id if result is not None else None

    def range_of(self, item: Item) -> dict[str, object] | None:
        """Return the range that applies to an item of this person on this day, as it is kept beside a value."""
        found = self._ranges.get(item.id)
        if found is None:
            return None
        return range_snapshot(found)

    def add(self, uow: UnitOfWork, entry: Entry) -> Addition:
        """Record a value: a first one is filed, a further one a revision, one that says what was said before a duplicate."""
        key = (entry.line.id, entry.item.id)
        result = self._results.get(key)
        first = result is None
        if result is None:
            result = HeldResult(
                id=uuid7(), campus_id=self.exam.campus_id, exam_id=self.exam.id, line_id=entry.line.id, item_id=entry.item.id,
                item_code=entry.item.code, item_name=entry.item.name, unit=entry.item.unit, department_id=entry.line.department_id,
                current_revision_id=None,
            )  # fmt: skip
            self._results[key] = result
            self._revisions[result.id] = []
            self._before[result.id] = None
            self._new_results.append(result)
        said = self._revisions[result.id]
        if entry.meaning_key is not None and any(r.meaning_key == entry.meaning_key for r in said):
            return "duplicate"
        revision = self._revision(uow, result, entry, len(said) + 1)
        said.append(revision)
        self._new_revisions.append(revision)
        self._touched.add(entry.line.id)
        return "filed" if first else "revision"

    def contested(self, line_id: UUID, item_id: UUID) -> bool:
        """Say whether final values contradict each other."""
        result = self._results.get((line_id, item_id))
        return result is not None and contested(self._facts_of(result.id))

    async def close(self, uow: UnitOfWork) -> None:
        """Write what was added, move the lines, and say what changed. Lines of a finalized exam stay: its report is what it is."""
        added = {r.result_id: r for r in self._new_revisions}
        changed: list[HeldResult] = []
        for result in self._results.values():
            if result.id in added:
                now = self._current(result)
                result.current_revision_id = now.id if now is not None else None
                if result.current_revision_id != self._before[result.id]:
                    changed.append(result)
        new = {result.id for result in self._new_results}
        moved = [result for result in changed if result.id not in new]
        await repository.add(uow, self._new_results, self._new_revisions, moved)
        case.changed(uow, self.exam.id)
        finalized = self.exam.state == "finalized"
        if not finalized:
            await self._settle(uow, self._touched)
        if changed:
            ids = tuple(result.id for result in changed)
            await uow.publish(ResultsRecorded(campus_id=self.exam.campus_id, exam_id=self.exam.id, result_ids=ids))
        if added:
            await self._tell(uow, [result for result in self._results.values() if result.id in added])
        if finalized:
            for result_id, revision in added.items():
                await uow.publish(
                    ResultArrivedLate(
                        campus_id=self.exam.campus_id,
                        exam_id=self.exam.id,
                        result_id=result_id,
                        revision_id=revision.id,
                    )
                )

    async def _tell(self, uow: UnitOfWork, added: Sequence[HeldResult]) -> None:
        beside = {fact.id for result_id in self._revisions for fact in rivals(self._facts_of(result_id))}
        current_ids = {result.current_revision_id for result in self._results.values()}
        passed_over = tuple(
            r.id
            for r in self._new_revisions
            if r.status != "entered_in_error" and r.id not in current_ids and r.id not in beside
        )
        await uow.publish(
            RevisionsAdded(
                campus_id=self.exam.campus_id, exam_id=self.exam.id, result_ids=tuple(r.id for r in added),
                item_codes=tuple(sorted({r.item_code for r in added})), beside=tuple(sorted(beside)), passed_over=passed_over,
            )
        )  # fmt: skip

    async def _settle(self, uow: UnitOfWork, line_ids: Iterable[UUID]) -> None:
        ways: dict[UUID, Sequence[str]] = {}
        for line in (line for line in self.lines.values() if line.id in line_ids):
            # What is computed of a laboratory's values may have no value at all (out of its domain): nothing waits for it.
            awaited = [i for i in self.items_of(line) if line.performed_by != "lis" or i.code not in FORMULAS]
            now = [self.now_at(line.id, item.id) for item in awaited]
            statuses = [r.status if r is not None else None for r in now]
            ways[line.id] = line_target(line.state, statuses, verify=line.performed_by == "lis")
        await exams.advance(uow, self.exam.id, ways)

    def _current(self, result: HeldResult) -> HeldRevision | None:
        chosen = current(self._facts_of(result.id))
        return None if chosen is None else next(r for r in self._revisions[result.id] if r.id == chosen.id)

    def _facts_of(self, result_id: UUID) -> list[Fact]:
        """Return what was said of a result as facts; a revision never changes, so each becomes one once."""
        said = self._revisions[result_id]
        for revision in said:
            if revision.id not in self._facts:
                self._facts[revision.id] = _fact(revision)
        return [self._facts[revision.id] for revision in said]

    def _revision(self, uow: UnitOfWork, result: HeldResult, entry: Entry, seq: int) -> HeldRevision:
        found = self._ranges.get(entry.item.id)
        normal = range_rules(found) if found is not None else None
        struck = entry.status == "entered_in_error"
        said = flag_of(entry.item.kind, entry.value, normal)
        return HeldRevision(
            id=uuid7(), campus_id=result.campus_id, result_id=result.id, exam_id=result.exam_id, department_id=result.department_id,
            seq=seq, status=entry.status, raw_value=entry.value.raw, comparator=entry.value.comparator, numeric=entry.value.numeric,
            text=entry.value.text, unit=entry.unit, flag=None if struck else said,
            range_snapshot=self.range_of(entry.item), conversion=entry.conversion, lis_range_text=entry.lis_range_text, lis_flags=entry.lis_flags,
            observed_at=entry.observed_at, issued_at=entry.issued_at, source=entry.source, sub_id=entry.sub_id,
            filler_no=entry.filler_no, message_id=entry.message_id, recorded_by=uow.principal.id, recorded_at=uow.now,
            meaning_key=entry.meaning_key,
        )  # fmt: skip


def _fact(revision: HeldRevision) -> Fact:
    by_hand = not revision.source.startswith(LIS)
    return Fact(
        revision.id, revision.status, parse(revision.raw_value).same, revision.observed_at, revision.issued_at,
        revision.seq if by_hand else 0, revision.meaning_key or str(revision.seq),
    )  # fmt: skip


def range_snapshot(found: ItemRange) -> dict[str, object]:
    """Return a range as it is kept beside a value."""
    return snapshot(range_rules(found), text=found.text, method=found.method, source=found.source)


def range_rules(found: ItemRange) -> Range:
    """Return what a range says is normal."""
    return Range(found.low, found.high, found.critical_low, found.critical_high, tuple(found.normal_texts or ()))
