"""Bookings of many people written together: each is looked at in memory, all are written by a few statements, or none is.

The order is that of `book`: appointments first, then their places, whose counters are touched in the one order of `rules.in_order` by an
update that says "where there are so many". What was free when it was looked at and is not any more refuses the whole batch.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.appointment import repository
from tjapi.appointment.errors import AppointmentFull, AppointmentSessionNotForSex, AppointmentTwice
from tjapi.appointment.events import AppointmentBooked
from tjapi.appointment.models import AppointmentPolicy
from tjapi.appointment.rules import SlotKey, in_order
from tjapi.appointment.service import places
from tjapi.appointment.service.booking import Order, place_of, told
from tjapi.appointment.service.calendar import policy, refuse_foreign_campus
from tjapi.examinee.service import Examinee
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork

_MOST_EXPIRED = 500


async def prepare(uow: UnitOfWork, campus_id: int, days: Collection[date]) -> None:
    """Make the counters of days on which many will be booked, and end the holds there whose time is over: in a unit of its own.

    For whoever books takes numbers before counters, and must not wait for a counter that another one is making. Raises CampusNotHeld.
    """
    refuse_foreign_campus(uow, campus_id)
    today = business_day(uow.now)
    for day in sorted(day for day in days if today <= day):
        await places.make_counters(uow, campus_id, day)
    await places.give_back_expired(uow, campus_id, days)


class Batch:
    """Bookings at one campus that are written together."""

    def __init__(self, uow: UnitOfWork, rules: AppointmentPolicy, free: dict[SlotKey, "_Counter"]) -> None:
        self._uow, self._rules, self._free = uow, rules, free
        self._wishes: dict[Any, places.Wish] = {}
        self._awaited: dict[tuple[date, UUID], int] = {}
        self._taken: set[tuple[UUID, date]] = set()
        self._orders: list[tuple[Order, places.Wish]] = []

    @classmethod
    async def open(cls, uow: UnitOfWork, campus_id: int, days: Collection[date]) -> "Batch":
        """Look at the counters of some days as they are now. Raises CampusNotHeld."""
        refuse_foreign_campus(uow, campus_id)
        rows = await repository.counters(uow, campus_id, days)
        free = {SlotKey(row["day"], row["session_id"], row["resource_id"]): _Counter(row["id"], row["free"]) for row in rows}  # fmt: skip
        return cls(uow, await policy(uow, campus_id), free)

    async def expect(self, examinees: Collection[UUID]) -> None:
        """Look at who of those to be booked has an appointment on one of the days already."""
        days = {key.day for key in self._free}
        self._taken |= await repository.booked_days(self._uow, self._rules.campus_id, days, examinees)

    def is_full(self, day: date, session_id: UUID) -> bool:
        """Say whether a session has no place left for anybody; of one that is not offered `has_room` says so."""
        counter = self._free.get(SlotKey(day, session_id, None))
        return counter is not None and counter.free < 1

    async def has_room(self, day: date, session_id: UUID, sex: str) -> bool:
        """Say whether a session has a place for somebody still, beside those for whoever waits for it. Raises AppointmentDayOutOfReach, AppointmentSessionNotOffered."""
        try:
            wish = await self._wish(day, session_id, frozenset(), sex)
        except AppointmentSessionNotForSex:
            return False
        place = (day, session_id)
        if place not in self._awaited:
            session = wish.session
            self._awaited[place] = await repository.ahead(
                self._uow, self._rules.campus_id, day, session_id, session.starts_at, session.sex, None
            )
        return self._left(SlotKey(day, session_id, None)) > self._awaited[place]

    async def add(self, order: Order, person: Examinee) -> None:
        """Take somebody in. Raises what `book` raises, though AppointmentFull and AppointmentTwice without a word of where there is room."""
        wish = await self._wish(order.day, order.session_id, frozenset(order.resources), person.sex)
        if any(self._left(key) < 1 for key in wish.keys):
            raise AppointmentFull
        if (person.id, order.day) in self._taken:
            raise AppointmentTwice
        for key in wish.keys:
            self._free[key].free -= 1
        self._taken.add((person.id, order.day))
        self._orders.append((order, wish))

    async def book(self, exam_ids: Sequence[UUID]) -> None:
        """Write everybody's appointment, in the order in which they were taken in, for these exams.

        Raises AppointmentFull, AppointmentTwice when somebody else was faster; the unit must not be committed then.
        """
        if not self._orders:
            return
        uow, campus_id = self._uow, self._rules.campus_id
        booked, come = [], []
        for (order, wish), exam_id in zip(self._orders, exam_ids, strict=True):
            one = place_of(uow, wish, order.source)
            one.examinee_id, one.exam_id = order.examinee_id, exam_id
            booked.append(one)
            come += [(one.id, key) for key in wish.keys]
        if not await repository.add_many(uow, booked):
            raise AppointmentTwice
        wanted = Counter(key for _, key in come)
        for key in in_order(wanted):
            if not await repository.take(uow, self._free[key].slot_id, wanted[key]):
                raise AppointmentFull
        await repository.add_places(uow, campus_id, [(one, self._free[key].slot_id) for one, key in come])
        said = {one.id: {"day": one.day.isoformat(), "session_id": str(one.session_id)} for one in booked}
        await uow.audit_many("appointment.booked", "appointment", said, campus_id=campus_id)
        news = [told(one) for one in booked]
        await uow.announce_many("appointment", news, campus_id=campus_id, permission="appointment.read")
        await uow.publish_many([AppointmentBooked(campus_id=campus_id, appointment_id=one.id) for one in booked])

    async def _wish(self, day: date, session_id: UUID, codes: frozenset[str], sex: str) -> places.Wish:
        asked = (day, session_id, codes, sex)
        if asked not in self._wishes:
            self._wishes[asked] = await places.wish(self._uow, self._rules, day, session_id, codes, sex, far=True)
        return self._wishes[asked]

    def _left(self, key: SlotKey) -> int:
        if key not in self._free:
            raise places.not_offered()
        return self._free[key].free


@dataclass(slots=True)
class _Counter:
    slot_id: UUID
    free: int
