"""Whatever is held, booked, moved, given back or left to expire, in whatever order: the counters are what a tiny model says."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.appointment.desk import Desk
from tjapi import demo, wiring
from tjapi.appointment import service as appointments
from tjapi.appointment.errors import AppointmentFull, AppointmentHoldEnded, AppointmentStateConflict, AppointmentTwice
from tjapi.appointment.schemas import HoldIn
from tjapi.kernel.clock import SystemClock
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.uow import UnitOfWork

pytestmark = pytest.mark.requirement("E1.3", "E2.4")
STEPS = 160
# What the walk goes on for until it was met, within reason.
MET = ("hold", "book", "book_held", "cancel", "move")
Place = tuple[date, UUID, tuple[str, ...]]
Key = tuple[date, UUID | str]


def keys(place: Place) -> list[Key]:
    """The counters that a place is of."""
    day, session, codes = place
    return [(day, session), *((day, code) for code in codes)]


@dataclass
class JumpingClock:
    """A clock that a test moves on."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead


@dataclass
class Model:
    """What is taken: by whom, of what, until when. Ten lines that know nothing of counters."""

    capacity: dict[Key, int]
    held: dict[UUID, tuple[Place, datetime]] = field(default_factory=dict)
    booked: dict[UUID, tuple[Place, UUID]] = field(default_factory=dict)

    def taken(self, now: datetime) -> Counter[Key]:
        live = [place for place, until in self.held.values() if until > now] + [
            place for place, _ in self.booked.values()
        ]
        return Counter(key for place in live for key in keys(place))

    def fits(self, place: Place, now: datetime, *, without: UUID | None = None) -> bool:
        taken = self.taken(now)
        if without is not None:
            taken.subtract(keys(self.booked[without][0] if without in self.booked else self.held[without][0]))
        return all(taken[key] < self.capacity[key] for key in keys(place))

    def has(self, person: UUID, day: date, *, but: UUID | None = None) -> bool:
        return any(p == person and place[0] == day for key, (place, p) in self.booked.items() if key != but)


@pytest.fixture
async def turned(runtime: Runtime) -> AsyncIterator[tuple[Runtime, JumpingClock]]:
    clock = JumpingClock()
    held = wiring.build(runtime.settings, clock=clock)
    yield held, clock
    await wiring.close(held)


async def test_random_steps_leave_the_counters_as_a_model_says(
    desk: Desk, admin: asyncpg.Connection, turned: tuple[Runtime, JumpingClock]
) -> None:
    await desk.resources(SCOPE=(9, "day"))
    days = [desk.day(), desk.day()]
    sessions = {day: (await desk.places(day, 2, 3, SCOPE=2))[:2] for day in days}
    sizes: dict[Key, int] = {}
    for day in days:
        sizes |= {(day, sessions[day][0]): 2, (day, sessions[day][1]): 3, (day, "SCOPE"): 2}
    seed = random.randrange(10**9)
    print("seed", seed)
    await Play(turned[0], turned[1], Model(sizes), random.Random(seed), sessions, await desk.people(7), admin).run()


@dataclass
class Play:
    """Draws steps, asks the product and the model, and compares."""

    runtime: Runtime
    clock: JumpingClock
    model: Model
    draw: random.Random
    sessions: dict[date, list[UUID]]
    people: list[UUID]
    admin: asyncpg.Connection
    outcomes: Counter[str] = field(default_factory=Counter)
    taken: int = 0

    async def run(self) -> None:
        while self.taken < STEPS or (self.taken < 5 * STEPS and not self.met()):
            self.taken += 1
            step = self.draw.choice(
                (
                    self.hold,
                    self.book,
                    self.book,
                    self.book_held,
                    self.cancel,
                    self.move,
                    self.move,
                    self.let_go,
                    self.pass_time,
                )
            )
            await step()
            await self.compare()
        assert self.outcomes["full"] > STEPS // 20, self.outcomes
        assert all(self.outcomes[s] for s in MET), self.outcomes

    def met(self) -> bool:
        """Whether every kind of step was met, and full places often enough."""
        return self.outcomes["full"] > STEPS // 20 and all(self.outcomes[s] for s in MET)

    def place(self) -> Place:
        day = self.draw.choice(list(self.sessions))
        return day, self.draw.choice(self.sessions[day]), self.draw.choice(((), ("SCOPE",)))

    async def say(self, name: str, may: str, work) -> object:  # type: ignore[no-untyped-def]
        """Do it in a transaction; the product must refuse what the model refuses, and nothing else."""
        said, answer = name, None
        try:
            async with self.runtime.units.open(demo.LOADER) as uow:
                answer = await work(uow)
        except AppointmentFull:
            said = "full"
        except AppointmentTwice:
            said = "twice"
        except (AppointmentHoldEnded, AppointmentStateConflict):
            said = "ended"
        assert said == (may or name), f"{name}: the model says {may or name}, the product {said}"
        self.outcomes[said] += 1
        return answer

    async def hold(self) -> None:
        day, session, codes = place = self.place()
        now = self.clock.now()
        may = "" if self.model.fits(place, now) else "full"
        new = HoldIn(campus_id=1, day=day, session_id=session, resources=list(codes))
        made = await self.say("hold", may, lambda uow: appointments.hold(uow, new))
        if isinstance(made, appointments.Appointment):
            self.model.held[made.id] = (place, now + timedelta(minutes=10))

    def order(self, place: Place, person: UUID, hold: UUID | None = None) -> appointments.Order:
        day, session, codes = place
        return appointments.Order(
            campus_id=1, day=day, session_id=session, examinee_id=person, resources=codes, hold_id=hold
        )

    async def book(self) -> None:
        place, person, now = self.place(), self.draw.choice(self.people), self.clock.now()
        may = "twice" if self.model.has(person, place[0]) else "" if self.model.fits(place, now) else "full"
        made = await self.say("book", may, lambda uow: appointments.book(uow, self.order(place, person)))
        if isinstance(made, appointments.Appointment):
            self.model.booked[made.id] = (place, person)

    async def book_held(self) -> None:
        """Often for another session or with another resource than was held."""
        if not self.model.held:
            return
        hold = self.draw.choice(list(self.model.held))
        kept, until = self.model.held[hold]
        person, now = self.draw.choice(self.people), self.clock.now()
        place = self.draw.choice((kept, kept, self.place()))
        live = until > now
        twice = self.model.has(person, place[0])
        may = "ended" if not live else "twice" if twice else "" if self.model.fits(place, now, without=hold) else "full"
        made = await self.say("book_held", may, lambda uow: appointments.book(uow, self.order(place, person, hold)))
        if made is not None:
            del self.model.held[hold]
            self.model.booked[hold] = (place, person)

    async def cancel(self) -> None:
        if self.model.booked:
            which = self.draw.choice(list(self.model.booked))
            await self.say("cancel", "", lambda uow: appointments.cancel(uow, which, "x"))
            del self.model.booked[which]

    async def move(self) -> None:
        if not self.model.booked:
            return
        which = self.draw.choice(list(self.model.booked))
        (_, _, codes), person = self.model.booked[which]
        day, session, _ = self.place()
        place, now = (day, session, codes), self.clock.now()
        twice = self.model.has(person, day, but=which)
        may = "twice" if twice else "" if self.model.fits(place, now, without=which) else "full"
        made = await self.say("move", may, lambda uow: appointments.reschedule(uow, which, day, session))
        if made is not None:
            self.model.booked[which] = (place, person)

    async def let_go(self) -> None:
        if self.model.held:
            which = self.draw.choice(list(self.model.held))
            swept = await self.admin.fetchval("select state from appointment where id = $1", which) == "cancelled"
            await self.say("let_go", "ended" if swept else "", lambda uow: appointments.let_go(uow, which))
            del self.model.held[which]

    async def pass_time(self) -> None:
        self.clock.ahead += timedelta(minutes=self.draw.choice((1, 4, 11)))
        if self.draw.random() < 0.5:
            async with self.runtime.units.open(demo.LOADER, "worker") as uow:
                await appointments.sweep(uow)

    async def compare(self) -> None:
        """Counters cover what is taken and nothing but holds past their time beside; what is shown as free is exact."""
        taken, now = self.model.taken(self.clock.now()), self.clock.now()
        async with self.runtime.units.read(demo.LOADER) as uow:
            for day in self.sessions:
                shown = (await appointments.availability(uow, 1, day, day)).days[0]
                for session in shown.sessions:
                    if session.session_id in self.sessions[day]:
                        assert session.taken == taken[day, session.session_id], (day, now)
                found = {r.code: r.taken for r in shown.resources}
                assert found["SCOPE"] == taken[day, "SCOPE"]
        wrong = """
            select s.id from appointment_slot s left join appointment_place p on p.slot_id = s.id
            left join appointment a on a.id = p.appointment_id where s.day = any($1)
            group by s.id having s.taken <> count(p.slot_id) or s.taken > s.capacity
              or count(*) filter (where a.state not in ('held', 'booked')) > 0
        """
        assert await self.admin.fetch(wrong, list(self.sessions)) == []


async def test_places_fought_over_by_many_at_once_are_never_taken_twice(
    desk: Desk, admin: asyncpg.Connection, runtime: Runtime
) -> None:
    await desk.resources(SCOPE=(9, "day"))
    days = [desk.day(), desk.day()]
    sessions = {day: (await desk.places(day, 3, 3, SCOPE=4))[:2] for day in days}
    people = await desk.people(12)
    draw = random.Random(7)

    async def one(person: UUID) -> None:
        mine: UUID | None = None
        for _ in range(6):
            day = draw.choice(days)
            session, codes = draw.choice(sessions[day]), draw.choice(((), ("SCOPE",)))
            try:
                async with runtime.units.open(demo.LOADER) as uow:
                    mine = await _act(
                        uow,
                        mine,
                        appointments.Order(
                            campus_id=1, day=day, session_id=session, examinee_id=person, resources=codes
                        ),
                    )
            except (AppointmentFull, AppointmentTwice):
                continue

    async def _act(uow: UnitOfWork, mine: UUID | None, order: appointments.Order) -> UUID | None:
        if mine is None:
            return (await appointments.book(uow, order)).id
        if draw.random() < 0.3:
            await appointments.cancel(uow, mine, "x")
            return None
        await appointments.reschedule(uow, mine, order.day, order.session_id)
        return mine

    await asyncio.gather(*(one(person) for person in people))
    rows = await admin.fetch(
        "select s.capacity, s.taken, (select count(*) from appointment_place p where p.slot_id = s.id) as places from appointment_slot s"
        " where s.day = any($1)",
        days,
    )
    assert all(r["taken"] == r["places"] <= r["capacity"] for r in rows), [dict(r) for r in rows]
    assert sum(r["taken"] for r in rows) > 0
