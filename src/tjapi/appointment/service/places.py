"""Taking and giving back places: the one path on which a counter changes.

All counters of a step, those given back too, are touched in one order (`rules.in_order`); a place is taken by an update that says
"where there is one"; a step that does not get all of its places gets none, because its transaction ends.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

from tjapi.appointment import repository, views
from tjapi.appointment.errors import (
    AppointmentAwaited,
    AppointmentDayOutOfReach,
    AppointmentFull,
    AppointmentSessionNotForSex,
    AppointmentSessionNotOffered,
)
from tjapi.appointment.events import PlaceFreed
from tjapi.appointment.models import AppointmentPolicy, AppointmentResource, AppointmentSession, AppointmentWait
from tjapi.appointment.rules import SlotKey, clock_time, in_order
from tjapi.kernel.clock import HOSPITAL_ZONE, business_day
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

_MOST_SUGGESTED = 3
_LOOK_AHEAD = timedelta(days=14)
_MOST_EXPIRED = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """A session of a day and what is needed beside it. Resources that the campus does not keep limit nothing."""

    campus_id: int
    day: date
    session: AppointmentSession
    resources: tuple[AppointmentResource, ...]
    last: date
    """The last day on which the campus books."""

    @property
    def keys(self) -> list[SlotKey]:
        """The counters of which it takes a place."""
        beside = [SlotKey(self.day, self.session.id if r.per == "session" else None, r.id) for r in self.resources]
        return [SlotKey(self.day, self.session.id, None), *beside]

    @property
    def codes(self) -> list[str]:
        """The codes of its resources."""
        return sorted(r.code for r in self.resources)


async def wish(
    uow: UnitOfWork,
    policy: AppointmentPolicy,
    day: date,
    session_id: UUID,
    codes: Collection[str],
    sex: str | None,
    *,
    far: bool = False,
) -> Wish:
    """Say what a booking would take. `sex` None: not known yet. `far`: a unit's, which is planned beyond what the campus books otherwise.

    Raises AppointmentDayOutOfReach, AppointmentSessionNotOffered, AppointmentSessionNotForSex.
    """
    session = await repository.session(uow, session_id)
    if session is None or session.campus_id != policy.campus_id:
        raise not_offered()
    today = business_day(uow.now)
    last = today + timedelta(days=policy.horizon_days)
    if day < today or (day > last and not far):
        raise AppointmentDayOutOfReach(
            errors=[
                FieldError(
                    "/day", "out-of-reach", f"可预约今天起 {policy.horizon_days} 天内",
                    f"from today, at most {policy.horizon_days} days ahead",
                )
            ]
        )  # fmt: skip
    if day == today and session.ends_at <= _clock(uow):
        raise AppointmentDayOutOfReach(
            errors=[FieldError("/session_id", "over", "该时段今天已结束", "the session is over for today")]
        )
    closed = [one for one in await repository.days(uow, policy.campus_id, day, day) if one.closed]
    if closed:
        why = f":{closed[0].note}" if closed[0].note else ""
        raise AppointmentSessionNotOffered(
            errors=[FieldError("/day", "closed", f"{day} 不开诊{why}", f"closed on {day}{why}")]
        )
    if sex is not None and session.sex not in ("any", sex):
        raise AppointmentSessionNotForSex(
            errors=[
                FieldError(
                    "/session_id", "wrong-sex", f"{session.name} 不适用于受检者性别", "not for the examinee's sex"
                )
            ]
        )
    wanted = set(codes)
    resources = [r for r in await repository.resources(uow, policy.campus_id) if r.active and r.code in wanted]
    return Wish(policy.campus_id, day, session, tuple(resources), last)


async def refuse_full(uow: UnitOfWork, to: Wish, sex: str | None) -> None:
    """Refuse what is full already, before anything was done for it. Raises AppointmentFull."""
    full = [key for key in to.keys if await repository.is_full(uow, to.campus_id, key)]
    if full:
        raise await _full(uow, to, full, sex)


async def move(
    uow: UnitOfWork, campus_id: int, appointment_id: UUID, to: Wish | None, *, sex: str | None = None
) -> None:
    """Give an appointment the places of a wish and no other; None: none. Never loses the old ones unless it gets the new ones.

    Raises AppointmentFull, AppointmentSessionNotOffered.
    """
    have = await repository.places(uow, appointment_id)
    come = await _counters(uow, campus_id, to.keys) if to is not None else {}
    give: Counter[UUID] = Counter(have - set(come.values()))
    if to is not None:
        expired = await repository.expire(uow, [campus_id], [to.day], _MOST_EXPIRED)
        give.update(slot for *_, slot in expired)
        await repository.end_offers(uow, [row[0] for row in expired], "lapsed")
    take = {slot: key for key, slot in come.items() if slot not in have}
    keys = await repository.slot_keys(uow, {*give, *take})
    slots = {key: slot for slot, key in keys.items()}
    refused = []
    for key in in_order(slots):
        slot = slots[key]
        if give[slot]:
            await repository.give(uow, slot, give[slot])
        if slot in take and not await repository.take(uow, slot):
            refused.append(key)
    if refused and to is not None:
        raise await _full(uow, to, refused, sex)
    await repository.put_places(
        uow, appointment_id, campus_id, gone=[s for s in have if s not in come.values()], come=take
    )
    await tell_who_waits(uow, campus_id, {keys[slot].day for slot in give})


async def refuse_awaited(uow: UnitOfWork, to: Wish, examinee_id: UUID | None) -> None:
    """Refuse a place that was just taken before others who wait for it: what is left must be enough for them. Raises AppointmentAwaited.

    The counter is locked by then, so whoever asks next sees it.
    """
    waiting = await repository.ahead(
        uow, to.campus_id, to.day, to.session.id, to.session.starts_at, to.session.sex, examinee_id
    )
    if waiting and await repository.left(uow, to.campus_id, to.day, to.session.id) < waiting:
        raise AppointmentAwaited(
            errors=[
                FieldError("/session_id", "awaited", f"{to.day} {to.session.name} 有 {waiting} 人候补", f"{waiting} wait for it")
            ]
        )  # fmt: skip


async def give_back(uow: UnitOfWork, campus_id: int, slots: Sequence[UUID]) -> None:
    """Give back the places of what has ended already."""
    give = Counter(slots)
    keys = await repository.slot_keys(uow, give)
    by_key = {key: slot for slot, key in keys.items()}
    for key in in_order(by_key):
        await repository.give(uow, by_key[key], give[by_key[key]])
    await tell_who_waits(uow, campus_id, {key.day for key in by_key})


async def give_back_expired(uow: UnitOfWork, campus_id: int, days: Collection[date]) -> None:
    """End the holds of some days whose time is over, as whoever asks for a place there does."""
    expired = await repository.expire(uow, [campus_id], days, _MOST_EXPIRED)
    await repository.end_offers(uow, [row[0] for row in expired], "lapsed")
    await give_back(uow, campus_id, [row[3] for row in expired])


async def make_counters(uow: UnitOfWork, campus_id: int, day: date) -> None:
    """Make the counters of everything that the calendar offers on a day."""
    await repository.share_policy(uow, campus_id)
    await repository.make_slots_of_day(uow, campus_id, day)


async def tell_who_waits(uow: UnitOfWork, campus_id: int, days: Collection[date]) -> None:
    """State that places came free, where somebody waits for them."""
    for day in sorted(days):
        if day >= business_day(uow.now) and await repository.someone_waits(uow, campus_id, day):
            await uow.publish(PlaceFreed(campus_id=campus_id, day=day))


async def tell_of_room(uow: UnitOfWork, wait: AppointmentWait, sex: str) -> None:
    """State where there is room for somebody who just began to wait."""
    today = business_day(uow.now)
    first = max(today, wait.day_from)
    rooms = await views.nearest(
        uow, campus_id=wait.campus_id, first=first, last=wait.day_to, wanted=first - timedelta(days=1), today=today, sexes=["any", sex],
        codes=wait.resources, clock=_clock(uow), most=_MOST_SUGGESTED,
    )  # fmt: skip
    await tell_who_waits(uow, wait.campus_id, {room[0] for room in rooms})


async def _counters(uow: UnitOfWork, campus_id: int, keys: Sequence[SlotKey]) -> dict[SlotKey, UUID]:
    found = await repository.slots(uow, campus_id, keys)
    missing = [key for key in in_order(keys) if key not in found]
    if missing:
        # Kept from changing: a counter is never made of a calendar that somebody is replacing.
        await repository.share_policy(uow, campus_id)
        await repository.make_slots(uow, campus_id, missing)
        found = await repository.slots(uow, campus_id, keys)
    if any(key not in found for key in keys):
        raise not_offered()
    return found


def not_offered() -> AppointmentSessionNotOffered:
    """Return the refusal of what the calendar does not have."""
    return AppointmentSessionNotOffered(
        errors=[FieldError("/session_id", "not-offered", "当天没有这个时段", "no such session on that day")]
    )


def _clock(uow: UnitOfWork) -> time:
    return uow.now.astimezone(HOSPITAL_ZONE).time().replace(tzinfo=None)


async def _full(uow: UnitOfWork, to: Wish, refused: Sequence[SlotKey], sex: str | None) -> AppointmentFull:
    """Say what is full, by name, and where there is room near that day."""
    names = {r.id: (r.code, r.name) for r in to.resources}
    errors = []
    for key in refused:
        if key.resource_id is None:
            zh = f"{to.day} {to.session.name} 已约满"
            errors.append(FieldError("/session_id", "full", zh, f"{to.session.name} on {to.day} is full"))
        else:
            code, name = names[key.resource_id]
            zh = f"{to.day} {name} 已约满"
            errors.append(FieldError(f"/resources/{code}", "full", zh, f"{code} on {to.day} is full"))
    today = business_day(uow.now)
    rooms = await views.nearest(
        uow, campus_id=to.campus_id, first=max(today, to.day - _LOOK_AHEAD), last=min(to.last, to.day + _LOOK_AHEAD), wanted=to.day,
        today=today, sexes=["any", sex or "any"], codes=to.codes, clock=_clock(uow), most=_MOST_SUGGESTED,
    )  # fmt: skip
    for day, starts_at, free in rooms:
        begin = clock_time(starts_at)
        errors.append(
            FieldError("/day", "room", f"{day} {begin} 起有 {free} 个名额", f"{day} from {begin}: {free} places")
        )
    return AppointmentFull(errors=errors)
