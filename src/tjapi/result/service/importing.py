"""Results of another system's archive, in bulk: read, compared with the ranges of their day and flagged by the same rules as live entry.

Each value becomes the one revision of its result, final, from the source `import:<archive>`. Our range of that day is kept beside it, and
what the archive printed as its own. Items that we compute, and for which the archive has no value, are computed. Departments' summaries
are the archive's words where it has them; their lines are what the rules of the knowledge base in use find in the values, as at entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemRange
from tjapi.catalog.service import HeldRanges
from tjapi.exam import service as exams
from tjapi.exam.models import Exam, ExamLine
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case, Known
from tjapi.knowledge.service import Knowledge
from tjapi.result import repository
from tjapi.result.errors import PastResultsInvalid
from tjapi.result.formulas import FORMULAS, Person
from tjapi.result.models import DepartmentSheetLine
from tjapi.result.rules.absence import input_of, why_none
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.reading import NUMBERS, read
from tjapi.result.rules.values import Value, same_unit, unit_fits
from tjapi.result.service.accepting import kept, wrong_value
from tjapi.result.service.alarming import graves_of
from tjapi.result.service.book import range_rules, range_snapshot
from tjapi.result.service.case import known, subject_of
from tjapi.result.service.computing import COMPUTED, computed_value
from tjapi.result.service.findings import found_in, line_text, of_department, result_ids
from tjapi.result.service.summarizing import text_of

IMPORT = "import:"
# One entry, and the signature.
_VERSION_SIGNED = 2


@dataclass(frozen=True, slots=True)
class PastValue:
    """A value as the archive has it: on which group, of which item, by our codes; `unit` None: in the item's own."""

    group_code: str
    item_code: str
    value: str
    unit: str | None = None
    range_text: str | None = None


@dataclass(frozen=True, slots=True)
class PastSheet:
    """What a department signed; `summary` None: in the words of our rules."""

    department_id: int
    signed_by: UUID
    signer_name: str
    signed_at: datetime
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastResults:
    """What belongs to one past exam that is being brought in."""

    exam_id: UUID
    observed_at: datetime
    values: tuple[PastValue, ...]
    sheets: tuple[PastSheet, ...]


async def import_past(uow: UnitOfWork, archive: str, rows: Sequence[PastResults]) -> dict[UUID, Case]:
    """Bring in the results of exams that `exams.import_past` has entered; return each exam's case, for its conclusion.

    Raises PastExamNotOpen, PastResultsInvalid naming every field.
    """
    opened = await exams.open_past(uow, [row.exam_id for row in rows])
    lines = await exams.lines_of(uow, opened)
    groups = await catalog.group_items(uow, {line.item_group_id for own in lines.values() for line in own})
    held = await catalog.hold_ranges(uow, {item.id for items in groups.values() for item in items})
    active = await knowledge.active(uow)
    importer = _Importer(uow, f"{IMPORT}{archive}", groups, held, active)
    cases = {row.exam_id: importer.take(i, row, opened[row.exam_id], lines[row.exam_id]) for i, row in enumerate(rows)}
    if importer.errors:
        raise PastResultsInvalid(errors=importer.errors)
    await repository.add_past(
        uow, importer.results, importer.revisions, importer.sheets, importer.steps, importer.lines, importer.absent
    )
    campuses: dict[int, int] = {}
    for revision in importer.revisions:
        campuses[revision["campus_id"]] = campuses.get(revision["campus_id"], 0) + 1
    for campus_id, values in sorted(campuses.items()):
        await uow.audit("result.imported", "archive", archive, campus_id=campus_id, detail={"values": values})
    return cases


@dataclass(frozen=True, slots=True)
class _Plain:
    """What is read of an item again and again."""

    item: Item
    id: UUID
    code: str
    name: str
    kind: str
    unit: str | None
    choices: Sequence[str]
    judged: bool

    @classmethod
    def of(cls, item: Item) -> "_Plain":
        return cls(item, item.id, item.code, item.name, item.kind, item.unit, item.choices or (), item.judged)


@dataclass(frozen=True, slots=True)
class _Place:
    """A line, as its results name it."""

    id: UUID
    exam_id: UUID
    campus_id: int
    department_id: int


class _Importer:
    """Turns rows of an archive into rows of ours."""

    def __init__(
        self, uow: UnitOfWork, source: str, groups: Mapping[UUID, Sequence[Item]], held: HeldRanges, active: Knowledge | None
    ) -> None:  # fmt: skip
        self._uow, self._source, self._held, self._active = uow, source, held, active
        # Read once: an attribute of a mapped object costs five times a plain one, and there are a hundred thousand values.
        self._groups = {group_id: [_Plain.of(item) for item in items] for group_id, items in groups.items()}
        self._by_code = {group_id: {item.code: item for item in items} for group_id, items in self._groups.items()}
        self._snapshots: dict[UUID, dict[str, object]] = {}
        self.errors: list[FieldError] = []
        self.results: list[dict[str, Any]] = []
        self.revisions: list[dict[str, Any]] = []
        self.sheets: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.absent: list[dict[str, Any]] = []

    def take(self, i: int, row: PastResults, exam: Exam, lines: Sequence[ExamLine]) -> Case:
        """Add what one exam brings; what is wrong is added to `errors`."""
        by_code = {line.code: line for line in lines}
        given: dict[tuple[UUID, UUID], tuple[PastValue, Value]] = {}
        for j, one in enumerate(row.values):
            at = f"/rows/{i}/values/{j}"
            line = by_code.get(one.group_code)
            item = self._by_code.get(line.item_group_id, {}).get(one.item_code) if line is not None else None
            if line is None or item is None:
                self.errors.append(
                    FieldError(f"{at}/item_code", "unknown", "不是这次体检的项目", "no item of the exam")
                )
            elif (line.id, item.id) in given:
                self.errors.append(
                    FieldError(f"{at}/item_code", "duplicate", "同一项目出现两次", "the item is there twice")
                )
            elif (fault := _fault(item.item, one)) is not None:
                self.errors.append(FieldError(f"{at}/{fault[0]}", *fault[1:]))
            else:
                reading = read(item.kind, kept(item.item, one.value) or "", [item.unit or ""])
                given[line.id, item.id] = (one, reading.value if reading is not None else Value("", ""))
        asked = {item.id for line in lines for item in self._groups.get(line.item_group_id, ())}
        ranges = self._held.of(subject_of(exam), item_ids=asked)
        values: dict[str, Known] = {}
        repeats: dict[str, list[Known]] = {}
        for line in lines:
            numbers = _numbers(given, self._groups, line, lines)
            at_line = _Place(line.id, line.exam_id, line.campus_id, line.department_id)
            for item in self._groups.get(line.item_group_id, ()):
                said = given.get((at_line.id, item.id))
                source = self._source
                if said is None:
                    computed = _computed(item, numbers, exam)
                    if computed is None:
                        self._say_why(at_line, item, given, exam, row.observed_at)
                        continue
                    said, source = (PastValue(line.code, item.code, computed.raw), computed), COMPUTED
                seen = self._keep(row, at_line, item, said, ranges.get(item.id), source)
                if item.code in values:
                    repeats.setdefault(item.code, []).append(seen)
                else:
                    values[item.code] = seen
        case = Case(exam.sex, exam.age_years, values, {}, repeats, bool(exam.pregnant), exam.age_days)
        self._sheets(i, row, exam, lines, case)
        return case

    def _say_why(
        self, line: "_Place", item: "_Plain", given: Mapping[tuple[UUID, UUID], tuple[PastValue, Value]], exam: Exam, at: datetime
    ) -> None:  # fmt: skip
        """Keep why a computed item has no value, where the archive holds all that it comes from."""
        formula = FORMULAS.get(item.code)
        if formula is None:
            return
        said = {one.item_code: value for one, value in given.values()}
        names = {one.code: one.name for own in self._groups.values() for one in own}
        inputs = [input_of(code, names.get(code, code), said.get(code)) for code in formula.inputs]
        why = why_none(inputs, formula.outside(Person(exam.sex, exam.age_years)))
        if why is None:
            return
        self.absent.append({
            "id": uuid7(at), "campus_id": line.campus_id, "exam_id": line.exam_id, "line_id": line.id, "item_id": item.id,
            "item_code": item.code, "item_name": item.name, "department_id": line.department_id, "kind": "missing", "key": "",
            "result_id": None, "revision_ids": [], "message_id": None, "raw_value": "", "remarks": [why.en], "lis_flags": None,
            "status": None, "said_at": at, "asked_at": self._uow.now, "closed_at": self._uow.now, "closed_by": None, "closed_name": None,
            "how": "value", "answer": None, "reason": why.zh, "kept_because": None, "gives_up": True,
        })  # fmt: skip

    def _keep(
        self, row: PastResults, line: "_Place", item: "_Plain", said: tuple[PastValue, Value], normal: ItemRange | None, source: str
    ) -> Known:  # fmt: skip
        one, value = said
        result_id, revision_id = uuid7(row.observed_at), uuid7(row.observed_at)
        flagged = flag_of(item.kind, value, range_rules(normal) if normal is not None else None, item.choices)
        unit = one.unit or item.unit
        self.results.append({
            "id": result_id, "campus_id": line.campus_id, "exam_id": line.exam_id, "line_id": line.id, "item_id": item.id,
            "item_code": item.code, "item_name": item.name, "unit": item.unit, "department_id": line.department_id,
            "current_revision_id": revision_id, "judged_flag": None,
        })  # fmt: skip
        self.revisions.append({
            "id": revision_id, "campus_id": line.campus_id, "result_id": result_id, "exam_id": line.exam_id,
            "department_id": line.department_id, "seq": 1, "status": "final", "raw_value": value.raw, "comparator": value.comparator,
            "numeric": value.numeric, "text": value.text, "unit": unit, "flag": flagged,
            "range_snapshot": self._snapshot(normal), "lis_range_text": one.range_text, "lis_flags": None,
            "observed_at": row.observed_at, "issued_at": row.observed_at, "source": source, "sub_id": "", "filler_no": None,
            "message_id": None, "recorded_by": self._uow.principal.id, "recorded_at": self._uow.now, "meaning_key": None,
            "remarks": [], "reason": None,
        })  # fmt: skip
        snapshot: Mapping[str, Any] = self._snapshot(normal) or {}
        return known(
            item.code, item.name, value, kind=item.kind, item_unit=item.unit, unit=unit, flag=flagged, result_id=result_id,
            department_id=line.department_id, revision_id=revision_id,
            bounds=(snapshot.get("low"), snapshot.get("high")), usual=snapshot.get("text") or one.range_text or "",
            judged=item.judged, usual_texts=snapshot.get("normal_texts") or (),
        )  # fmt: skip

    def _snapshot(self, normal: ItemRange | None) -> dict[str, object] | None:
        if normal is None:
            return None
        if normal.id not in self._snapshots:
            self._snapshots[normal.id] = range_snapshot(normal)
        return self._snapshots[normal.id]

    def _sheets(self, i: int, row: PastResults, exam: Exam, lines: Sequence[ExamLine], case: Case) -> None:
        doing = {line.department_id for line in lines if line.performed_by == "department"}
        sheets = {sheet.department_id: sheet for sheet in row.sheets}
        if set(sheets) != doing or len(sheets) != len(row.sheets):
            self.errors.append(
                FieldError(
                    f"/rows/{i}/sheets",
                    "departments",
                    "每个检查科室应有一份签名",
                    "one signature of each department that examined",
                )
            )
            return
        for department_id in sorted({line.department_id for line in lines}):
            found = self._found(exam, department_id, case)
            columns = [column.key for column in DepartmentSheetLine.__table__.columns]
            self.lines += [{key: getattr(one, key) for key in columns} for one in found]
            sheet = sheets.get(department_id)
            if sheet is None:
                continue
            place = {
                "exam_id": exam.id,
                "department_id": department_id,
                "version": _VERSION_SIGNED,
                "campus_id": exam.campus_id,
            }
            summary = sheet.summary or self._summary(found, of_department(case, department_id))
            self.sheets.append({
                **place, "state": "signed", "summary": summary, "signed_by": sheet.signed_by, "signed_at": sheet.signed_at,
                "signer_name": sheet.signer_name,
            })  # fmt: skip
            self.steps.append({
                **place, "action": "signed", "summary": summary, "reason": None, "by": sheet.signed_by, "by_name": sheet.signer_name,
                "at": sheet.signed_at,
            })  # fmt: skip

    def _summary(self, found: Sequence[DepartmentSheetLine], own: Case) -> str:
        grave = graves_of(self._active, own) if self._active is not None else ()
        return text_of(found, own.every, complete=True, grave=grave)

    def _found(self, exam: Exam, department_id: int, case: Case) -> list[DepartmentSheetLine]:
        if self._active is None:
            return []
        own = of_department(case, department_id)
        standing_at = {
            k.result_id: k.revision_id for k in case.every if k.result_id is not None and k.revision_id is not None
        }
        # What looks at none of the department's values cannot hold in them.
        found = found_in(self._active, own, frozenset(own.values))
        return [
            DepartmentSheetLine(
                id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, department_id=department_id, sort=sort, origin="rule",
                finding_code=advice.code, rule_codes=[one.rule.code for one in why], knowledge_version_id=self._active.version_id,
                text=line_text(advice, why), edited=False, removed=False, stale=False, asked=[], result_ids=result_ids(why),
                revision_ids=[standing_at[i] for i in result_ids(why) if i in standing_at],
            )
            for sort, (advice, why) in enumerate(found, 1)
        ]  # fmt: skip


def _fault(item: Item, one: PastValue) -> tuple[str, str, str, str] | None:
    """Return what is wrong with a value: the field, code, sentence in Chinese and in English."""
    if item.code in FORMULAS:
        wrong = (
            None
            if read("computed", one.value, [item.unit or ""]) is not None
            else ("not-a-number", "应为数值", "must be a number")
        )
    else:
        wrong = wrong_value(item, one.value)
    if wrong is not None:
        return ("value", *wrong)
    unit = one.unit or ""
    if not (unit_fits(unit, item.unit, item.code) if item.kind in NUMBERS else same_unit(unit, item.unit)):
        return "unit", "unit-differs", "单位与项目不同", "the unit is not the item's"
    return None


def _numbers(
    given: Mapping[tuple[UUID, UUID], tuple[PastValue, Value]], groups: Mapping[UUID, Sequence[_Plain]], line: ExamLine,
    lines: Iterable[ExamLine],
) -> dict[str, Decimal]:  # fmt: skip
    """Return the plain numbers by item code, this line's own first."""
    found: dict[str, Decimal] = {}
    if not any(item.code in FORMULAS for item in groups.get(line.item_group_id, ())):
        return found
    for other in sorted(lines, key=lambda other: other.id != line.id):
        for item in groups.get(other.item_group_id, ()):
            said = given.get((other.id, item.id))
            if said is not None and said[1].numeric is not None and not said[1].comparator:
                found.setdefault(item.code, said[1].numeric)
    return found


def _computed(item: _Plain, numbers: Mapping[str, Decimal], exam: Exam) -> Value | None:
    formula = FORMULAS.get(item.code)
    if formula is None or not all(code in numbers for code in formula.inputs):
        return None
    value = formula.compute([numbers[code] for code in formula.inputs], Person(exam.sex, exam.age_years))
    return None if value is None else computed_value(value)
