"""The case of an exam: its values as the rules of the knowledge base see them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tjapi.catalog.rules import Subject
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.calm import is_unjudged_text
from tjapi.knowledge.composing import mentions_kept
from tjapi.knowledge.rules import Case, Known, remarked
from tjapi.knowledge.service import Knowledge
from tjapi.result import repository, views
from tjapi.result.rules.choices import called_by, unexamined
from tjapi.result.rules.derivation import Facts, Sources, absent, said_of
from tjapi.result.rules.flags import lab_critical, undetermined
from tjapi.result.rules.notes import told
from tjapi.result.rules.reading import WORDS, chosen
from tjapi.result.rules.values import Value, finding, same_unit

_EXAMS_BACK = 10


def changed(uow: UnitOfWork, exam_id: UUID) -> None:
    """Note that the values of a locked exam are others now: its case is put together at the next question, and kept for those after it."""
    _kept(uow)[exam_id] = None


def _kept(uow: UnitOfWork) -> dict[UUID, Case | None]:
    kept: dict[UUID, Case | None] = uow.session.info.setdefault("cases", {})
    return kept


async def case_of(uow: UnitOfWork, exam_id: UUID) -> Case:
    """Return what the rules may be asked about an exam, as far as the caller may see it. Raises ExamNotFound."""
    kept = _kept(uow)
    case = kept.get(exam_id) or await _read(uow, exam_id)
    if exam_id in kept:
        kept[exam_id] = case
    return case


async def edition_of(uow: UnitOfWork, exam: Exam) -> Knowledge | None:
    """Return the edition by which an exam is judged: that of the first time it was, whatever came into use since; None before any is."""
    if exam.knowledge_version_id is not None:
        return await knowledge.edition(uow, exam.knowledge_version_id)
    active = await knowledge.active(uow)
    if active is not None:
        exams.pin_edition(uow, exam.id, active.version_id)
    return active


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything derived of an exam is made of, as it is now."""

    case: Case
    facts: Facts
    edition: Knowledge | None
    _said: dict[UUID, str]
    _revisions: dict[UUID, UUID]

    def sources(
        self, result_ids: Iterable[UUID], *, missing: Iterable[str] = (), words: Iterable[tuple[str, str]] = ()
    ) -> Sources:
        """Return the sources of what rests on results; `missing`: parts that are not there; `words`: parts that somebody wrote."""
        said = {(str(result_id), self._said.get(result_id, "")) for result_id in result_ids}
        edition = self.edition.version_id if self.edition is not None else None
        return Sources(frozenset(said | absent(missing) | set(words)), self.facts, edition)

    def revisions(self, result_ids: Iterable[UUID]) -> list[UUID]:
        """Return the revisions that these results stand at."""
        return [self._revisions[result_id] for result_id in result_ids if result_id in self._revisions]

    def of_department(self, department_id: int) -> list[UUID]:
        """Return the results of a department that have a value."""
        return [
            known.result_id for known in _all(self.case) if known.department_id == department_id and known.result_id
        ]

    @property
    def everything(self) -> list[UUID]:
        """The results of the exam that have a value."""
        return [known.result_id for known in _all(self.case) if known.result_id]


def _all(case: Case) -> list[Known]:
    return [*case.values.values(), *(known for many in case.repeats.values() for known in many)]


async def ground_of(uow: UnitOfWork, exam: Exam) -> Ground:
    """Return what is known of an exam now, to make or to compare with what was made."""
    case = await case_of(uow, exam.id)
    held = [*_all(case), *(known for many in case.before.values() for known in many)]
    said = {
        known.result_id: said_of("；".join((known.same, *_grave_beside(known))), known.unit, known.flag)
        for known in held
        if known.result_id is not None
    }
    revisions = {k.result_id: k.revision_id for k in held if k.result_id is not None and k.revision_id is not None}
    return Ground(case, facts_of(exam), await edition_of(uow, exam), said, revisions)


def _grave_beside(known: Known) -> list[str]:
    """Return the sentences beside a value of which somebody is told: what is made of it rests on them as well."""
    return list(dict.fromkeys(one.said for one in remarked(known) if one.grave and one.stands))


def facts_of(exam: Exam) -> Facts:
    """Return what an exam says of its person."""
    return Facts(exam.sex, exam.birth_date, exam.pregnant, exam.exam_date)


def subject_of(exam: Exam) -> Subject:
    """Return for whom and on which day a range is chosen, of an exam."""
    return Subject(exam.sex, exam.birth_date, "", exam.exam_date, exam.pregnant)


async def _read(uow: UnitOfWork, exam_id: UUID) -> Case:
    """Return the case of an exam, read of its tables.

    Of an item that stands on several lines the first is its value and the others are repeated measurements. Earlier values are read
    only of items that a rule of the active version compares with the past, newest exam first.
    """
    exam = await exams.get(uow, exam_id)
    values, repeats = put_together(await views.case_values(uow, [exam_id]))
    active = await edition_of(uow, exam)
    compared = {code for rule in active.rules for code in rule.past} & values.keys() if active is not None else set()
    return Case(
        exam.sex,
        exam.age_years,
        values,
        await before_of(uow, exam, compared),
        repeats,
        bool(exam.pregnant),
        exam.age_days,
    )


def put_together(rows: Iterable[views.CaseRow]) -> tuple[dict[str, Known], dict[str, list[Known]]]:
    """Return the values of one exam by item, and the other measurements of the same items."""
    values: dict[str, Known] = {}
    repeats: dict[str, list[Known]] = {}
    for row in rows:
        one = _known(row)
        if one.item_code in values:
            repeats.setdefault(one.item_code, []).append(one)
        else:
            values[one.item_code] = one
    return values, repeats


async def values_of(uow: UnitOfWork, revision_ids: Collection[UUID]) -> dict[UUID, Known]:
    """Return revisions as rules would see them, by id: those that are no current values as well."""
    if not revision_ids:
        return {}
    return {row.revision_id: _known(row) for row in await views.case_values_of(uow, revision_ids)}


async def earlier_of(uow: UnitOfWork, exam_id: UUID) -> list[Known]:
    """Return whatever was ever said of an exam's results, current values among it: what words may have been written on."""
    said = await repository.revisions_of_exam(uow, exam_id)
    return list((await values_of(uow, [revision.id for revision in said])).values())


async def past_of(uow: UnitOfWork, exam_id: UUID, codes: Collection[str]) -> list[Known]:
    """Return what items were in the person's earlier exams, as far as that is decided: what may be told of another day."""
    exam = await exams.get(uow, exam_id)
    return [known for values in (await before_of(uow, exam, codes)).values() for known in values]


async def before_of(uow: UnitOfWork, exam: Exam, codes: Collection[str]) -> dict[str, list[Known]]:
    """Return what items were in the person's earlier exams, newest first, as far as that is decided."""
    if not codes:
        return {}
    past = [e.id for e in await views.past_exams(uow, exam, _EXAMS_BACK) if e.id != exam.id]
    found: dict[str, list[Known]] = {}
    if past:
        order = {exam_id: i for i, exam_id in enumerate(past)}
        for row in sorted(await views.past_case_values(uow, past, codes), key=lambda row: order[row.exam_id]):
            found.setdefault(row.item_code, []).append(_known(row))
    return found


def known(
    code: str, name: str, value: Value, *, kind: str, item_unit: str | None, unit: str | None, flag: str | None,
    result_id: UUID | None = None, department_id: int | None = None, revision_id: UUID | None = None, alarm: bool = False,
    bounds: tuple[str | None, str | None] = (None, None), usual: str = "", judged: bool = True, by_person: bool = False,
    usual_texts: Iterable[str] = (), marked: bool = False, remarks: Iterable[str] = (), coded: Mapping[str, Any] | None = None,
    choices: Iterable[str] = (),
) -> Known:  # fmt: skip
    """Return a value as a rule sees it: a qualitative grade in its one spelling, a unit that means the item's own as the item's own.

    `marked`: the laboratory flagged it; `remarks` are the words beside it, `coded` what its text was composed of.
    """
    parts = chosen(value.text) if kind == "multi_select" else ()
    idle = not flag and unexamined(kind, parts or (value.text,))
    texts = tuple(usual_texts)
    return Known(
        code, name, finding(value.text), value.numeric, value.comparator,
        item_unit if same_unit(unit or "", item_unit) else unit, flag,
        parts, result_id, department_id, revision_id, alarm,
        bounds, usual, undetermined(kind, flag, judged=judged) and not idle, by_person=by_person and kind in WORDS,
        described=is_unjudged_text(kind, flag, value.text) and not idle, unexamined=idle, usual_texts=texts,
        called=called_by(flag, ranged=any(bounds) or bool(usual or texts), by_person=by_person, marked=marked),
        remarks=tuple(said for one in remarks if (said := told(one))), coded=mentions_kept(coded), choices=tuple(choices),
    )  # fmt: skip


def _known(row: views.CaseRow) -> Known:
    value = Value(row.raw_value, row.text, row.comparator, row.numeric)
    return known(
        row.item_code, row.item_name, value, kind=row.kind, item_unit=row.item_unit, unit=row.unit, flag=row.flag, result_id=row.result_id,
        department_id=row.department_id, revision_id=row.revision_id, alarm=lab_critical((row.lis_flags or "").split(" ")),
        bounds=(row.low, row.high), usual=row.usual or "", judged=row.judged, by_person=row.by_person,
        usual_texts=row.usual_texts or (), marked=bool(row.lis_flags), remarks=row.remarks, coded=row.coded, choices=row.choices or (),
    )  # fmt: skip
