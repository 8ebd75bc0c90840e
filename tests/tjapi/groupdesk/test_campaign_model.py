"""Random commands on one campaign beside a small model of it: after each, counts, lists and states agree, and what is refused changes nothing."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.employer.scene import CBC, GLU, Unit, listed, plan
from tjapi.employer import service as employers
from tjapi.exam import service as exams
from tjapi.groupdesk import service
from tjapi.groupdesk.rules import STANDINGS
from tjapi.groupdesk.schemas import DayIn, DecisionIn
from tjapi.kernel.problem import Problem

DAYS = [date(2027, 4, 1), date(2027, 4, 2)]
QUOTA = 2
STEPS = 30


@dataclass
class Person:
    """What the model knows of a member."""

    standing: str = "listed"
    group: str = "A"
    day: date | None = None


@dataclass
class Model:
    """A campaign, as one would keep it on paper."""

    state: str = "open"
    people: dict[UUID, Person] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return self.state in ("open", "reopened")

    def taken(self, day: date) -> int:
        return sum(p.day == day for p in self.people.values())

    def book(self, who: Person) -> bool:
        free = next((d for d in DAYS if self.taken(d) < QUOTA), None)
        if not self.active or (who.standing == "listed" and free is None):
            return False
        if who.standing == "listed":
            who.standing, who.day = "booked", free
        return True

    def transfer(self, who: Person, group: str) -> bool:
        if self.active and who.standing in ("listed", "booked"):
            who.group = group
        return self.active

    def decide(self, who: Person, decision: str) -> bool:
        if not self.active or who.standing in ("no_show", "cancelled") or who.group.endswith("!"):
            return False
        if decision == "done":
            if who.standing != "finished":  # nobody is done who was not examined
                return False
            who.group += "!"
            return True
        if who.standing in ("unfinished", "finished"):
            return False
        if decision == "no_show" and who.standing == "booked":  # the days are all to come
            return False
        who.standing, who.day = decision, None
        return True

    def relist(self, who: Person) -> bool:
        if not self.active or who.standing not in ("no_show", "cancelled"):
            return False
        who.standing = "listed"
        return True

    def complete(self) -> bool:
        if not self.active or any(p.standing in ("listed", "booked", "unfinished") for p in self.people.values()):
            return False
        for p in self.people.values():
            if p.standing == "finished" and not p.group.endswith("!"):
                p.group += "!"  # the end is written down
        self.state = "completed"
        return True

    def reopen(self) -> bool:
        if self.state != "completed":
            return False
        self.state = "reopened"
        return True


class Play:
    """Does each command to both."""

    def __init__(self, unit: Unit, admin: asyncpg.Connection, campaign: UUID, groups: dict[str, UUID]) -> None:
        self.unit, self.admin, self.campaign, self.groups, self.model = unit, admin, campaign, groups, Model()

    async def both(self, expected: bool, work: Any) -> None:
        """Do a command, and see that it is refused where the model refuses it."""
        try:
            async with self.unit() as uow:
                await work(uow)
        except Problem:
            assert not expected
        else:
            assert expected

    async def add(self, _who: Any, _dice: random.Random) -> None:
        if self.model.active:
            [member] = await listed(self.unit, self.campaign)
            self.model.people[member] = Person()

    async def book(self, who: UUID, _dice: random.Random) -> None:
        days = [DayIn(day=d, quota=QUOTA) for d in DAYS]
        await self.both(self.model.book(self.model.people[who]), lambda uow: service.book_member(uow, who, days))

    async def transfer(self, who: UUID, dice: random.Random) -> None:
        group = dice.choice("AB")
        person = self.model.people[who]
        expected = self.model.transfer(person, group)
        await self.both(expected, lambda uow: service.transfer(uow, self.campaign, self.groups[group], [who]))

    async def decide(self, who: UUID, dice: random.Random) -> None:
        decision: Any = dice.choice(("done", "no_show", "cancelled"))
        expected = self.model.decide(self.model.people[who], decision)
        one = [DecisionIn(member_id=who, decision=decision)]
        await self.both(expected, lambda uow: service.decide(uow, self.campaign, one))

    async def relist(self, who: UUID, _dice: random.Random) -> None:
        expected = self.model.relist(self.model.people[who])
        one = [DecisionIn(member_id=who, decision="listed")]
        await self.both(expected, lambda uow: service.decide(uow, self.campaign, one))

    async def arrive(self, who: UUID, _dice: random.Random) -> None:
        person = self.model.people[who]
        if person.standing == "booked":
            async with self.unit() as uow:
                exam = (await employers.member(uow, who)).exam_id
                assert exam is not None
                await exams.check_in(uow, exam)
            person.standing = "unfinished"

    async def examine(self, who: UUID, _dice: random.Random) -> None:
        person = self.model.people[who]
        if person.standing == "unfinished":
            for state in ("in_progress", "ready_for_review"):
                await self.admin.execute(
                    "update exam set state = $2 where member_id = $1 and state <> 'cancelled'", who, state
                )
            person.standing = "finished"

    async def cancel_exam(self, who: UUID, _dice: random.Random) -> None:
        person = self.model.people[who]
        if person.standing == "booked":
            async with self.unit() as uow:
                exam = (await employers.member(uow, who)).exam_id
                assert exam is not None
                await exams.cancel(uow, exam, "改期")
            person.standing, person.day = "listed", None

    async def complete(self, _who: Any, _dice: random.Random) -> None:
        await self.both(self.model.complete(), lambda uow: service.complete(uow, self.campaign))

    async def reopen(self, _who: Any, _dice: random.Random) -> None:
        await self.both(self.model.reopen(), lambda uow: employers.reopen(uow, self.campaign, "补检"))

    async def agrees(self) -> None:
        """Counts, lists, groups, days and the campaign's state are those of the model."""
        async with self.unit() as uow:
            [seen] = [
                p for p in (await service.progress(uow, still_open=False)).items if p.campaign_id == self.campaign
            ]
            rows = await service.standings(uow, self.campaign, standing=None, after=None, size=200)
            lists = {
                s: len(await service.standings(uow, self.campaign, standing=s, after=None, size=200)) for s in STANDINGS
            }
        model = Counter(p.standing for p in self.model.people.values())
        assert {s: getattr(seen, s) for s in STANDINGS} == {s: model[s] for s in STANDINGS} == lists
        assert (seen.total, seen.arrived, seen.state) == (len(rows), seen.finished + seen.unfinished, self.model.state)
        assert {r.member_id: (r.standing, r.exam_date if r.exam_id else None) for r in rows} == {
            m: (p.standing, p.day) for m, p in self.model.people.items()
        }
        groups = await self.admin.fetch(
            "select m.id, g.code from member m join campaign_group g on g.id = m.group_id where m.campaign_id = $1",
            self.campaign,
        )
        assert {r["id"]: r["code"] for r in groups} == {m: p.group.rstrip("!") for m, p in self.model.people.items()}
        broken = """select count(*) from exam e where e.campaign_id = $1 and (select sum(price_fen) from exam_line l where l.exam_id = e.id
          and l.state not in ('withdrawn', 'substituted')) <> e.total_fen and e.state <> 'cancelled'"""
        assert await self.admin.fetchval(broken, self.campaign) == 0


@pytest.mark.requirement("E2.1", "E2.2", "E2.4", "E2.6")
@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_done_to_a_campaign_its_counts_and_states_are_those_of_the_model(
    unit: Unit, admin: asyncpg.Connection, seed: int
) -> None:
    dice = random.Random(seed)
    groups: dict[str, Any] = {
        "A": {"name": "甲", "criteria": [{}], "item_group_ids": [CBC]},
        "B": {"name": "乙", "item_group_ids": [CBC, GLU], "cap_fen": 2_000},
    }
    made = await plan(unit, **groups)
    play = Play(unit, admin, made.campaign_id, made.groups)
    for _ in range(3):
        await play.add(None, dice)
    steps = (
        [play.add, play.relist, play.cancel_exam, play.complete, play.reopen, play.transfer, play.transfer]
        + [play.book] * 3 + [play.arrive] * 2 + [play.examine] * 2 + [play.decide] * 2
    )  # fmt: skip
    for _ in range(STEPS):
        await dice.choice(steps)(dice.choice(list(play.model.people)), dice)
        await play.agrees()
