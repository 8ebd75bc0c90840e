"""The results of one exam under its lock, and what is being added to them. Every path that records a value goes through here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, cast
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemRange
from tjapi.catalog.rules import printed_range
from tjapi.catalog.service import HeldRanges
from tjapi.exam import service as exams
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import LIVE_FOR_RESULTS
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.descriptions import read
from tjapi.result import repository
from tjapi.result.events import (
    CriticalNotExcluded,
    CriticalPlaced,
    CriticalUnread,
    ResultArrivedLate,
    ResultsRecorded,
    RevisionsAdded,
)
from tjapi.result.formulas import FORMULAS, Person
from tjapi.result.models import HeldResult, HeldRevision, ResultQuestion
from tjapi.result.rules.absence import WITHDRAWN, Absence, Input, input_of, why_none
from tjapi.result.rules.flags import (
    LABORATORY,
    Flag,
    asked_about,
    contradicts,
    flag_of,
    gravity,
    kept_marks,
    lab_critical,
    lab_flag,
    lab_snapshot,
    lab_unknown,
    marked,
    snapshot,
    whole_marks,
    with_lab,
)
from tjapi.result.rules.notes import denied, is_grave
from tjapi.result.rules.questions import ADULT_YEARS, HOLDING, UNFLAGGED, Limits, QuestionKind
from tjapi.result.rules.ranges import Range, Told, speaks_of, told_range, written
from tjapi.result.rules.reading import NUMBERS, WORDS, understood
from tjapi.result.rules.revisions import (
    GIVEN_UP,
    SETTLED,
    Fact,
    ResultStatus,
    contested,
    current,
    line_target,
    rivals,
    standing,
    strikes,
)
from tjapi.result.rules.values import Comparator, Value
from tjapi.result.service import case, questions
from tjapi.result.service.criticality import Criticality

LIS = "lis:"
_REPORTED = ("resulted", "verified")
_GONE = ("withdrawn", "substituted")
_NOT_DONE = ("refused", "waived", "deferred")
TRANSCRIBED = "transcribed"
"""What a person said of a laboratory's value: it takes its place among the laboratory's own words by when it was said."""
Addition = Literal["filed", "revision", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value to be recorded. `meaning_key` None: recorded without asking whether the same was said before.

    `lis_marks` are the laboratory's own flags, one by one. `doubt`: the value is hardly possible, so that a person is asked. `unit_said`: its
    unit stood beside it. `code`: what its message calls the item. `coded`: what was clicked, of a text that was composed of it.
    """

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
    lis_marks: tuple[str, ...] = ()
    message_id: UUID | None = None
    remarks: tuple[str, ...] = ()
    reason: str | None = None
    doubt: bool = False
    unit_said: bool = True
    code: str = ""
    methods: tuple[str, ...] = ()
    coded: dict[str, Any] | None = None
    examined_by: str = ""
    verified_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadValue:
    """What was said of an item and could not be read. `key` tells one message's from another's.

    `said`: the texts that may hold its value, each beside its unit. `older_key`: what the same was asked under before.
    """

    raw: str
    key: str
    said_at: datetime
    message_id: UUID | None
    status: ResultStatus | None = None
    remarks: tuple[str, ...] = ()
    lis_marks: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()
    older_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What was said of an item whose value nobody knows: texts, each beside its unit; `key` is that of the question about it."""

    item: Item
    key: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplacedAlarm:
    """Something critical that no line took. `ours`: by our range or rule, not by the laboratory's word. `key` tells one message's from another's.

    `private`: it answers an order of which something is private. `words`: the grave sentence that it is. `belongs`: False of a message that only names the exam.
    """

    department_id: int
    code: str
    name: str
    key: str
    ours: bool = False
    private: bool = False
    words: str = ""
    belongs: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What was said of an item and a line took: `code` and `key` are those under which it alarms where none does. `meanings` are its values'."""

    line: ExamLine
    item: Item
    code: str
    key: str
    meanings: frozenset[str | None] = frozenset()


class Book:
    """What is known of one locked exam's results. `open` locks, `add` records, `close` writes and tells."""

    def __init__(
        self,
        exam: Exam,
        lines: Sequence[ExamLine],
        items: dict[UUID, list[Item]],
        ranges: HeldRanges,
        results: Sequence[HeldResult],
        revisions: Sequence[HeldRevision],
        *,
        laboratory_first: bool = False,
    ) -> None:
        self.exam = exam
        self.lines = {line.id: line for line in lines}
        self._items = items
        self._item_by_id = {item.id: item for held in items.values() for item in held}
        self._item_ids = {group_id: frozenset(item.id for item in held) for group_id, held in items.items()}
        self._every_range, self._subject = ranges, case.subject_of(exam)
        self._ranges = ranges.of(self._subject)
        self._laboratory_first = laboratory_first
        self._results = {(r.line_id, r.item_id): r for r in results}
        self._revisions: dict[UUID, list[HeldRevision]] = {r.id: [] for r in results}
        for revision in revisions:
            self._revisions[revision.result_id].append(revision)
        self._before = {r.id: r.current_revision_id for r in results}
        self._new_results: list[HeldResult] = []
        self._new_revisions: list[HeldRevision] = []
        self._touched: set[UUID] = set()
        self._unread: list[ResultQuestion] = []
        self._asked: list[ResultQuestion] = []
        self._older: dict[str, str] = {}
        self._held: Sequence[ResultQuestion] = ()
        self._unplaced: list[UnplacedAlarm] = []
        self._placed: list[Placed] = []
        self._unknown: list[Unknown] = []
        self._not_excluded: set[str] = set()
        self._repeated: set[UUID] = set()
        self._given_up: set[tuple[UUID, UUID]] = set()
        self._facts: dict[UUID, Fact] = {}
        self._meanings: dict[UUID, set[str | None]] = {}

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
        ranges = await catalog.ranges_near(uow, wanted, case.subject_of(exam))
        results, first = (
            await repository.results(uow, exam.id),
            await catalog.laboratory_goes_first(uow, exam.campus_id),
        )
        said = await repository.revisions_of_exam(uow, exam.id)
        return cls(exam, lines, items, ranges, results, said, laboratory_first=first)

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

    def typed(self, line_id: UUID, item_id: UUID) -> bool:
        """Say whether a person ever entered an item by hand; what a message says afterwards comes after it."""
        result = self._results.get((line_id, item_id))
        return result is not None and any(
            not r.source.startswith(LIS) and r.source != TRANSCRIBED for r in self._revisions[result.id]
        )

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

    def found_range(self, item: Item) -> ItemRange | None:
        """Return the range that applies to an item of this person on this day."""
        return self._ranges.get(item.id)

    def _nobody_judges(self, item: Item) -> bool:
        """Say whether content says why nobody here judges a number of this person: it is 未判定, says so, and nobody is made to answer.

        Whose sex is not known may be judged once it is, and who is no adult is judged by a paediatrician: that is asked.
        """
        found = self._ranges.get(item.id)
        if item.kind not in NUMBERS or found is None or self.exam.sex not in ("male", "female"):
            return False
        if self.exam.age_years < ADULT_YEARS:
            return False
        return found.low is None and found.high is None and not found.normal_texts and bool(found.text.strip())

    def normal_texts(self, item: Item) -> Sequence[str]:
        """Return the words that are normal for an item of this person."""
        found = self._ranges.get(item.id)
        return tuple(found.normal_texts or ()) if found is not None else ()

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
        meanings = self._meanings.setdefault(result.id, set())
        if said and not meanings:
            meanings.update(r.meaning_key for r in said)
        if entry.meaning_key is not None and entry.meaning_key in meanings:
            return "duplicate"
        entry, repeated = self._beside(result, entry)
        revision = self._revision(uow, result, entry, len(said) + 1)
        said.append(revision)
        meanings.add(revision.meaning_key)
        told = lab_critical(entry.lis_marks) or revision.flag in ("LL", "HH")
        if entry.doubt and not entry.unit_said and not told:
            self._unknown.append(Unknown(item=entry.item, key=str(revision.id), said=((entry.value.text, ""),)))
        self._new_revisions.append(revision)
        if repeated:
            # Kept, because it says when the laboratory last said so; it changes nothing.
            self._repeated.add(revision.id)
            return "duplicate"
        self._touched.add(entry.line.id)
        return "filed" if first else "revision"

    def _beside(self, result: HeldResult, entry: Entry) -> tuple[Entry, bool]:
        """Return an entry with all that was said beside the same value before, and whether it says nothing but what stands."""
        if entry.status == "entered_in_error" or not entry.source.startswith(LIS):
            return entry, False
        stands = {f.id for f in standing(self._facts_of(result.id))}
        same = [
            r
            for r in self._revisions[result.id]
            if r.id in stands
            and (r.status, r.observed_at, value_of(r).same) == (entry.status, entry.observed_at, entry.value.same)
        ]
        if not same:
            return entry, False
        fullest = max(same, key=lambda r: len(r.remarks) + len((r.lis_flags or "").split()))
        marks = tuple(dict.fromkeys([*(fullest.lis_flags or "").split(), *whole_marks(entry.lis_marks)]))
        remarks = tuple(dict.fromkeys([*fullest.remarks, *entry.remarks]))
        now = self._current(result)
        says_more = (len(marks), len(remarks)) != (len((fullest.lis_flags or "").split()), len(fullest.remarks))
        says_more = says_more or (entry.lis_range_text or "") != (fullest.lis_range_text or "")
        repeated = not says_more and now is not None and now.id in {r.id for r in same}
        return replace(entry, lis_marks=marks, remarks=remarks), repeated

    def strike(self, uow: UnitOfWork, place: tuple[ExamLine, Item], wrong: HeldRevision, reason: str) -> None:
        """Record that a person says that a value is wrong; what is said after that, be it the same, stands."""
        line, item = place
        self.add(
            uow,
            Entry(
                line=line, item=item, status="entered_in_error", value=value_of(wrong), unit=wrong.unit, observed_at=wrong.observed_at,
                issued_at=uow.now, source=TRANSCRIBED, reason=reason,
            ),
        )  # fmt: skip

    def strike_all(self, uow: UnitOfWork, place: tuple[ExamLine, Item], reason: str) -> None:
        """Strike whatever stands of an item, also what stands once another is struck."""
        line, item = place
        result = self._results.get((line.id, item.id))
        for _ in range(len(self._revisions[result.id]) if result is not None else 0):
            now = self.now_at(line.id, item.id)
            if now is None:
                return
            self.strike(uow, place, now, reason)

    def withdrew_nothing(self, line_id: UUID, item_id: UUID, message_id: UUID) -> bool:
        """Say whether a message holds a withdrawal of an item that takes nothing back, though something stands."""
        result = self._results.get((line_id, item_id))
        now = self._current(result) if result is not None else None
        return (
            result is not None
            and now is not None
            and any(one.message_id == message_id for one in self._idle(result, now))
        )

    def _idle(self, result: HeldResult, now: HeldRevision) -> list[HeldRevision]:
        """Return the laboratory's withdrawals that take back nothing though something stands, and that nothing said since answers."""
        facts = self._facts_of(result.id)
        return [
            one
            for one in self._revisions[result.id]
            if one.status == "entered_in_error"
            and one.source.startswith(LIS)
            and not _answers(now, one.issued_at, "corrected")
            and not strikes(facts, one.id)
        ]

    def withdrawn_by(self, line_id: UUID, item_id: UUID, issued_at: datetime) -> bool:
        """Say whether nothing stands of an item, by a withdrawal that was said at a moment or before it."""
        result = self._results.get((line_id, item_id))
        if result is None or self._current(result) is not None:
            return False
        return any(r.status == "entered_in_error" and r.issued_at <= issued_at for r in self._revisions[result.id])

    def is_doubted(self, line_id: UUID, item_id: UUID) -> bool:
        """Say whether the last thing that was said of an item can hardly be, or contradicts itself."""
        result, item = self._results.get((line_id, item_id)), self._item_by_id.get(item_id)
        return result is not None and item is not None and _is_doubted(item, self._revisions[result.id][-1])

    @property
    def unknown(self) -> Sequence[Unknown]:
        """What was said that nobody knows the value of, and that nobody has called critical."""
        return self._unknown

    def alarm_unknown(self, keys: Iterable[str]) -> None:
        """Note of which of it nobody can exclude that it is critical: somebody looks at once, where it is asked about."""
        self._not_excluded.update(keys)

    def alarm_unplaced(self, alarm: "UnplacedAlarm") -> None:
        """Note something critical that belongs to no line: somebody looks at it at once."""
        self._unplaced.append(alarm)

    def note_placed(self, placed: "Placed") -> None:
        """Note that a line took something: what it alarmed of while none did is over, where it alarms by itself."""
        self._placed.append(placed)

    def ask_unread(self, uow: UnitOfWork, place: tuple[ExamLine, Item], unread: "UnreadValue") -> bool:
        """Note that something was said of an item that nobody could read: a person is asked, and the line is not verified.

        False: what was said since is known, and is what counts.
        """
        line, item = place
        now = self.now_at(line.id, item.id)
        if now is not None and _answers(now, unread.said_at, unread.status):
            return False
        result = self._results.get((line.id, item.id))
        if unread.older_key is not None:
            self._older[unread.key] = unread.older_key
        self._unread.append(
            ResultQuestion(
                id=uuid7(), campus_id=self.exam.campus_id, exam_id=self.exam.id, line_id=line.id, item_id=item.id, item_code=item.code,
                item_name=item.name, department_id=line.department_id, kind="unread", key=unread.key,
                result_id=result.id if result is not None else None, revision_ids=[], message_id=unread.message_id,
                raw_value=unread.raw, remarks=list(unread.remarks), lis_flags=kept_marks(unread.lis_marks), status=unread.status,
                said_at=unread.said_at, asked_at=uow.now,
            )
        )  # fmt: skip
        if any(is_grave(words, item.code, item.name) for words in (unread.raw, *unread.remarks)):
            self._not_excluded.add(unread.key)
        if unread.said and not lab_critical(unread.lis_marks):
            self._unknown.append(Unknown(item=item, key=unread.key, said=unread.said))
        self._touched.add(line.id)
        return True

    def touch(self, line_id: UUID) -> None:
        """Let a line be looked at when the book is closed, though no value of it was recorded."""
        self._touched.add(line_id)

    def flag_of(self, revision: HeldRevision) -> Flag | None:
        """Return the flag that is shown of a current value."""
        result = self.result_of(revision.result_id)
        judged = result.judged_flag if result is not None and revision.flag is None else None
        return cast("Flag | None", revision.flag if revision.flag is not None else judged)

    def revisions_of(self, result_id: UUID) -> Sequence[HeldRevision]:
        """Return everything that was said of a result."""
        return self._revisions[result_id]

    def result_of(self, result_id: UUID) -> HeldResult | None:
        """Return a result of the exam."""
        return next((r for r in self._results.values() if r.id == result_id), None)

    def rivals_of(self, result_id: UUID) -> list[UUID]:
        """Return the revisions that contradict a result's current one."""
        return [fact.id for fact in rivals(self._facts_of(result_id))]

    def contested(self, line_id: UUID, item_id: UUID) -> bool:
        """Say whether final values contradict each other."""
        result = self._results.get((line_id, item_id))
        return result is not None and contested(self._facts_of(result.id))

    def inputs_of(self, line: ExamLine, item: Item) -> list[Input]:
        """Return what is known of the items that one is computed from, on this line first, then on the others that are carried out."""
        return [self._input(line, code) for code in FORMULAS[item.code].inputs]

    def _input(self, line: ExamLine, code: str) -> Input:
        lines = sorted(self.lines.values(), key=lambda other: other.id != line.id)
        places = [(other, one) for other in lines for one in self.items_of(other) if one.code == code]
        found = [self._stands(*place) for place in places if place[0].state not in _GONE]
        exact = next((one for one in found if one.standing == "exact"), None)
        if exact is not None or found:
            return exact or found[0]
        return Input(code, places[0][1].name if places else code, "not_ordered")

    def _stands(self, line: ExamLine, item: Item) -> Input:
        if not self.live(line):
            return Input(item.code, item.name, line.state if line.state in _NOT_DONE else "awaited")  # type: ignore[arg-type]
        now = self.now_at(line.id, item.id)
        if now is not None and self.contested(line.id, item.id):
            return Input(item.code, item.name, "contested")
        if now is not None:
            return input_of(item.code, item.name, value_of(now), now.status)
        own = [q for q in self._held if (q.line_id, q.item_id) == (line.id, item.id)]
        asked = [q for q in [*own, *self._asked] if (q.line_id, q.item_id, q.kind) == (line.id, item.id, "unread")]
        if any(q.closed_at is None for q in asked):
            return Input(item.code, item.name, "unread")
        given = next((q for q in reversed(own) if q.gives_up), None)
        if given is not None:
            return Input(item.code, item.name, "given_up", said=given.reason or "")
        return Input(item.code, item.name, "awaited")

    def absence(self, line: ExamLine, item: Item) -> Absence | None:
        """Return why a computed item has no value; None: it has one, or one is still awaited of what it comes from, or it is not computed."""
        if item.code not in FORMULAS or self.now_at(line.id, item.id) is not None:
            return None
        if self.said_by(line.id, item.id, LIS):
            return WITHDRAWN
        outside = FORMULAS[item.code].outside(Person(self.exam.sex, self.exam.age_years))
        return why_none(self.inputs_of(line, item), outside)

    async def close(self, uow: UnitOfWork) -> None:
        """Write what was added, move the lines, and say what changed. Lines of a finalized exam stay: its report is what it is."""
        await self._call_critical(uow)
        added = {r.result_id: r for r in self._new_revisions if r.id not in self._repeated}
        changed: list[HeldResult] = []
        for result in self._results.values():
            if result.id in added:
                now = self._current(result)
                result.current_revision_id = now.id if now is not None else None
                if result.current_revision_id != self._before[result.id]:
                    changed.append(result)
        new = {result.id for result in self._new_results}
        moved = [result for result in changed if result.id not in new]
        for result in moved:
            result.judged_flag = None
        await repository.add(uow, self._new_results, self._new_revisions, moved)
        case.changed(uow, self.exam.id)
        finalized = self.exam.state == "finalized"
        asked = await self._ask(uow, finalized=finalized)
        if not finalized:
            await self._settle(uow, self._touched, {q.line_id for q in asked if q.kind in HOLDING})
        await self._mark_absent(uow)
        if changed:
            ids = tuple(result.id for result in changed)
            await uow.publish(ResultsRecorded(campus_id=self.exam.campus_id, exam_id=self.exam.id, result_ids=ids))
        if added:
            await self._tell(uow, [result for result in self._results.values() if result.id in added])
        touched = [place for place in self._results if place[0] in self._touched]
        stands = {item_id for line_id, item_id in touched if self.now_at(line_id, item_id) is not None}
        await questions.settle_unknown(uow, [*self._held, *self._asked], stands)
        await self._alarm(uow)
        if finalized:
            await self._tell_late(uow, added)

    async def _call_critical(self, uow: UnitOfWork) -> None:
        """Flag what was added as critical where a critical rule of class A holds of it: no alarm beside a value that is merely high."""
        numbers = [r for r in self._new_revisions if r.numeric is not None and r.status != "entered_in_error"]
        if not numbers:
            return
        critical = await Criticality.of(uow, self.exam)
        item_of = {
            result.id: self._item_by_id[result.item_id]
            for result in self._results.values()
            if result.item_id in self._item_by_id
        }
        for one in numbers:
            item = item_of.get(one.result_id)
            if item is None or not critical.asks_of(item.code):
                continue
            flag = await critical.flag(uow, item, value_of(one), one.unit, one.flag)
            if flag != one.flag:
                one.flag = flag
                self._facts.pop(one.id, None)

    async def _alarm(self, uow: UnitOfWork) -> None:
        """Say what somebody has to look at at once though no value of it stands."""
        for question in self._unread:
            if lab_critical((question.lis_flags or "").split(" ")):
                await uow.publish(
                    CriticalUnread(
                        campus_id=question.campus_id, exam_id=question.exam_id, department_id=question.department_id,
                        item_code=question.item_code, item_name=question.item_name, key=question.key,
                    )
                )  # fmt: skip
        for question in self._asked:
            if question.key in self._not_excluded:
                await uow.publish(
                    CriticalNotExcluded(
                        campus_id=question.campus_id, exam_id=question.exam_id, department_id=question.department_id,
                        item_code=question.item_code, item_name=question.item_name, words=question.raw_value,
                    )
                )  # fmt: skip
        for alarm in self._unplaced:
            await uow.publish(
                CriticalUnread(
                    campus_id=self.exam.campus_id, exam_id=self.exam.id, department_id=alarm.department_id, item_code=alarm.code,
                    item_name=alarm.name, key=alarm.key, placed=False, ours=alarm.ours, private=alarm.private, words=alarm.words, belongs=alarm.belongs,
                )
            )  # fmt: skip
        still = {(alarm.code, alarm.key) for alarm in self._unplaced}
        for placed in (one for one in self._placed if (one.code, one.key) not in still):
            await self._tell_placed(uow, placed)

    async def _tell_placed(self, uow: UnitOfWork, placed: Placed) -> None:
        place = (placed.line.id, placed.item.id)
        now, result_id = self.now_at(*place), self.result_id(*place)
        asked = tuple(q.key for q in self._unread if (q.line_id, q.item_id) == place)
        said = self._revisions[result_id] if result_id is not None else []
        counting = {now.id, *self.rivals_of(now.result_id)} if now is not None else set()
        critical = any(
            r.flag in ("HH", "LL") or lab_critical((r.lis_flags or "").split(" ")) for r in said if r.id in counting
        )
        await uow.publish(
            CriticalPlaced(
                campus_id=self.exam.campus_id, exam_id=self.exam.id, said_code=placed.code, key=placed.key, item_code=placed.item.code,
                item_name=placed.item.name, result_id=result_id, question_keys=asked, critical=critical or bool(asked),
                revision_ids=tuple(r.id for r in said if r.meaning_key is not None and r.meaning_key in placed.meanings),
            )
        )  # fmt: skip

    async def tell_all(self, uow: UnitOfWork, *, of_past: bool = False) -> None:
        """Say of every result that it may be something else now, whatever it says: by whom, or beside which past, it is judged has changed."""
        if self._results:
            await self._tell(uow, list(self._results.values()), of_past=of_past)

    async def _tell_late(self, uow: UnitOfWork, added: Mapping[UUID, HeldRevision]) -> None:
        """Say what came after the final sign-off: each value, and each of which nobody could read one."""
        exam = self.exam
        late = [
            ResultArrivedLate(campus_id=exam.campus_id, exam_id=exam.id, result_id=r.result_id, revision_id=r.id)
            for r in added.values()
        ]
        late += [
            ResultArrivedLate(campus_id=exam.campus_id, exam_id=exam.id, result_id=q.result_id, question_id=q.id)
            for q in self._asked
            if q.kind == "unread"
        ]  # fmt: skip
        for event in late:
            await uow.publish(event)

    def look_again(self) -> None:
        """Ask and settle anew of every live line at the end: by whom they are judged, or whether anything may move, has changed."""
        self._touched |= {line.id for line in self.lines.values() if self.live(line)}

    async def _tell(self, uow: UnitOfWork, added: Sequence[HeldResult], *, of_past: bool = False) -> None:
        beside = {fact.id for result_id in self._revisions for fact in rivals(self._facts_of(result_id))}
        current_ids = {result.current_revision_id for result in self._results.values()}
        of = {result.id: result for result in self._results.values()}
        passed_over = tuple(
            r.id
            for r in self._new_revisions
            if r.status != "entered_in_error" and r.id not in current_ids and r.id not in beside
        )
        await uow.publish(
            RevisionsAdded(
                campus_id=self.exam.campus_id, exam_id=self.exam.id, result_ids=tuple(r.id for r in added),
                item_codes=tuple(sorted({r.item_code for r in added})), beside=tuple(sorted(beside)), passed_over=passed_over,
                alarming=any(lab_critical((r.lis_flags or "").split(" ")) or _is_grave(of[r.result_id], r) for r in self._new_revisions),
                of_past=of_past,
            )
        )  # fmt: skip

    async def _ask(self, uow: UnitOfWork, *, finalized: bool) -> list[ResultQuestion]:
        """Bring the open questions about what was touched in line with what stands there now; return all that are open."""
        if not self._touched:
            return []
        self._held = kept = await questions.kept(uow, self.exam.id)
        asked_before = {q.key for q in kept if q.kind == "unread"}
        for question in self._unread:
            older = self._older.get(question.key)
            # The same question, asked under an older key: what a person said of it, or is asked still, holds.
            if older in asked_before:
                question.key = older
        for given in (q for q in kept if q.gives_up):
            # A value that came after all takes its place again: were that withdrawn, it would be missed anew.
            given.gives_up = self.now_at(given.line_id, given.item_id) is None
        here = {q.item_code for q in kept if q.answer == "no_value" and self.now_at(q.line_id, q.item_id) is not None}
        for given in (q for q in kept if q.gives_up and q.kind == "missing" and q.item_code in FORMULAS):
            # What was given up for want of an input is not for want of it now.
            given.gives_up = not here.intersection(FORMULAS[given.item_code].inputs)
        self._given_up = {(q.line_id, q.item_id) for q in kept if q.gives_up}
        # An answer holds for what it was given of; what was called normal or not is kept with the value, and asked again once that is gone.
        answered = {
            (q.kind, q.key)
            for q in kept
            if q.closed_at is not None and (q.kind in ("unread", "implausible") or q.answer in UNFLAGGED)
        }
        wanted = [q for q in self._wanted(uow) if (q.kind, q.key) not in answered]
        unread = [q for q in self._unread if (q.kind, q.key) not in answered]
        by_place = {_place(q): q for q in wanted}
        left: dict[tuple[UUID, UUID, str, str], ResultQuestion] = {}
        for question in (q for q in kept if q.closed_at is None):
            if question.line_id in self._touched and self._is_answered(question, by_place):
                await questions.close(uow, question, "value", finalized=finalized)
            else:
                left[_place(question)] = question
        for question in [*wanted, *unread]:
            known = left.get(_place(question))
            if known is None:
                await questions.ask(uow, question, finalized=finalized)
                self._asked.append(question)
                left[_place(question)] = question
            elif known.revision_ids != question.revision_ids:
                known.revision_ids = question.revision_ids
        return list(left.values())

    async def _mark_absent(self, uow: UnitOfWork) -> None:
        """Keep beside every reported line why its computed items have no value, as long as they have none and for that reason."""
        wanted = {
            (line.id, item.id): (line, item, why)
            for line in self.lines.values()
            if line.state in _REPORTED
            for item in self.items_of(line)
            if (why := self.absence(line, item)) is not None
        }
        if wanted and not self._held:
            self._held = await questions.kept(uow, self.exam.id)
            # Only now is known what was said of the inputs that have no value.
            wanted = {
                place: (line, item, why)
                for place, (line, item, _) in wanted.items()
                if (why := self.absence(line, item)) is not None
            }
        changed = False
        for mark in (q for q in self._held if q.gives_up and q.kind == "missing"):
            place = (mark.line_id, mark.item_id)
            if mark.how == "person" or (place in wanted and wanted[place][2].zh == mark.reason):
                wanted.pop(place, None)
            else:
                mark.gives_up, changed = False, True
        for line, item, why in wanted.values():
            mark = ResultQuestion(
                id=uuid7(), campus_id=self.exam.campus_id, exam_id=self.exam.id, line_id=line.id, item_id=item.id, item_code=item.code,
                item_name=item.name, department_id=line.department_id, kind="missing", key="", result_id=self.result_id(line.id, item.id),
                revision_ids=[], message_id=None, raw_value="", remarks=[why.en], lis_flags=None, status=None, said_at=uow.now,
                asked_at=uow.now, closed_at=uow.now, how="value", answer=None, reason=why.zh, gives_up=True,
            )  # fmt: skip
            uow.session.add(mark)
            self._held = [*self._held, mark]
        if changed or wanted:
            await uow.session.flush()

    def _is_answered(self, question: ResultQuestion, wanted: Collection[tuple[UUID, UUID, str, str]]) -> bool:
        result = self._results.get((question.line_id, question.item_id))
        now = self._current(result) if result is not None else None
        if question.kind == "unread":
            said = self._revisions[result.id] if result is not None else ()
            if any(str(one.id) == question.key for one in said):
                return _place(question) not in wanted
            return now is not None and _answers(now, question.said_at, question.status)
        if question.kind == "implausible":
            return now is None or str(now.id) != question.key
        return _place(question) not in wanted

    def _wanted(self, uow: UnitOfWork) -> list[ResultQuestion]:
        """Return what is to be asked about the values of the lines that were touched."""
        found: list[ResultQuestion] = []
        for (line_id, item_id), result in self._results.items():
            line, item = self.lines.get(line_id), self._item_by_id.get(item_id)
            if line_id not in self._touched or line is None or item is None or not self.live(line):
                continue
            now = self._current(result)
            if now is None:
                continue
            found += [self._idle_withdrawal(uow, result, one) for one in self._idle(result, now)]
            others = self.rivals_of(result.id)
            if others:
                found.append(self._question(uow, result, now, "contested", [now.id, *sorted(others)]))
            value = value_of(now)
            unjudged = now.status in SETTLED and result.judged_flag is None and bool(value.text)
            known = [*(item.choices or ()), *self.normal_texts(item)]
            if unjudged and asked_about(
                item.kind, value, now.flag, known, judged=item.judged and not self._nobody_judges(item)
            ):
                found.append(self._question(uow, result, now, "undetermined", [now.id]))
            if _is_doubted(item, now):
                found.append(self._question(uow, result, now, "implausible", [now.id]))
        return found

    def _question(
        self, uow: UnitOfWork, result: HeldResult, now: HeldRevision, kind: QuestionKind, revision_ids: list[UUID]
    ) -> ResultQuestion:
        return ResultQuestion(
            id=uuid7(), campus_id=result.campus_id, exam_id=result.exam_id, line_id=result.line_id, item_id=result.item_id,
            item_code=result.item_code, item_name=result.item_name, department_id=result.department_id, kind=kind,
            key="" if kind == "contested" else str(now.id), result_id=result.id, revision_ids=revision_ids, message_id=now.message_id,
            raw_value=now.raw_value, remarks=list(now.remarks), lis_flags=now.lis_flags, said_at=now.issued_at, asked_at=uow.now,
        )  # fmt: skip

    def _idle_withdrawal(self, uow: UnitOfWork, result: HeldResult, wrong: HeldRevision) -> ResultQuestion:
        return ResultQuestion(
            id=uuid7(), campus_id=result.campus_id, exam_id=result.exam_id, line_id=result.line_id, item_id=result.item_id,
            item_code=result.item_code, item_name=result.item_name, department_id=result.department_id, kind="unread", key=str(wrong.id),
            result_id=result.id, revision_ids=[], message_id=wrong.message_id, raw_value=f"撤回:{wrong.raw_value}" if wrong.raw_value else "撤回",
            remarks=list(wrong.remarks), lis_flags=wrong.lis_flags, status="corrected", said_at=wrong.issued_at, asked_at=uow.now,
        )  # fmt: skip

    async def _settle(self, uow: UnitOfWork, line_ids: Iterable[UUID], questioned: Collection[UUID]) -> None:
        ways: dict[UUID, Sequence[str]] = {}
        for line in (line for line in self.lines.values() if line.id in line_ids):
            # What is computed may have no value at all (out of its domain, of a bound): nothing waits for it, and why is said.
            awaited = [i for i in self.items_of(line) if line.performed_by != "lis" or i.code not in FORMULAS]
            statuses = [self._status_at(line.id, item.id) for item in awaited]
            ways[line.id] = line_target(
                line.state, statuses, verify=line.performed_by == "lis", questioned=line.id in questioned
            )
        await exams.advance(uow, self.exam.id, ways)

    def _status_at(self, line_id: UUID, item_id: UUID) -> str | None:
        now = self.now_at(line_id, item_id)
        if now is not None:
            return now.status
        absent = self.absence(self.lines[line_id], self._item_by_id[item_id])
        return GIVEN_UP if (line_id, item_id) in self._given_up or absent is not None else None

    def _current(self, result: HeldResult) -> HeldRevision | None:
        chosen = current(self._facts_of(result.id))
        return None if chosen is None else next(r for r in self._revisions[result.id] if r.id == chosen.id)

    def _facts_of(self, result_id: UUID) -> list[Fact]:
        """Return what was said of a result as facts; a revision never changes, so each becomes one once."""
        said = self._revisions[result_id]
        for revision in said:
            if revision.id not in self._facts:
                self._facts[revision.id] = fact_of(revision, said)
        return [self._facts[revision.id] for revision in said]

    def _revision(self, uow: UnitOfWork, result: HeldResult, entry: Entry, seq: int) -> HeldRevision:
        method = self._every_range.method_of(entry.item.id, entry.methods)
        found = self._every_range.by_method(entry.item.id, self._subject, method)
        theirs = Theirs(entry.lis_range_text or "", entry.unit, entry.conversion)
        first = self._laboratory_first
        flag, kept = judged(entry.item, entry.value, found, entry.lis_marks, theirs, laboratory_first=first)
        struck = entry.status == "entered_in_error"
        return HeldRevision(
            id=uuid7(), campus_id=result.campus_id, result_id=result.id, exam_id=result.exam_id, department_id=result.department_id,
            seq=seq, status=entry.status, raw_value=entry.value.raw, comparator=entry.value.comparator, numeric=entry.value.numeric,
            text=entry.value.text, unit=entry.unit, flag=None if struck else flag, range_snapshot=kept, conversion=entry.conversion,
            lis_range_text=entry.lis_range_text, lis_flags=kept_marks(entry.lis_marks), observed_at=entry.observed_at,
            issued_at=entry.issued_at, source=entry.source, sub_id=entry.sub_id, filler_no=entry.filler_no, message_id=entry.message_id,
            recorded_by=uow.principal.id, recorded_at=uow.now, meaning_key=entry.meaning_key, remarks=list(entry.remarks), reason=entry.reason,
            doubted=entry.doubt, coded=entry.coded,
            method=method, examined_by=entry.examined_by, verified_by=entry.verified_by,
        )  # fmt: skip


def value_of(revision: HeldRevision) -> Value:
    """Return the value of a revision, as it was read when it was recorded."""
    return Value(revision.raw_value, revision.text, cast("Comparator", revision.comparator), revision.numeric)


@dataclass(frozen=True, slots=True)
class Theirs:
    """A laboratory's range beside its value: as it was written, the unit of the value as it is kept, and how that came of theirs."""

    text: str
    unit: str | None
    conversion: Mapping[str, str] | None = None

    def told(self, item: Item) -> Told | None:
        """Return the range in the unit in which the value is kept; None where it says nothing, or speaks of another unit than the value."""
        told = told_range(self.text)
        if told is None or not speaks_of(told, self.conversion["unit"] if self.conversion else self.unit or ""):
            return None
        if not self.conversion:
            return told
        return told.turned(Decimal(self.conversion["factor"]), Decimal(self.conversion["addend"]), item.decimals or 0)


def _is_grave(result: HeldResult, said: HeldRevision) -> bool:
    """Say whether words that were said of a result, or beside it, may ask for a person at once."""
    own = said.numeric is None and bool(read(said.text, result.item_code, result.item_name).grave)
    return own or any(is_grave(one, result.item_code, result.item_name) for one in said.remarks)


def judged(
    item: Item, value: Value, found: ItemRange | None, marks: Sequence[str], theirs: Theirs, *, laboratory_first: bool
) -> tuple[Flag | None, dict[str, Any] | None]:
    """Return the flag of a value and the range kept beside it: by our range, and what the laboratory says of its own value.

    `laboratory_first`: the campus lets its range go before ours, where the item does not say otherwise.
    """
    choices = item.choices or ()
    ours = flag_of(item.kind, value, range_rules(found) if found is not None else None, choices)
    known = [*choices, *((found.normal_texts if found is not None else None) or ())]
    if item.kind in WORDS and (ours is not None or not understood(item.kind, value, known)):
        # A laboratory's flag does not make us understand a word, and does not turn it into another one.
        return ours, range_snapshot(found) if found is not None else None
    told = None if item.kind in WORDS else theirs.told(item)
    lab_range = told.normal if told is not None else None
    # A laboratory rarely knows who is pregnant: our range for that stays before its general one.
    first = laboratory_first if item.laboratory_first is None else item.laboratory_first
    first = first and not (found is not None and found.pregnant)
    flag, by_lab = with_lab(ours, lab_range, value, lab_flag(marks), laboratory_first=first)
    if by_lab:
        # Beside a value that was converted stands no range in another unit.
        text = written(told) if theirs.conversion else theirs.text
        return flag, lab_snapshot(
            text,
            told,
            printed_range(found.low, found.high, found.text) if found is not None and ours is not None else None,
        )
    return flag, range_snapshot(found) if found is not None else None


def limits_of(item: Item) -> Limits:
    """Return what is expected of an item's values."""
    return Limits(item.judged, item.plausible_low, item.plausible_high, item.delta_percent)


def _is_doubted(item: Item, revision: HeldRevision) -> bool:
    """Say whether a value could hardly be when it was recorded, or bears a flag that contradicts it or that nobody understands."""
    marks = (revision.lis_flags or "").split()
    by_lab = contradicts(item.kind, cast("Flag | None", revision.flag), value_of(revision), marks) or lab_unknown(marks)
    voided = revision.source.startswith(LIS) and denied(
        item.kind, cast("Flag | None", revision.flag), (revision.raw_value, revision.text), revision.remarks
    )
    judged_by_lab = revision.flag == "" and (revision.range_snapshot or {}).get("source") == LABORATORY
    unjudged = revision.flag is None and not item.judged
    starred = item.kind in NUMBERS and (judged_by_lab or unjudged) and marked(marks)
    return revision.status != "entered_in_error" and (revision.doubted or by_lab or voided or starred)


def _place(question: ResultQuestion) -> tuple[UUID, UUID, str, str]:
    return question.line_id, question.item_id, question.kind, question.key


def fact_of(revision: HeldRevision, said: Sequence[HeldRevision]) -> Fact:
    """Return what choosing needs of a revision; `said` is all that was said of its result."""
    by_hand = not revision.source.startswith(LIS) and revision.source != TRANSCRIBED
    marks = (revision.lis_flags or "").split()
    return Fact(
        revision.id, revision.status, value_of(revision).same, revision.observed_at, revision.issued_at,
        revision.seq if by_hand else 0, revision.meaning_key or str(revision.seq), _gravity(revision), len(marks) + len(revision.remarks),
        revision.message_id if revision.source != TRANSCRIBED else None,
        frozenset(one.id for one in said if one.seq < revision.seq) if revision.source == TRANSCRIBED else None,
    )  # fmt: skip


def _gravity(revision: HeldRevision) -> int:
    alarming = lab_critical((revision.lis_flags or "").split())
    return max(gravity(cast("Flag | None", revision.flag)), gravity("HH") if alarming else 0)


def _answers(now: HeldRevision, said_at: datetime, status: str | None) -> bool:
    """Say whether a value answers what was said before it and could not be read: a correction is answered by a correction only."""
    return now.status in SETTLED and now.issued_at > said_at and (status != "corrected" or now.status == "corrected")


def range_snapshot(found: ItemRange) -> dict[str, object]:
    """Return a range as it is kept beside a value."""
    return snapshot(
        range_rules(found),
        text=printed_range(found.low, found.high, found.text),
        method=found.method,
        source=found.source,
    )


def range_rules(found: ItemRange) -> Range:
    """Return what a range says is normal."""
    return Range(found.low, found.high, found.critical_low, found.critical_high, tuple(found.normal_texts or ()))
