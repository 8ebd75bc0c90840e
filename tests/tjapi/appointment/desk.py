"""Days that belong to one test, with the places it wants; people; and bookings of them over HTTP."""

import itertools
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.tjapi.world import API, SignIn, World, key
from tjapi import demo
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime
from tjapi.visit import invented_person

_ahead = itertools.count(2)


class Desk(World):
    """A front desk of campus A."""

    def __init__(self, runtime: Runtime, sign_in: SignIn, admin: asyncpg.Connection) -> None:
        super().__init__(runtime, sign_in)
        self.database = admin

    def day(self) -> date:
        """A working day ahead that no other test uses."""
        today = business_day(self.runtime.clock.now())
        return next(d for d in (today + timedelta(days=n) for n in _ahead) if d.isoweekday() < 7)

    async def resources(self, **capacities: tuple[int, str]) -> None:
        """Make sure that the campus keeps these resources: places, and by day or session."""
        admin = await self.sign_in("admin")
        now = await admin.get(f"{API}/appointment-calendars/1")
        calendar = now.json()
        there = {r["code"]: {k: v for k, v in r.items() if k != "id"} for r in calendar["resources"]}
        there |= {
            code: {"code": code, "name": code, "capacity": n, "per": per} for code, (n, per) in capacities.items()
        }
        body = {
            "policy": calendar["policy"], "resources": list(there.values()),
            "sessions": [{k: v for k, v in s.items() if k != "id"} for s in calendar["sessions"]],
        }  # fmt: skip
        answer = await admin.put(f"{API}/appointment-calendars/1", json=body, headers={"If-Match": now.headers["etag"]})
        assert answer.status_code == 200, answer.text

    async def policy(self, **changes: Any) -> None:
        """How the campus books, from now on."""
        names = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, 1))
        await self.database.execute(f"update appointment_policy set {names} where campus_id = 1", *changes.values())

    async def places(self, day: date, *session: int, **resource: int) -> list[UUID]:
        """Give a day so many places in its first sessions and in resources; return its sessions."""
        front, admin = await self.sign_in("front"), await self.sign_in("admin")
        asked: dict[str, str | int] = {"campus_id": 1, "day_from": day.isoformat(), "day_to": day.isoformat()}
        shown = (await front.get(f"{API}/appointment-availability", params=asked)).json()["days"][0]
        sessions = [UUID(s["session_id"]) for s in shown["sessions"]]
        body = {
            "sessions": [{"session_id": str(s), "capacity": n} for s, n in zip(sessions, session, strict=False)],
            "resources": [{"code": code, "capacity": n} for code, n in resource.items()],
        }
        answer = await admin.put(f"{API}/appointment-calendars/1/days/{day}", json=body)
        assert answer.status_code == 200, answer.text
        return sessions

    async def free(self, day: date) -> dict[str, Any]:
        """What is free on a day, as the front desk sees it."""
        asked: dict[str, str | int] = {"campus_id": 1, "day_from": day.isoformat(), "day_to": day.isoformat()}
        answer = await (await self.sign_in("front")).get(f"{API}/appointment-availability", params=asked)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()["days"][0]
        return shown

    async def people(self, number: int) -> list[UUID]:
        """So many invented people."""
        async with self.runtime.units.open(demo.LOADER) as uow:
            return [
                (await examinees.meet(uow, IdCardPayload.model_validate(invented_person()), 1))[0].id
                for _ in range(number)
            ]

    async def ask(
        self, day: date, session: UUID, *groups: str, person: UUID | None = None, header: dict[str, str] | None = None, patience: float = 60, **more: Any
    ) -> httpx.Response:  # fmt: skip
        """Ask the front desk for a booking."""
        known = await self.groups()
        body = {
            "campus_id": 1, "examinee_id": str(person or (await self.person())[0]), "day": day.isoformat(), "session_id": str(session),
            "item_group_ids": [str(known[code]) for code in groups or ("CBC",)], **more,
        }  # fmt: skip
        front = await self.sign_in("front")
        return await front.post(f"{API}/appointments", json=body, headers=header or key(), timeout=patience)

    async def booked(self, day: date, session: UUID, *groups: str, **more: Any) -> dict[str, Any]:
        """A booking that was made."""
        answer = await self.ask(day, session, *groups, **more)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def do(self, booking: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
        """Do something to a booking."""
        front = await self.sign_in("front")
        options: dict[str, Any] = {"json": body} if body else {}
        return await front.post(f"{API}/appointments/{booking['appointment']['id']}:{verb}", **options)
