"""Messages that no machine may file: two people say to which exam one belongs, in which charset it is read, or that it is good as it is.

reliability.md 14: a result whose number and identity do not agree is quarantined until two people release it. The same way leads a
message home whose numbers nobody knows, whose bytes may be read in two ways, or whose message id was used before for another. Then it is
filed as any other: a charset does not place it, and a place does not read it. None ever makes a person out of a result.
"""

from collections.abc import Sequence
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.kernel import inbox
from tjapi.kernel.ids import uuid7
from tjapi.kernel.inbox import InboxMessage
from tjapi.kernel.problem import FieldError, naming
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.errors import (
    MessageNotReleasable,
    ReleaseDecided,
    ReleaseIncomplete,
    ReleaseNotFound,
    ReleaseProposed,
    SamePerson,
    SignerNotStaff,
)
from tjapi.result.models import MessageRelease
from tjapi.result.rules.raw import made_out
from tjapi.result.rules.releases import is_alarmed_of, still_needed
from tjapi.result.schemas import ReleaseIn, ReleaseOut
from tjapi.result.service.alarming import critical_of_anyone


async def propose_release(uow: UnitOfWork, message_id: UUID, given: ReleaseIn) -> ReleaseOut:
    """Say to which exam a message belongs, or how it is read; another person must say so too.

    Raises SignerNotStaff, InboundMessageNotFound, ExamNotFound, MessageNotReleasable, ReleaseIncomplete, ReleaseProposed.
    """
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    campus_id = None
    if given.exam_id is not None:
        with naming("/exam_id"):
            campus_id = (await exams.get(uow, given.exam_id)).campus_id
    message = await inbox.locked(uow, message_id)
    _check(message, exam=given.exam_id is not None, charset=given.charset is not None)
    if await repository.proposed_release(uow, message_id) is not None:
        raise ReleaseProposed
    release = MessageRelease(
        id=uuid7(), campus_id=campus_id if campus_id is not None else message.campuses[0], message_id=message_id, exam_id=given.exam_id,
        charset=given.charset, reason=given.reason, state="proposed", proposed_by=uow.principal.id, proposed_at=uow.now,
    )  # fmt: skip
    uow.session.add(release)
    await _trace(uow, release, "proposed")
    return release_out(release)


async def decide_release(uow: UnitOfWork, release_id: UUID, *, agree: bool) -> ReleaseOut:
    """Agree, and the message is filed as was said; or refuse, and it stays where it was.

    Raises SignerNotStaff, ReleaseNotFound, ReleaseDecided, SamePerson, MessageNotReleasable, ReleaseIncomplete.
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
        _check(message, exam=release.exam_id is not None, charset=release.charset is not None)
        await uow.session.flush()
        await inbox.replay(uow, release.message_id, released=True)
    return release_out(release)


async def proposed(uow: UnitOfWork, release_id: UUID) -> MessageRelease | None:
    """Return a release that another person has still to agree to; None: there is none."""
    release = await repository.release(uow, release_id)
    return release if release is not None and release.state == "proposed" else None


async def releases(
    uow: UnitOfWork, *, state: str | None, after: list[str] | None, size: int
) -> Sequence[MessageRelease]:
    """Return a page of releases, one too many."""
    return await repository.releases(uow, state=state, after=UUID(after[0]) if after else None, size=size)


async def released_to(uow: UnitOfWork, message_id: UUID) -> UUID | None:
    """Return the exam on which two people have placed a message."""
    given = [r.exam_id for r in await repository.given_releases(uow, message_id) if r.exam_id is not None]
    return given[-1] if given else None


async def word_on(uow: UnitOfWork, message_id: UUID) -> tuple[bool, str | None]:
    """Return whether two people have released a message, and the charset in which they want it read."""
    given = await repository.given_releases(uow, message_id)
    charsets = [r.charset for r in given if r.charset is not None]
    return bool(given), charsets[-1] if charsets else None


async def raw_for_readings(uow: UnitOfWork, message_id: UUID) -> tuple[str, bytes]:
    """Return the source and the bytes of a message for whoever is to say how they are read, with an audit row.

    Raises InboundMessageNotFound, PrivateContent.
    """
    message = await inbox.get(uow, message_id)
    raw = inbox.open_body(uow, message)
    await catalog.refuse_private(uow, raw)
    await uow.audit("inbound_message.readings_read", "inbound_message", message_id)
    return message.source, raw


async def to_be_read(uow: UnitOfWork, message_id: UUID) -> tuple[str, bytes] | None:
    """Return the source and the bytes of a message that waits because nobody could read it; None: it waits for something else.

    Raises InboundMessageNotFound.
    """
    message = await inbox.get(uow, message_id)
    unread = message.state == "quarantined" and message.reason == "unparsable"
    return (message.source, inbox.open_body(uow, message)) if unread else None


async def alarming(uow: UnitOfWork, reason: str, source: str, raw: bytes) -> list[str]:
    """Return what is critical in a message that is kept for people unread, for this reason: by its own word, or by what applies to anybody."""
    if not is_alarmed_of(reason):
        return []
    said = made_out(raw)
    return sorted({*said.called, *await critical_of_anyone(uow, source, said)})[:_MOST_NAMED]


_MOST_NAMED = 100


def _check(message: InboxMessage, *, exam: bool, charset: bool) -> None:
    needed = still_needed(message.state, message.reason, exam=exam, charset=charset)
    if needed == "impossible":
        raise MessageNotReleasable
    if needed != "nothing":
        field = "exam_id" if needed == "exam" else "charset"
        raise ReleaseIncomplete(errors=[FieldError(f"/{field}", "required", "必填", "required")])


def release_out(release: MessageRelease) -> ReleaseOut:
    """Return the public shape of a release."""
    return ReleaseOut.model_validate(release, from_attributes=True)


async def _trace(uow: UnitOfWork, release: MessageRelease, what: str) -> None:
    exam = str(release.exam_id) if release.exam_id is not None else None
    detail = {"message_id": str(release.message_id), "exam_id": exam, "charset": release.charset}
    await uow.audit(
        f"message_release.{what}", "message_release", release.id, campus_id=release.campus_id, detail=detail
    )
