"""How far a member has come, how a member may come to an end, and on which days a unit may be booked. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from tjapi.appointment.rules import DayOffer
from tjapi.employer.rules.campaigns import TERMINAL

Standing = Literal["listed", "booked", "unfinished", "finished", "no_show", "cancelled"]
STANDINGS: tuple[Standing, ...] = ("listed", "booked", "unfinished", "finished", "no_show", "cancelled")
EXAMINED: tuple[str, ...] = ("ready_for_review", "in_review", "finalized")
"""States of an exam of which nothing is outstanding: what is left is the doctors' work."""
NOT_HERE: tuple[str, ...] = ("prepared",)
NOTHING_TO_LOSE: tuple[str, ...] = ("prepared",)
"""States in which an exam may be given another group and price, or be cancelled because somebody did not come."""

LEFT_ALONE: dict[str, tuple[str, str]] = {
    "same_group": ("已在该分组", "Belongs to this group already"),
    "arrived": ("已报到,不再换组或重新计价", "Has arrived: neither moved nor priced anew any more"),
    "ended": ("已终结", "Has come to an end"),
    "line_stuck": ("已拒检或弃检,不能随分组撤销", "was refused or waived, and cannot go with the group"),
}
"""Why a member keeps group and price; what a quote refuses has its own code and words."""


def left_alone(member_state: str, exam_state: str | None) -> str | None:
    """Say why a member is neither moved nor priced anew; None: the member may be."""
    if member_state in TERMINAL:
        return "ended"
    return "arrived" if exam_state is not None and exam_state not in NOTHING_TO_LOSE else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plan books: a session of a day, or a day of a campus that keeps no calendar, and how many. `anywhen`: the quota is the whole day's."""

    day: date
    session_id: UUID | None
    quota: int
    anywhen: bool


Taken = Mapping[tuple[date, UUID | None], int]
"""How many of a campaign's members are booked, by day and session."""


def places(day: date, session_id: UUID | None, quota: int, offer: DayOffer) -> list[Place]:
    """Return where a line of a plan books: in its session, else in whichever of the day's has a place, in their order."""
    if session_id is not None:
        return [Place(day, session_id, quota, anywhen=False)]
    return [Place(day, one, quota, anywhen=True) for one in offer.sessions] or [Place(day, None, quota, anywhen=True)]


def booked_on(taken: Taken, day: date) -> int:
    """Return how many of a campaign's members are booked on a day."""
    return sum(count for (on, _), count in taken.items() if on == day)


def is_day_full(taken: Taken, day: date, daily_quota: int | None) -> bool:
    """Say whether the campaign has all whom it may have on a day: asked by every door."""
    return daily_quota is not None and booked_on(taken, day) >= daily_quota


def is_spent(place: Place, taken: Taken, daily_quota: int | None) -> bool:
    """Say whether a place of a plan has all whom its quota allows, or its day all whom the campaign allows."""
    there = booked_on(taken, place.day) if place.anywhen else taken.get((place.day, place.session_id), 0)
    return there >= place.quota or is_day_full(taken, place.day, daily_quota)


DayFault = Literal["past", "outside", "closed", "no-sessions", "not-offered"]
DAY_FAULTS: dict[DayFault, tuple[str, str]] = {
    "past": ("{day} 已过", "{day} is past"),
    "outside": ("{day} 不在团检任务期间内", "{day} is not within the campaign's days"),
    "closed": ("{day} 闭诊{note}", "{day} is closed{note}"),
    "no-sessions": ("{day} 没有开放时段", "{day} has no sessions"),
    "not-offered": ("{day} 没有所选时段", "{day} has no such session"),
}


def day_fault(
    day: date, session_id: UUID | None, offer: DayOffer, today: date, period: tuple[date, date] = (date.min, date.max)
) -> DayFault | None:
    """Say why nobody may be booked on a day, though it is not full; a campus that keeps no calendar has sessions on no day.

    `period`: the campaign's first and last day.
    """
    if day < today:
        return "past"
    if not period[0] <= day <= period[1]:
        return "outside"
    if offer.closed:
        return "closed"
    if session_id is not None:
        return None if session_id in offer.sessions else "not-offered"
    return "no-sessions" if offer.keeps_calendar and not offer.sessions else None


def say_day(fault: DayFault, day: date, offer: DayOffer) -> tuple[str, str]:
    """Return the sentences of a day's fault, with what the calendar notes of it."""
    zh, en = DAY_FAULTS[fault]
    note = f"({offer.note})" if offer.note else ""
    return zh.format(day=day.isoformat(), note=note), en.format(day=day.isoformat(), note=f" {note}" if note else "")


EndFault = Literal["not-examined", "being-examined", "examined", "not-due", "not-begun"]
END_FAULTS: dict[EndFault, tuple[str, str]] = {
    "not-examined": ("没有体检,不能判定为已体检", "was not examined"),
    "being-examined": ("体检尚未完成,请先完成或由前台处理未做项目", "is being examined: finish the examination, or set aside what is left of it"),
    "examined": ("已体检", "was examined"),
    "not-due": ("预约日期尚未过去,不能判定为未到检", "the day of the booking is not over"),
    "not-begun": ("团检任务尚未开始,不能判定为未到检", "the campaign has not begun"),
}  # fmt: skip


def end_fault(
    decision: str, exam_state: str | None, exam_day: date | None, begins: date, today: date
) -> EndFault | None:
    """Say why a member's end is not true; None: it is. `exam_state` and `exam_day` are those of the member's exam, None without one.

    Done is who was examined, and nothing of it is outstanding. Who did not come had a day that is over, or was never booked although the
    campaign has begun. Cancelled is who has not arrived.
    """
    if decision == "done":
        if exam_state in EXAMINED:
            return None
        return "not-examined" if exam_state is None or exam_state in NOTHING_TO_LOSE else "being-examined"
    if exam_state is not None and exam_state not in NOTHING_TO_LOSE:
        return "examined" if exam_state in EXAMINED else "being-examined"
    if decision == "no_show":
        if exam_day is not None:
            return "not-due" if exam_day >= today else None
        return "not-begun" if begins > today else None
    return None
