"""A conclusion's rows: its entries, its steps, its moves. Whoever changes it holds the exam's lock."""

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import ConclusionStateConflict
from tjapi.conclusion.events import ConclusionReturned
from tjapi.conclusion.models import Conclusion, ConclusionEntry, ConclusionStep
from tjapi.conclusion.rules import MOVES, ConclusionState, EntryKind
from tjapi.conclusion.schemas import ConclusionOut, EntryOut
from tjapi.conclusion.service.claiming import let_go
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.rules.confirming import told_of
from tjapi.result.schemas import ConfirmedOut

CHANGED_UNDER = "签名后结果或科室小结有变化 · results or summaries changed after the signature"


async def replace(uow: UnitOfWork, found: Conclusion, entries: Sequence[ConclusionEntry]) -> None:
    """Put the entries of a draft in the place of those before, in this order."""
    await uow.session.flush()
    await repository.clear_entries(uow, found.exam_id)
    for sort, entry in enumerate(entries):
        entry.sort = sort
    uow.session.add_all(entries)


def keys_of(entry: ConclusionEntry) -> list[str]:
    """Return every finding that an entry stands for."""
    return list(entry.keys) or ([entry.key] if entry.key is not None else [])


def copied(entry: ConclusionEntry) -> ConclusionEntry:
    """Return an entry under another id: the rows of a draft are replaced as a whole."""
    fields = {c.key: getattr(entry, c.key) for c in entry.__table__.columns}
    return ConclusionEntry(**fields | {"id": uuid7(), "private": bool(entry.private), "asked": list(entry.asked or ())})


async def back_to_draft(uow: UnitOfWork, found: Conclusion, reason: str, action: str = "returned") -> ConclusionOut:
    """Take every signature back, for a reason: nobody stands for what others may change now."""
    check_move(found, "draft")
    found.state, found.version = "draft", found.version + 1
    found.initial_by = found.initial_name = found.initial_at = found.results_digest = None
    found.final_by = found.final_name = found.final_at = None
    found.returned_reason = reason
    await let_go(uow, found.exam_id)
    said = await keep(uow, found, action, reason)
    await uow.publish(ConclusionReturned(campus_id=found.campus_id, exam_id=found.exam_id))
    return said


def check_move(found: Conclusion, to: ConclusionState) -> None:
    """Raise ConclusionStateConflict unless the state machine allows a step."""
    if to not in MOVES[found.state]:
        raise conflict(found)


def conflict(found: Conclusion) -> ConclusionStateConflict:
    """Return the refusal of a step that the state does not allow."""
    return ConclusionStateConflict("主检结论当前为「{current}」", "The conclusion is {current}", current=found.state)


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
        final_by=None, final_name=None, final_at=None, returned_reason=None, knowledge_version_id=None, overview_stale=False, reopened_at=None,
    )  # fmt: skip


def out(found: Conclusion, entries: Sequence[ConclusionEntry]) -> ConclusionOut:
    """Return the public shape of a conclusion."""
    return ConclusionOut(
        exam_id=found.exam_id, version=found.version, state=cast("ConclusionState", found.state), overview=found.overview,
        entries=[
            EntryOut(
                id=e.id, sort=e.sort, kind=cast("EntryKind", e.kind), title=e.title, detail=e.detail, advice=e.advice,
                lifestyle=e.lifestyle, result_ids=e.result_ids, key=e.key, keys=keys_of(e), icd10=e.icd10, rule_codes=e.rule_codes, edited=e.edited,
                stale=e.stale, manual=not e.result_ids, asked=list(e.asked or ()),
            )
            for e in entries
        ],
        initial_by=found.initial_by, initial_name=found.initial_name, initial_at=found.initial_at, final_by=found.final_by,
        final_name=found.final_name, final_at=found.final_at, returned_reason=found.returned_reason,
        knowledge_version_id=found.knowledge_version_id, overview_stale=found.overview_stale, reopened_at=found.reopened_at,
        overview_asked=list(found.overview_asked or ()), confirmed=[ConfirmedOut.model_validate(one) for one in told_of(found.confirmed or (), private=any(e.private for e in entries))],
    )  # fmt: skip
