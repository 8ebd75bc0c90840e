"""The verbs of a conclusion. Two people, one after the other, under the exam's lock; the second of two at once gets 412."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from tjapi.conclusion import repository, views
from tjapi.conclusion.errors import (
    ConclusionEmpty,
    ConclusionStateConflict,
    EntryResultUnknown,
    ResultsChangedUnderReview,
    SameReviewer,
)
from tjapi.conclusion.events import ConclusionReturned, ConclusionSigned
from tjapi.conclusion.models import Conclusion, ConclusionEntry, ConclusionStep
from tjapi.conclusion.rules import MOVES, ConclusionState, EntryKind, in_order
from tjapi.conclusion.schemas import ConclusionIn, ConclusionOut, EntryOut, QueueItem
from tjapi.exam import service as exams
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import service as results
from tjapi.result.errors import SignerNotStaff


async def get(uow: UnitOfWork, exam_id: UUID) -> ConclusionOut:
    """Return an exam's conclusion; nothing written yet is version 0. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    found = await repository.conclusion(uow, exam_id)
    if found is None:
        return ConclusionOut(
            exam_id=exam_id, version=0, state="draft", overview="", entries=[], initial_by=None, initial_name=None, initial_at=None,
            final_by=None, final_name=None, final_at=None, returned_reason=None,
        )  # fmt: skip
    return _out(found, await repository.entries(uow, exam_id))


async def write(uow: UnitOfWork, exam_id: UUID, given: ConclusionIn, expected: int) -> ConclusionOut:
    """Write the draft; the first one takes the exam into review.

    Raises ExamNotFound, PreconditionFailed, ExamStateConflict, ExamNotComplete with every reason, ConclusionStateConflict,
    EntryResultUnknown.
    """
    found = await _open(uow, exam_id, expected)
    exam = await exams.begin_review(uow, exam_id)
    if found is not None and found.state != "draft":
        raise _conflict(found)
    known = await results.result_ids(uow, exam_id)
    strange = [
        FieldError(f"/entries/{i}/result_ids/{j}", "unknown", "不是这次体检的结果", "no result of this exam")
        for i, entry in enumerate(given.entries)
        for j, result_id in enumerate(entry.result_ids)
        if result_id not in known
    ]
    if strange:
        raise EntryResultUnknown(errors=strange)
    if found is None:
        found = Conclusion(exam_id=exam_id, campus_id=exam.campus_id, version=0, state="draft", overview="")
        uow.session.add(found)
    found.version, found.overview = found.version + 1, given.overview
    await uow.session.flush()
    await repository.clear_entries(uow, exam_id)
    uow.session.add_all(
        ConclusionEntry(
            id=uuid7(), exam_id=exam_id, campus_id=exam.campus_id, sort=i, kind=entry.kind, title=entry.title, detail=entry.detail,
            advice=entry.advice, result_ids=list(dict.fromkeys(entry.result_ids)),
        )
        for i, entry in enumerate(in_order(given.entries))
    )  # fmt: skip
    return await _keep(uow, found, "written")


async def sign(uow: UnitOfWork, exam_id: UUID, expected: int) -> ConclusionOut:
    """Sign as the first reviewer; what was seen is remembered by its digest.

    Raises ExamNotFound, PreconditionFailed, SignerNotStaff, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ConclusionEmpty.
    """
    _only_staff(uow)
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionEmpty
    await exams.begin_review(uow, exam_id)
    _check_move(found, "initial_signed")
    if not found.overview:
        raise ConclusionEmpty
    found.state, found.version = "initial_signed", found.version + 1
    found.initial_by, found.initial_at = uow.principal.id, uow.now
    found.initial_name = await identity.staff_name(uow, uow.principal.id)
    found.results_digest, found.returned_reason = await results.digest(uow, exam_id), None
    signed = await _keep(uow, found, "signed")
    await uow.publish(ConclusionSigned(campus_id=found.campus_id, exam_id=exam_id))
    return signed


async def finalize(uow: UnitOfWork, exam_id: UUID, expected: int) -> ConclusionOut:
    """Give the final sign-off: another person, on exactly what the first one saw.

    Raises ExamNotFound, PreconditionFailed, SignerNotStaff, ConclusionStateConflict, SameReviewer, ResultsChangedUnderReview,
    ExamStateConflict, ExamNotComplete with every reason.
    """
    _only_staff(uow)
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionStateConflict("初审尚未签名", "The first review is not signed")
    _check_move(found, "finalized")
    if found.initial_by == uow.principal.id:
        raise SameReviewer
    # Back in review, if something was outstanding meanwhile that is no longer: the digest says whether it was the same.
    await exams.begin_review(uow, exam_id)
    if found.results_digest != await results.digest(uow, exam_id):
        raise ResultsChangedUnderReview
    found.state, found.version = "finalized", found.version + 1
    found.final_by, found.final_at = uow.principal.id, uow.now
    found.final_name = await identity.staff_name(uow, uow.principal.id)
    done = await _keep(uow, found, "finalized")
    await exams.finalize(uow, exam_id)
    return done


async def stands(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether the results of a finalized exam are still those that were signed: otherwise no report may be made of it."""
    found = await repository.conclusion(uow, exam_id)
    return (
        found is not None and found.state == "finalized" and found.results_digest == await results.digest(uow, exam_id)
    )


async def give_back(uow: UnitOfWork, exam_id: UUID, reason: str, expected: int) -> ConclusionOut:
    """Return a signed conclusion to its first reviewer. Raises ExamNotFound, PreconditionFailed, ConclusionStateConflict."""
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionStateConflict("初审尚未签名", "The first review is not signed")
    return await _back_to_draft(uow, found, reason)


async def invalidate(uow: UnitOfWork, exam_id: UUID) -> None:
    """Something that the first reviewer saw has changed: the signature is taken back. A finalized conclusion stays what it is."""
    await exams.lock(uow, exam_id)
    found = await repository.conclusion(uow, exam_id)
    if (
        found is not None
        and found.state == "initial_signed"
        and found.results_digest != await results.digest(uow, exam_id)
    ):
        await _back_to_draft(
            uow, found, "签名后结果或科室小结有变化 · results or summaries changed after the signature"
        )


async def queue(uow: UnitOfWork, *, campus_id: int | None, after: list[str] | None, size: int) -> Sequence[Any]:
    """Return a page of the exams that wait for a reviewer, first ready first, one row too many."""
    return await views.queue(uow, campus_id=campus_id, after=after, size=size)


def queue_item(row: Any) -> QueueItem:
    """Return the public shape of a row of the queue."""
    return QueueItem.model_validate({**row._mapping, "conclusion_state": row.conclusion_state or "draft"})  # noqa: SLF001 - SQLAlchemy's public name


async def _open(uow: UnitOfWork, exam_id: UUID, expected: int) -> Conclusion | None:
    await exams.lock(uow, exam_id)
    found = await repository.conclusion(uow, exam_id)
    if (found.version if found is not None else 0) != expected:
        raise PreconditionFailed
    return found


async def _back_to_draft(uow: UnitOfWork, found: Conclusion, reason: str) -> ConclusionOut:
    _check_move(found, "draft")
    found.state, found.version = "draft", found.version + 1
    found.initial_by = found.initial_name = found.initial_at = found.results_digest = None
    found.returned_reason = reason
    out = await _keep(uow, found, "returned", reason)
    await uow.publish(ConclusionReturned(campus_id=found.campus_id, exam_id=found.exam_id))
    return out


def _check_move(found: Conclusion, to: ConclusionState) -> None:
    if to not in MOVES[found.state]:
        raise _conflict(found)


def _conflict(found: Conclusion) -> ConclusionStateConflict:
    return ConclusionStateConflict("主检结论当前为 {current}", "The conclusion is {current}", current=found.state)


def _only_staff(uow: UnitOfWork) -> None:
    if uow.principal.kind != "staff":
        raise SignerNotStaff


async def _keep(uow: UnitOfWork, found: Conclusion, action: str, reason: str | None = None) -> ConclusionOut:
    """Keep this version as it is, with its audit row and its live event."""
    await uow.session.flush()
    out = _out(found, await repository.entries(uow, found.exam_id))
    entries = [entry.model_dump(mode="json", exclude={"id", "sort"}) for entry in out.entries]
    uow.session.add(
        ConclusionStep(
            exam_id=found.exam_id, version=found.version, campus_id=found.campus_id, action=action, overview=found.overview,
            entries=entries, reason=reason, by=uow.principal.id, at=uow.now,
        )
    )  # fmt: skip
    await uow.audit(
        f"conclusion.{action}",
        "conclusion",
        found.exam_id,
        campus_id=found.campus_id,
        detail={"version": found.version},
    )
    told = {"exam_id": str(found.exam_id), "state": found.state, "version": found.version}
    await uow.announce("conclusion", told, campus_id=found.campus_id, permission="conclusion.read")
    return out


def _out(found: Conclusion, entries: Sequence[ConclusionEntry]) -> ConclusionOut:
    return ConclusionOut(
        exam_id=found.exam_id, version=found.version, state=cast("ConclusionState", found.state), overview=found.overview,
        entries=[
            EntryOut(
                id=e.id, sort=e.sort, kind=cast("EntryKind", e.kind), title=e.title, detail=e.detail, advice=e.advice,
                result_ids=e.result_ids, manual=not e.result_ids,
            )
            for e in entries
        ],
        initial_by=found.initial_by, initial_name=found.initial_name, initial_at=found.initial_at, final_by=found.final_by,
        final_name=found.final_name, final_at=found.final_at, returned_reason=found.returned_reason,
    )  # fmt: skip
