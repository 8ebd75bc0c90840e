"""Three persons sign a version, and it takes effect on its day."""

from datetime import date, timedelta
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.schemas import RangeIn
from tjapi.kernel.clock import business_day, midnight
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import repository
from tjapi.knowledge.errors import (
    KnowledgeApproved,
    KnowledgeInvalid,
    KnowledgeNotApproved,
    KnowledgeNotDraft,
    KnowledgeOwnDraft,
)
from tjapi.knowledge.events import KnowledgeSigned
from tjapi.knowledge.models import KnowledgeVersion
from tjapi.knowledge.schemas import (
    VersionOut,
)
from tjapi.knowledge.service.reading import held_version, out


async def approve(uow: UnitOfWork, version_id: UUID) -> VersionOut:
    """Approve a version as the head of the laboratory: its ranges, limits and critical values are those of our methods.

    Raises KnowledgeVersionNotFound, KnowledgeApproved, KnowledgeOwnDraft.
    """
    await repository.lock(uow)
    version = await held_version(uow, version_id)
    if version.approved_at is not None:
        raise KnowledgeApproved
    if version.created_by == uow.principal.id:
        raise KnowledgeOwnDraft
    version.approved_by, version.approved_at = uow.principal.id, uow.now
    await uow.audit("knowledge.approved", "knowledge_version", version.id, detail={"number": version.number})
    return (await out(uow, [version]))[0]


async def activate(uow: UnitOfWork, version_id: UUID, effective_on: date | None = None) -> VersionOut:
    """Sign a version as chief physician, and put it into use: at once, or on the day from which it holds. Conclusions that exist keep theirs.

    The version before is retired then. What ships is active from the installation on, and is signed where it stands. The ranges of a version that
    is put into use during a day hold from the next one: values of one exam are not judged by two.
    Raises KnowledgeVersionNotFound, KnowledgeInvalid, KnowledgeNotDraft, KnowledgeNotApproved, KnowledgeOwnDraft.
    """
    today = business_day(uow.now)
    if effective_on is not None and effective_on < today:
        raise KnowledgeInvalid(
            errors=[FieldError("/effective_on", "past", "生效日期不能早于今天", "cannot be before today")]
        )
    await repository.lock(uow)
    version = await held_version(uow, version_id)
    # What is in use cannot come into force later.
    if version.state == "active" and (version.signed_at is not None or (effective_on or today) > today):
        raise KnowledgeNotDraft
    if version.approved_at is None:
        raise KnowledgeNotApproved
    if uow.principal.id in (version.created_by, version.approved_by):
        raise KnowledgeOwnDraft
    version.signed_by, version.signed_at, version.effective_on = uow.principal.id, uow.now, effective_on
    await uow.audit(
        "knowledge.signed", "knowledge_version", version.id,
        detail={"number": version.number, "effective_on": effective_on.isoformat() if effective_on else None},
    )  # fmt: skip
    if version.state != "active":
        await _on_its_day(uow, version)
    else:
        await uow.publish(KnowledgeSigned(campus_id=None, version_id=version.id))
    return (await out(uow, [version]))[0]


async def _on_its_day(uow: UnitOfWork, version: KnowledgeVersion) -> None:
    today = business_day(uow.now)
    if version.effective_on is None or version.effective_on <= today:
        await put_into_use(uow, version)
        return
    version.state = "scheduled"
    await uow.enqueue(
        TAKE_EFFECT, {"version_id": str(version.id)}, campus_id=None, key=f"{version.id}:{version.effective_on}",
        delay=midnight(version.effective_on) - uow.now + _NOT_BEFORE,
    )  # fmt: skip


TAKE_EFFECT = "knowledge.take_effect"


_NOT_BEFORE = timedelta(seconds=5)
"""A worker whose clock is a little behind must not find the day before."""


async def take_effect(uow: UnitOfWork, version_id: UUID) -> bool:
    """Put a signed version into use whose day has come; twice is once. False: its day is another one now, or it is in use."""
    await repository.lock(uow)
    version = await held_version(uow, version_id)
    if version.state != "scheduled" or version.effective_on is None or version.effective_on > business_day(uow.now):
        return False
    await put_into_use(uow, version)
    return True


async def put_into_use(uow: UnitOfWork, version: KnowledgeVersion) -> None:
    """Make a version the one in use; the one before is retired."""
    uow.session.info.pop("knowledge", None)
    before = await repository.active(uow)
    if before is not None:
        before.state = "retired"
        await uow.session.flush()
    version.state, version.activated_by, version.activated_at = "active", version.signed_by or uow.principal.id, uow.now
    # Exams were judged today by the ranges of before, unless the day has only begun: then the version was signed for it.
    today = business_day(uow.now)
    on = today + timedelta(days=1) if version.effective_on is None else max(version.effective_on, today)
    await catalog.put_ranges(uow, [RangeIn.model_validate(row) for row in version.ranges], on)
    await uow.audit("knowledge.activated", "knowledge_version", version.id, detail={"number": version.number})
    await uow.session.flush()
    if version.signed_at is not None:
        await uow.publish(KnowledgeSigned(campus_id=None, version_id=version.id))
