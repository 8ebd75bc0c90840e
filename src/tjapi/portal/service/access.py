"""Who an examinee is, and what they see and book of their own."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.appointment.errors import AppointmentNotFound
from tjapi.appointment.schemas import PlaceIn
from tjapi.exam import service as exams
from tjapi.examinee import service as examinees
from tjapi.frontdesk import service as frontdesk
from tjapi.frontdesk.schemas import BookingOut, OwnBookingIn
from tjapi.identity.schemas import AccessTokenOut
from tjapi.kernel.db import Look
from tjapi.kernel.ids import uuid7
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.security.tokens import TokenClaims, TokenMint
from tjapi.kernel.uow import UnitOfWork
from tjapi.portal import repository
from tjapi.portal.errors import AccessRefused
from tjapi.portal.models import PortalSession
from tjapi.portal.schemas import ExamineeTokenIn, MeOut, MyAppointmentsOut

_LIFE = timedelta(hours=2)
_MOST_APPOINTMENTS = 100


async def issue_token(uow: UnitOfWork, mint: TokenMint, given: ExamineeTokenIn) -> AccessTokenOut:
    """Exchange exam number, one-time code and last four for a token. Raises AccessRefused; the failure is counted."""
    exam = await exams.find_by_no(uow, given.exam_no)
    if exam is None:
        raise AccessRefused
    person = await examinees.kept(uow, exam.examinee_id)
    agrees = await examinees.number_ends_with(uow, person.id, given.id_number_last4)
    if not await frontdesk.redeem_access_code(uow, exam.id, given.access_code, identity_agrees=agrees):
        await uow.audit("portal.refused", "exam", exam.id, campus_id=exam.campus_id)
        raise AccessRefused().kept()
    session = PortalSession(
        id=uuid7(), campus_id=exam.campus_id, examinee_id=person.id, client_id=uow.principal.id, created_at=uow.now,
        expires_at=uow.now + _LIFE,
    )  # fmt: skip
    uow.session.add(session)
    await uow.audit("portal.token_issued", "examinee", person.id, campus_id=exam.campus_id)
    seconds = int(_LIFE.total_seconds())
    token = mint.issue(
        kind="examinee", subject=person.id, version=1, session=str(session.id), now=uow.now, seconds=seconds
    )
    return AccessTokenOut(access_token=token, expires_in=seconds)


async def authenticate(look: Look, claims: TokenClaims) -> Principal | None:
    """Return the principal of an examinee's token: no campus, only the own rows; of a member's, who sees no row at all."""
    opens = await repository.access(look, UUID(claims.session), claims.subject)
    if opens == "member":
        held = frozenset({"member.self"})
        return Principal("examinee", claims.subject, held, departments=(), session=claims.session)
    if opens is None:
        return None
    return Principal(
        "examinee",
        claims.subject,
        frozenset({"me.read", "me.write"}),
        departments=(),
        examinee_id=claims.subject,
        session=claims.session,
    )


async def end_sessions(uow: UnitOfWork, examinee_ids: Collection[UUID]) -> None:
    """Let whoever is signed in as one of these sign in again: what they see is about to be another archive."""
    await repository.end_sessions(uow, examinee_ids)


async def me(uow: UnitOfWork) -> MeOut:
    """Return the caller, masked."""
    person = await examinees.get(uow, uow.principal.id)
    return MeOut(
        name=person.name, sex=person.sex, birth_date=person.birth_date, id_number=person.id_number_masked or ""
    )


async def my_appointments(uow: UnitOfWork) -> MyAppointmentsOut:
    """Return the caller's appointments, latest day first."""
    rows = await appointments.of_examinee(uow, uow.principal.id, _MOST_APPOINTMENTS)
    return MyAppointmentsOut(items=[appointments.out(row) for row in rows])


async def book(uow: UnitOfWork, new: OwnBookingIn, *, payment_required: bool) -> BookingOut:
    """Book for oneself, at a campus that lets people. Raises OnlineBookingClosed, CampusNotHeld and what `frontdesk.book` raises."""
    await appointments.refuse_offline(uow, new.campus_id)
    await uow.serve(new.campus_id)
    await examinees.introduce(uow, uow.principal.id, new.campus_id)
    return await frontdesk.book(uow, uow.principal.id, new, "portal", payment_required=payment_required)


async def reschedule(uow: UnitOfWork, appointment_id: UUID, to: PlaceIn) -> BookingOut:
    """Move an own appointment. Raises OnlineBookingClosed and what `frontdesk.reschedule_booking` raises."""
    await _own(uow, appointment_id)
    return await frontdesk.reschedule_booking(uow, appointment_id, to.day, to.session_id)


async def cancel(uow: UnitOfWork, appointment_id: UUID, reason: str) -> BookingOut:
    """Cancel an own appointment. Raises OnlineBookingClosed and what `frontdesk.cancel_booking` raises."""
    await _own(uow, appointment_id)
    return await frontdesk.cancel_booking(uow, appointment_id, reason)


async def _own(uow: UnitOfWork, appointment_id: UUID) -> None:
    """Serve the caller at the campus of an own appointment; of anybody else's nothing is known."""
    found = await appointments.get(uow, appointment_id)
    if found.examinee_id != uow.principal.id:
        raise AppointmentNotFound
    await appointments.refuse_offline(uow, found.campus_id)
    await uow.serve(found.campus_id)
