"""Reading results: by department, through time, and as one digest."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.errors import ExamNotFound
from tjapi.kernel.db import Look
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository, views
from tjapi.result.errors import ResultNotFound
from tjapi.result.models import DepartmentSheetLine, HeldResult, HeldRevision, Result, ResultRevision
from tjapi.result.rules import ResultsView, revisions
from tjapi.result.rules.flags import Flag
from tjapi.result.rules.revisions import ResultStatus
from tjapi.result.rules.values import Comparator, same_unit
from tjapi.result.schemas import (
    CodedText,
    ConversionOut,
    DepartmentHistoryOut,
    HistoryOut,
    PastExamOut,
    PastItemOut,
    PastValueOut,
    RangeOut,
    SummaryLineOut,
    TrendOut,
    TrendPointOut,
    TrendsOut,
    UnmappedCodeOut,
    ValueOut,
)

_TREND_SPAN = timedelta(days=3 * 366)
_TREND_EXAMS = 12


async def passed(look: Look, exam_id: UUID, view: ResultsView) -> bytes:
    """Return the JSON of an exam's results that may be seen, by department, in one statement. Raises ExamNotFound."""
    found = await views.overview(look, exam_id, view)
    if found is None:
        raise ExamNotFound
    return found


async def history(uow: UnitOfWork, result_id: UUID) -> HistoryOut:
    """Return every revision of a result. Raises ResultNotFound."""
    result = await repository.result(uow, result_id)
    if result is None:
        raise ResultNotFound
    revisions = await repository.revisions(uow, result_id)
    return HistoryOut(
        id=result.id, exam_id=result.exam_id, line_id=result.line_id, item_id=result.item_id, item_code=result.item_code,
        item_name=result.item_name, current_revision_id=result.current_revision_id, revisions=[value_out(r, shown_flag(result, r)) for r in revisions],
    )  # fmt: skip


async def department_history(
    uow: UnitOfWork, exam_id: UUID, department_id: int, *, exams_shown: int
) -> DepartmentHistoryOut:
    """Return a department's results of this exam and of the person's earlier ones, lined up by item. Raises ExamNotFound.

    Items meet by their id, which stays when a code or a unit changes; each value keeps the unit in which it was said. Exams of other
    campuses are seen only by who works there. What is not decided is marked, with what contradicts it.
    """
    exam = await exams.get(uow, exam_id)
    past = await views.past_exams(uow, exam, exams_shown)
    items: dict[UUID, PastItemOut] = {}
    for found in await views.past_results(uow, [e.id for e in past], department_id):
        result, revision = found.result, found.revision
        row = items.setdefault(
            result.item_id,
            PastItemOut(item_id=result.item_id, item_code=result.item_code, item_name=result.item_name, values=[]),
        )
        row.values.append(
            PastValueOut(
                exam_id=result.exam_id, value=shown_value(revision), unit=revision.unit, flag=shown_flag(result, revision),
                undecided=found.undecided, beside=list(found.beside),
            )
        )  # fmt: skip
    order = {e.id: i for i, e in enumerate(past)}
    for row in items.values():
        row.values.sort(key=lambda value: order[value.exam_id])
    return DepartmentHistoryOut(
        department_id=department_id,
        exams=[PastExamOut(exam_id=e.id, exam_no=e.exam_no, exam_date=e.exam_date) for e in past],
        items=list(items.values()),
    )


async def trends(uow: UnitOfWork, exam_id: UUID) -> TrendsOut:
    """Return the numbers of this exam that an earlier one of the last three years has too, in the same unit. Raises ExamNotFound.

    What is not decided is no point of a trend: nothing is printed of it, nor compared with it.
    """
    exam = await exams.get(uow, exam_id)
    since = exam.exam_date - _TREND_SPAN
    past = [e for e in await views.past_exams(uow, exam, _TREND_EXAMS) if e.exam_date >= since]
    dates = {e.id: e.exam_date for e in past}
    order = {e.id: i for i, e in enumerate(past)}
    found: dict[UUID, dict[UUID, tuple[Result, ResultRevision]]] = {}
    for result, revision in await views.numbers(uow, exam_id, list(dates)):
        found.setdefault(result.item_id, {}).setdefault(result.exam_id, (result, revision))
    items = []
    for item_id, by_exam in found.items():
        if exam_id not in by_exam:
            continue
        result, now = by_exam[exam_id]
        same = [pair for pair in by_exam.values() if same_unit(pair[1].unit or "", now.unit)]
        same.sort(key=lambda pair: order[pair[0].exam_id])
        if len(same) < 2:  # noqa: PLR2004 - one point is no trend
            continue
        normal = now.range_snapshot or {}
        before = same[1][1].numeric
        change = None if now.numeric is None or before is None else f"{now.numeric - before:f}"
        points = [
            TrendPointOut(exam_id=r.exam_id, exam_date=dates[r.exam_id], value=f"{v.numeric:f}", flag=shown_flag(r, v))
            for r, v in same
        ]
        items.append(
            TrendOut(
                item_id=item_id, item_code=result.item_code, item_name=result.item_name, unit=now.unit, low=normal.get("low"),
                high=normal.get("high"), change=change, points=points,
            )
        )  # fmt: skip
    return TrendsOut(exam_id=exam_id, items=items)


async def digest(uow: UnitOfWork, exam_id: UUID) -> str:
    """Return a digest of what a reviewer sees: every value as it reads, and each department's sheet. It changes when they change.

    The caller must be shown every department: under the department policy of row security two callers would get two digests.
    """
    await uow.session.flush()
    seen = (await repository.seen_of(uow, [exam_id])).get(exam_id, ())
    given_up = (await repository.given_up_of(uow, [exam_id])).get(exam_id, ())
    sheets = (await repository.sheet_versions(uow, [exam_id])).get(exam_id, ())
    facts_version = (await exams.get(uow, exam_id)).facts_version
    return revisions.digest(seen, given_up, sheets, facts_version)


async def reads_as(uow: UnitOfWork, exam_id: UUID, signed: str | None) -> bool:
    """Say whether a reader sees of an exam what was signed, by its digest: what changed and changed back is what it was."""
    if signed is None or signed.startswith(revisions.SEEN):
        return signed == await digest(uow, exam_id)
    await uow.session.flush()
    seen = (await repository.seen_of(uow, [exam_id])).get(exam_id, ())
    sheets = (await repository.sheet_versions(uow, [exam_id])).get(exam_id, ())
    return signed == revisions.older_digest(seen, sheets, (await exams.get(uow, exam_id)).facts_version)


async def digests(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the digest of each of many exams; see `digest`."""
    seen, given_up = await repository.seen_of(uow, exam_ids), await repository.given_up_of(uow, exam_ids)
    sheets = await repository.sheet_versions(uow, exam_ids)
    return {one: revisions.digest(seen.get(one, ()), given_up.get(one, ()), sheets.get(one, ())) for one in exam_ids}


async def ids_of(uow: UnitOfWork, exam_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return the results of each of many exams."""
    return {exam_id: set(ids) for exam_id, ids in (await repository.current_of(uow, exam_ids)).items()}


async def result_ids(uow: UnitOfWork, exam_id: UUID) -> Collection[UUID]:
    """Return the results of an exam that may be seen."""
    return {r.id for r in await repository.results(uow, exam_id)}


async def private_ids(uow: UnitOfWork, exam_id: UUID) -> frozenset[UUID]:
    """Return the results of an exam's private items, as far as they may be seen."""
    return frozenset(await repository.private_ids(uow, exam_id))


async def unmapped_codes(
    uow: UnitOfWork, *, system: str | None, after: Sequence[str] | None, size: int
) -> Sequence[UnmappedCodeOut]:
    """Return a page of codes that messages wait for, one too many."""
    rows = await views.unmapped_codes(uow, system=system, after=after, size=size)
    return [UnmappedCodeOut.model_validate(row, from_attributes=True) for row in rows]


def line_out(line: DepartmentSheetLine) -> SummaryLineOut:
    """Return the public shape of a line of a summary."""
    return SummaryLineOut.model_validate(line, from_attributes=True)


def shown_flag(result: Result | HeldResult, revision: ResultRevision | HeldRevision) -> Flag | None:
    """Return the flag of a revision, or what a person said where nothing else could judge it and it is the current value."""
    if revision.flag is None and revision.id == result.current_revision_id:
        return cast("Flag | None", result.judged_flag)
    return cast("Flag | None", revision.flag)


@dataclass(frozen=True, slots=True)
class Change:
    """A result that became another: of which item, what was said before, and what it is now (None: nothing)."""

    item_name: str
    was: str | None
    now: str | None


async def change_of(uow: UnitOfWork, result_id: UUID, revision_id: UUID | None) -> Change | None:
    """Return what a revision made of a result, as far as the caller may see it; None: they may not, or it is gone."""
    result = await repository.result(uow, result_id)
    if result is None:
        return None
    said = sorted(await repository.revisions(uow, result_id), key=lambda one: one.seq)
    here = next((one for one in said if one.id == revision_id), None)
    before = [one for one in said if (here is None or one.seq < here.seq) and one.status != "entered_in_error"]
    struck = here is None or here.status == "entered_in_error"
    return Change(
        result.item_name,
        _with_unit(before[-1]) if before else None,
        None if struck or here is None else _with_unit(here),
    )


def _with_unit(revision: ResultRevision) -> str:
    return f"{shown_value(revision)} {revision.unit or ''}".rstrip()


def shown_value(revision: ResultRevision | HeldRevision) -> str:
    """Return a value as every page shows it: the number that was read, or the words as they were said."""
    return revision.raw_value if revision.numeric is None else revision.text


def coded_out(kept: Mapping[str, Any] | None) -> CodedText | None:
    """Return what was clicked of a value, as it was clicked."""
    return None if kept is None else CodedText.model_validate({name: kept[name] for name in ("findings", "normal")})


def value_out(revision: ResultRevision | HeldRevision, flag: Flag | None) -> ValueOut:
    """Return the public shape of a revision, under the flag that is shown of it."""
    snapshot = revision.range_snapshot
    return ValueOut(
        revision_id=revision.id, seq=revision.seq, status=cast("ResultStatus", revision.status), value=shown_value(revision), raw_value=revision.raw_value,
        comparator=cast("Comparator", revision.comparator), numeric=None if revision.numeric is None else f"{revision.numeric:f}",
        unit=revision.unit, flag=flag, conversion=ConversionOut.model_validate(revision.conversion) if revision.conversion else None,
        range=RangeOut.model_validate(snapshot) if snapshot is not None else None, lis_range_text=revision.lis_range_text,
        lis_flags=revision.lis_flags, remarks=revision.remarks, coded=coded_out(revision.coded), reason=revision.reason, observed_at=revision.observed_at, source=revision.source, recorded_at=revision.recorded_at,
    )  # fmt: skip
