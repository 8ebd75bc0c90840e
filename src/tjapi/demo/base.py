"""The demo hospital: two campuses, staff of each role, API clients. All of it invented.

Passwords and secrets derive from the installation's master key: two installations have different ones, and a restart the same.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.rules import Subject
from tjapi.guidance import service as guidance
from tjapi.guidance.schemas import OrderPair, RoomIn, RoomOrderIn
from tjapi.identity import flows
from tjapi.identity import service as identity
from tjapi.identity.schemas import ApiClientIn, StaffIn
from tjapi.installation import GATEWAY, client_secret
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.keys import KeyRing
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import UnitOfWork

LOADER = Principal("job", UUID(int=1), campuses=(1, 2), departments=None, private="*o")
# username, name, title, roles, campuses, departments (None: all of them)
STAFF: tuple[tuple[str, str, str, list[str], list[int], list[int] | None], ...] = (
    ("admin", "覃管理", "系统管理员", ["admin"], [1, 2], []),
    ("security", "覃安全", "安全管理员", ["security_admin"], [1, 2], None),
    ("front", "韦前台", "", ["front_desk"], [1], []),
    ("front.b", "农前台", "", ["front_desk"], [2], []),
    ("group", "莫团检", "", ["group_manager"], [1], []),
    ("doctor", "陆医生", "主治医师", ["doctor"], [1], None),
    ("doctor.b", "黄医生", "主治医师", ["doctor"], [2], None),
    ("doctor.imaging", "岑影像", "副主任医师", ["doctor"], [1], [6, 7]),
    ("doctor.clinic", "潘内科", "主治医师", ["doctor"], [1], [1, 2, 5]),
    ("doctor.women", "廖妇科", "副主任医师", ["doctor"], [1, 2], [3, 11]),
    ("laboratory", "阮检验", "副主任检验师", ["laboratory_head"], [1, 2], []),
    ("reviewer", "蒙初审", "主治医师", ["reviewer"], [1, 2], []),
    ("chief", "单终审", "副主任医师", ["chief"], [1, 2], []),
    ("interface", "区工程师", "", ["interface"], [1, 2], []),
    ("auditor", "仇审计", "", ["auditor"], [1, 2], []),
)
PLACES = {
    "GENERAL": "五层 501", "LAB": "五层 503", "INTERNAL": "五层 508", "SURGERY": "五层 509", "EYE": "五层 510", "ENT": "五层 511",
    "DENTAL": "五层 513", "GYN": "五层 514", "ECG": "五层 512", "ULTRASOUND": "五层 516", "RADIOLOGY": "一层 102", "FUNCTION": "五层 517",
    "TCM": "五层 518",
}  # fmt: skip
# code (called before the number), name, department, place, minutes for one person
ROOMS = (
    ("A", "一般检查室", "GENERAL", "五层 501", 3), ("B", "采血一号窗", "LAB", "五层 503-1", 3), ("BB", "采血二号窗", "LAB", "五层 503-2", 3),
    ("N", "内科诊室", "INTERNAL", "五层 508", 5), ("W", "外科诊室", "SURGERY", "五层 509", 5), ("Y", "眼科诊室", "EYE", "五层 510", 5),
    ("E", "耳鼻喉科诊室", "ENT", "五层 511", 4), ("X", "心电图室", "ECG", "五层 512", 5), ("K", "口腔科诊室", "DENTAL", "五层 513", 4),
    ("F", "妇科诊室", "GYN", "五层 514", 8), ("C", "超声一室", "ULTRASOUND", "五层 516-1", 8), ("CC", "超声二室", "ULTRASOUND", "五层 516-2", 8),
    ("G", "功能检查室", "FUNCTION", "五层 517", 8), ("T", "中医诊室", "TCM", "五层 518", 10), ("R", "放射科 DR 室", "RADIOLOGY", "一层 102", 4),
)  # fmt: skip
FIRST_THEN = (("GENERAL", "INTERNAL"),)
"""The physician wants height, weight and blood pressure on the sheet."""
CLIENTS = (("mini-program", "微信小程序", ["portal.grant"], [1, 2]),)


def password(keys: KeyRing, username: str) -> str:
    """Return the demo password of an account of this installation."""
    return f"Demo-{keys.text(f'demo-password/{username}')[:12]}"


def client_secrets(keys: KeyRing) -> dict[str, str]:
    """Return the secrets of the demo's clients, the gateway's included."""
    return {name: client_secret(keys, name) for name in (GATEWAY, *(client[0] for client in CLIENTS))}


async def load(runtime: Runtime) -> None:
    """Load the demo hospital, over the base that `installation.load` laid. Twice is once."""
    for account in STAFF:
        await _staff(runtime, *account)
    for client in CLIENTS:
        await _client(runtime, *client)
    async with runtime.units.open(LOADER) as uow:
        await _map_laboratory_codes(uow)
        await catalog.place_departments(uow, PLACES)


async def open_rooms(runtime: Runtime) -> None:
    """Open the rooms of each campus that has none, all of a campus or none of it; what a hospital made of its rooms since is left alone."""
    async with runtime.units.open(LOADER) as uow:
        departments = {department.code: department.id for department in await catalog.departments(uow)}
        there = {room.campus_id for room in await guidance.rooms(uow, None)}
        for campus_id in LOADER.campuses:
            if campus_id not in there:
                for sort, (code, name, department, place, minutes) in enumerate(ROOMS, 1):
                    new = RoomIn(
                        campus_id=campus_id, code=code, name=name, department_id=departments[department], place=place, minutes=minutes,
                        sort=10 * sort, open=True,
                    )  # fmt: skip
                    await guidance.create_room(uow, new)
                pairs = [OrderPair(before_id=departments[a], after_id=departments[b]) for a, b in FIRST_THEN]
                await guidance.put_order(uow, RoomOrderIn(campus_id=campus_id, pairs=pairs))


async def _staff(
    runtime: Runtime,
    username: str,
    name: str,
    title: str,
    roles: list[str],
    campuses: list[int],
    departments: list[int] | None,
) -> None:
    new = StaffIn(
        username=username, name=name, title=title, password=password(runtime.keys, username), roles=roles, campuses=campuses,
        departments=departments or [], all_departments=departments is None,
    )  # fmt: skip
    async with runtime.units.open(LOADER) as uow:
        if await identity.is_hired(uow, username):
            return
    hashed = await flows.hashed_password(runtime, username, new.password, "/password")
    async with runtime.units.open(LOADER) as uow:
        await identity.create_staff(uow, new, hashed)


async def _client(runtime: Runtime, client_id: str, name: str, scopes: list[str], campuses: list[int]) -> None:
    new = ApiClientIn(client_id=client_id, name=name, scopes=scopes, campuses=campuses)
    async with runtime.units.open(LOADER) as uow:
        if await identity.is_trusted(uow, client_id):
            return
    secret = client_secret(runtime.keys, client_id)
    hashed = await flows.hashed_secret(runtime, secret)
    async with runtime.units.open(LOADER) as uow:
        await identity.create_client(uow, new, secret, hashed)


async def _map_laboratory_codes(uow: UnitOfWork) -> None:
    """The sandbox LIS speaks the codes of our own items."""
    for group in await _laboratory_groups(uow):
        for item in group[1]:
            if await catalog.item_of_external_code(uow, "lis", item.code) is None:
                await catalog.map_external_code(uow, "lis", item.code, item.id)


async def _laboratory_groups(uow: UnitOfWork) -> list[tuple[Any, list[Any]]]:
    groups = [
        g
        for g in await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=500)
        if g.performed_by == "lis"
    ]
    items = await catalog.group_items(uow, [g.id for g in groups])
    return [(group, items[group.id]) for group in groups]


async def write_laboratory_dictionary(runtime: Runtime, path: Path) -> None:
    """Write what the sandbox LIS knows: the laboratory's groups and items with a normal range to draw values from."""
    dictionary: dict[str, list[dict[str, Any]]] = {}
    today = business_day(runtime.clock.now())
    async with runtime.units.read(LOADER) as uow:
        for group, items in await _laboratory_groups(uow):
            entries = []
            for item in items:
                adult = Subject("male", today.replace(year=today.year - 40, day=1), "", today)
                chosen = await catalog.choose_range(uow, item.id, adult)
                if item.kind == "computed":
                    continue  # a laboratory that reports it may; this one leaves it to us
                entry: dict[str, Any] = {"code": item.code, "name": item.name, "unit": item.unit or ""}
                if item.kind == "numeric":
                    low, high = _plausible(chosen.low if chosen else None, chosen.high if chosen else None)
                    entry |= {
                        "kind": "numeric",
                        "low": low,
                        "high": high,
                        "decimals": item.decimals or 0,
                        "range": f"{low}~{high}",
                    }
                else:
                    normal = item.normal_default or (item.choices or ["阴性"])[0]
                    abnormal = [c for c in item.choices or ["弱阳性", "阳性(1+)"] if c != normal]
                    entry |= {"kind": "coded", "normal": normal, "range": normal, "abnormal": abnormal}
                entries.append(entry)
            dictionary[group.code] = entries
    path.write_text(json.dumps({"groups": dictionary}, ensure_ascii=False, indent=1), encoding="utf-8")


def _plausible(low: Decimal | None, high: Decimal | None) -> tuple[float, float]:
    """Return the bounds between which the sandbox draws a value, where a range is open on one side or absent."""
    bottom = float(low) if low is not None else float(high) * 0.4 if high is not None else 1.0
    return bottom, float(high) if high is not None else bottom * 1.8
