"""Writing and signing a conclusion. Two people, one after the other, under the exam's lock; the second of two at once gets 412."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import (
    ConclusionEmpty,
    ConclusionStateConflict,
    EntryKeyUnknown,
    EntryResultUnknown,
    OverviewContradictsResults,
    ResultsChangedUnderReview,
    SameReviewer,
)
from tjapi.conclusion.events import ConclusionReturned, ConclusionSigned
from tjapi.conclusion.models import Conclusion, ConclusionEntry, ConclusionStep
from tjapi.conclusion.rules import MOVES, ConclusionState, EntryKind, in_order
from tjapi.conclusion.schemas import ConclusionIn, ConclusionOut, EntryIn, EntryOut
from tjapi.conclusion.service.claiming import hold, let_go
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.words import says_all_normal
from tjapi.result import service as results
from tjapi.result.errors import SignerNotStaff


async def write(uow: UnitOfWork, exam_id: UUID, given: ConclusionIn, expected: int) -> ConclusionOut:
    """Write the draft; the first one takes the exam into review. Entries that were made and are not sent back stay removed.

    Raises ExamNotFound, PreconditionFailed, ExamStateConflict, ExamNotComplete with every reason, ConclusionStateConflict,
    ReviewClaimed, EntryResultUnknown, EntryKeyUnknown.
    """
    exam, found = await open_draft(uow, exam_id, expected)
    known = await results.result_ids(uow, exam_id)
    strange = [
        FieldError(f"/entries/{i}/result_ids/{j}", "unknown", "不是这次体检的结果", "no result of this exam")
        for i, entry in enumerate(given.entries)
        for j, result_id in enumerate(entry.result_ids)
        if result_id not in known
    ]
    if strange:
        raise EntryResultUnknown(errors=strange)
    before = {e.key: e for e in await repository.entries(uow, exam_id) if e.key is not None}
    _check_keys(found, before, given)
    sent = {e.key for e in given.entries if e.key is not None}
    found.removed_keys = sorted((set(found.removed_keys) | before.keys()) - sent)
    found.version, found.overview = found.version + 1, given.overview
    entries = [_entry(exam, entry, before.get(entry.key) if entry.key else None) for entry in in_order(given.entries)]
    await replace(uow, found, entries)
    return await keep(uow, found, "written")


def _check_keys(found: Conclusion, before: Mapping[str, ConclusionEntry], given: ConclusionIn) -> None:
    known, seen, errors = before.keys() | set(found.removed_keys), set(), []
    for i, entry in enumerate(given.entries):
        if entry.key is None:
            continue
        if entry.key not in known:
            errors.append(FieldError(f"/entries/{i}/key", "unknown", "没有这个来源", "nothing of this key was found"))
        elif entry.key in seen:
            errors.append(FieldError(f"/entries/{i}/key", "duplicate", "同一来源出现两次", "the key is there twice"))
        seen.add(entry.key)
    if errors:
        raise EntryKeyUnknown(errors=errors)


def _entry(exam: Exam, given: EntryIn, before: ConclusionEntry | None) -> ConclusionEntry:
    same = before is not None and all(
        getattr(before, field) == getattr(given, field) for field in ("kind", "title", "detail", "advice", "lifestyle")
    )
    return ConclusionEntry(
        id=uuid7(), exam_id=exam.id, campus_id=exam.campus_id, kind=given.kind, title=given.title, detail=given.detail,
        advice=given.advice, lifestyle=given.lifestyle, result_ids=list(dict.fromkeys(given.result_ids)), key=given.key,
        icd10=before.icd10 if before is not None else None, rule_codes=before.rule_codes if before is not None else [],
        edited=before.edited if before is not None and same else True, stale=before.stale if before is not None else False,
    )  # fmt: skip


async def open_draft(uow: UnitOfWork, exam_id: UUID, expected: int) -> tuple[Exam, Conclusion]:
    """Lock the exam, take it into review, hold the claim, and return its draft, made if there is none yet."""
    found = await _open(uow, exam_id, expected)
    exam = await exams.begin_review(uow, exam_id)
    if found is not None and found.state != "draft":
        raise _conflict(found)
    await hold(uow, exam)
    if found is None:
        found = Conclusion(
            exam_id=exam_id, campus_id=exam.campus_id, version=0, state="draft", overview="", removed_keys=[]
        )
        uow.session.add(found)
    return exam, found


async def replace(uow: UnitOfWork, found: Conclusion, entries: Sequence[ConclusionEntry]) -> None:
    """Put the entries of a draft in the place of those before, in this order."""
    await uow.session.flush()
    await repository.clear_entries(uow, found.exam_id)
    for sort, entry in enumerate(entries):
        entry.sort = sort
    uow.session.add_all(entries)


def copied(entry: ConclusionEntry) -> ConclusionEntry:
    """Return an entry under another id: the rows of a draft are replaced as a whole."""
    fields = {c.key: getattr(entry, c.key) for c in entry.__table__.columns}
    return ConclusionEntry(**fields | {"id": uuid7()})


async def sign(uow: UnitOfWork, exam_id: UUID, expected: int) -> ConclusionOut:
    """Sign as the first reviewer; what was seen is remembered by its digest.

    Raises ExamNotFound, PreconditionFailed, SignerNotStaff, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ConclusionEmpty,
    OverviewContradictsResults.
    """
    _only_staff(uow)
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionEmpty
    exam = await exams.begin_review(uow, exam_id)
    _check_move(found, "initial_signed")
    if not found.overview:
        raise ConclusionEmpty
    if says_all_normal(found.overview) and any(known.flag for known in (await results.case_of(uow, exam_id)).every):
        raise OverviewContradictsResults
    await hold(uow, exam)
    found.state, found.version = "initial_signed", found.version + 1
    found.initial_by, found.initial_at = uow.principal.id, uow.now
    found.initial_name = await identity.staff_name(uow, uow.principal.id)
    found.results_digest, found.returned_reason = await results.digest(uow, exam_id), None
    await let_go(uow, exam_id)
    signed = await keep(uow, found, "signed")
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
    await hold(uow, await exams.begin_review(uow, exam_id))
    if found.results_digest != await results.digest(uow, exam_id):
        raise ResultsChangedUnderReview
    found.state, found.version = "finalized", found.version + 1
    found.final_by, found.final_at = uow.principal.id, uow.now
    found.final_name = await identity.staff_name(uow, uow.principal.id)
    await let_go(uow, exam_id)
    done = await keep(uow, found, "finalized")
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
    await let_go(uow, found.exam_id)
    said = await keep(uow, found, "returned", reason)
    await uow.publish(ConclusionReturned(campus_id=found.campus_id, exam_id=found.exam_id))
    return said


def _check_move(found: Conclusion, to: ConclusionState) -> None:
    if to not in MOVES[found.state]:
        raise _conflict(found)


def _conflict(found: Conclusion) -> ConclusionStateConflict:
    return ConclusionStateConflict("主检结论当前为「{current}」", "The conclusion is {current}", current=found.state)


def _only_staff(uow: UnitOfWork) -> None:
    if uow.principal.kind != "staff":
        raise SignerNotStaff


async def keep(uow: UnitOfWork, found: Conclusion, action: str, reason: str | None = None) -> ConclusionOut:
    """Keep this version as it is, with its audit row and its live event."""
    await uow.session.flush()
    said = out(found, await repository.entries(uow, found.exam_id))
    entries = [entry.model_dump(mode="json", exclude={"id", "sort"}) for entry in said.entries]
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
    return said


def empty(exam_id: UUID) -> ConclusionOut:
    """Return the conclusion of an exam of which nothing was written yet."""
    return ConclusionOut(
        exam_id=exam_id, version=0, state="draft", overview="", entries=[], initial_by=None, initial_name=None, initial_at=None,
        final_by=None, final_name=None, final_at=None, returned_reason=None, knowledge_version_id=None,
    )  # fmt: skip


def out(found: Conclusion, entries: Sequence[ConclusionEntry]) -> ConclusionOut:
    """Return the public shape of a conclusion."""
    return ConclusionOut(
        exam_id=found.exam_id, version=found.version, state=cast("ConclusionState", found.state), overview=found.overview,
        entries=[
            EntryOut(
                id=e.id, sort=e.sort, kind=cast("EntryKind", e.kind), title=e.title, detail=e.detail, advice=e.advice,
                lifestyle=e.lifestyle, result_ids=e.result_ids, key=e.key, icd10=e.icd10, rule_codes=e.rule_codes, edited=e.edited,
                stale=e.stale, manual=not e.result_ids,
            )
            for e in entries
        ],
        initial_by=found.initial_by, initial_name=found.initial_name, initial_at=found.initial_at, final_by=found.final_by,
        final_name=found.final_name, final_at=found.final_at, returned_reason=found.returned_reason,
        knowledge_version_id=found.knowledge_version_id,
    )  # fmt: skip
