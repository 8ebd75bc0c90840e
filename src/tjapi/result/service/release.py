"""Messages that no machine may place: two people say to which exam one belongs; then it is filed as any other.

reliability.md 14: a result whose number and identity do not agree is quarantined until two people release it. The same way leads a
message home whose numbers nobody knows. Neither ever makes a person out of a result.
"""

from collections.abc import Sequence
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.kernel import inbox
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import naming
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.errors import (
    MessageNotReleasable,
    ReleaseDecided,
    ReleaseNotFound,
    ReleaseProposed,
    SamePerson,
    SignerNotStaff,
)
from tjapi.result.models import MessageRelease
from tjapi.result.schemas import ReleaseIn, ReleaseOut

_PLACEABLE = {("quarantined", "identity-mismatch"), ("unmatched", "unknown-barcode")}


async def propose_release(uow: UnitOfWork, message_id: UUID, given: ReleaseIn) -> ReleaseOut:
    """Say to which exam a message belongs; another person must say so too.

    Raises SignerNotStaff, InboundMessageNotFound, ExamNotFound, MessageNotReleasable, ReleaseProposed.
    """
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    with naming("/exam_id"):
        exam = await exams.get(uow, given.exam_id)
    message = await inbox.locked(uow, message_id)
    if (message.state, message.reason) not in _PLACEABLE:
        raise MessageNotReleasable
    if await repository.release_of(uow, message_id) is not None:
        raise ReleaseProposed
    release = MessageRelease(
        id=uuid7(), campus_id=exam.campus_id, message_id=message_id, exam_id=exam.id, reason=given.reason, state="proposed",
        proposed_by=uow.principal.id, proposed_at=uow.now,
    )  # fmt: skip
    uow.session.add(release)
    await _trace(uow, release, "proposed")
    return release_out(release)


async def decide_release(uow: UnitOfWork, release_id: UUID, *, agree: bool) -> ReleaseOut:
    """Agree, and the message is filed on that exam; or refuse, and it stays where it was.

    Raises SignerNotStaff, ReleaseNotFound, ReleaseDecided, SamePerson, MessageNotReleasable.
    """
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    release = await repository.release(uow, release_id)
    if release is None:
        raise ReleaseNotFound
    if release.state != "proposed":
        raise ReleaseDecided
    if release.proposed_by == uow.principal.id:
        raise SamePerson
    release.state = "released" if agree else "rejected"
    release.decided_by, release.decided_at = uow.principal.id, uow.now
    await _trace(uow, release, release.state)
    if agree:
        message = await inbox.locked(uow, release.message_id)
        if (message.state, message.reason) not in _PLACEABLE:
            raise MessageNotReleasable
        await uow.session.flush()
        await inbox.replay(uow, release.message_id)
    return release_out(release)


async def releases(
    uow: UnitOfWork, *, state: str | None, after: list[str] | None, size: int
) -> Sequence[MessageRelease]:
    """Return a page of releases, one too many."""
    return await repository.releases(uow, state=state, after=UUID(after[0]) if after else None, size=size)


async def released_to(uow: UnitOfWork, message_id: UUID) -> UUID | None:
    """Return the exam on which two people have placed a message."""
    release = await repository.release_of(uow, message_id)
    return release.exam_id if release is not None and release.state == "released" else None


def release_out(release: MessageRelease) -> ReleaseOut:
    """Return the public shape of a release."""
    return ReleaseOut.model_validate(release, from_attributes=True)


async def _trace(uow: UnitOfWork, release: MessageRelease, what: str) -> None:
    detail = {"message_id": str(release.message_id), "exam_id": str(release.exam_id)}
    await uow.audit(
        f"message_release.{what}", "message_release", release.id, campus_id=release.campus_id, detail=detail
    )
