"""People entered twice, for whoever tests what becomes of them."""

import secrets
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from tests.tjapi.world import API, key
from tjapi.visit import invented_person

# Where a person's id stands; the tests hold this list against the tables there are.
OWNED = {
    "exam": "id", "report": "id", "critical_value": "id", "member": "id", "appointment": "id", "appointment_wait": "id",
    "examinee_identifier": "id", "examinee_guardian": "id", "examinee_photo": "version", "examinee_name_key": "key", "examinee_campus": "campus_id",
}  # fmt: skip


def twice() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two cards of one invented person: a passport of a number of its own, and an ID card."""
    card = invented_person() | {"name": "".join(secrets.choice("覃韦黄蒙农陆梁兰莫卢岑闭") for _ in range(3))}
    passport = card | {"id_kind": "passport", "id_number": f"E{secrets.randbelow(10**8):08d}"}
    return passport, card


async def enter(front: httpx.AsyncClient, card: dict[str, Any], campus_id: int = 1) -> str:
    """Enter somebody at a desk; return the id."""
    answer = await front.post(f"{API}/examinees", json={"campus_id": campus_id, **card}, headers=key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def pair(front: httpx.AsyncClient) -> tuple[str, str]:
    """Enter one person twice; return the ids."""
    one, two = twice()
    return await enter(front, one), await enter(front, two)


async def merge(client: httpx.AsyncClient, merged: str, survivor: str, **more: Any) -> httpx.Response:
    """Merge somebody."""
    body = {"survivor_id": survivor, "reason": "换证后重复建档", **more}
    return await client.post(f"{API}/examinees/{merged}:merge", json=body)


async def undo(client: httpx.AsyncClient, merge_id: str) -> httpx.Response:
    """Undo a merge."""
    return await client.post(f"{API}/examinee-merges/{merge_id}:undo", json={"reason": "系双胞胎"})


async def found(client: httpx.AsyncClient, **by: str) -> list[str]:
    """Whom a search finds."""
    answer = await client.post(f"{API}/examinees:search", json=by)
    assert answer.status_code == 200, answer.text
    return [person["id"] for person in answer.json()["items"]]


async def holdings(admin: asyncpg.Connection, *people: str) -> dict[tuple[str, str], str]:
    """Whose each row of these people is, by table and key."""
    ids, held = [UUID(person) for person in people], {}
    for table, name in OWNED.items():
        rows = await admin.fetch(
            f"select {name}::text as key, examinee_id::text as owner from {table} where examinee_id = any($1)", ids
        )
        for row in rows:
            # What has no id of its own is told apart by its owner.
            held[table, row["key"] if name == "id" else f"{row['owner']} {row['key']}"] = row["owner"]
    return held
