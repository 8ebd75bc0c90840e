"""Registering: what a new exam and its lines say; and the exams of many members of a campaign at once.

`register_members` writes what `register` would write for each of them, one by one, in a few statements for all of them.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.catalog.service import ExamPackage
from tjapi.employer.service import Campaign, Member
from tjapi.exam import repository
from tjapi.exam.errors import ExamBeforeBirth, ExamDoubtful, ExamEmpty
from tjapi.exam.events import ExamRegistered, LinesReleased
from tjapi.exam.rules import DOUBTS, Doubt, Marks, age_on, doubts, exam_no, marks
from tjapi.examinee.service import Examinee
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing


@dataclass(frozen=True, slots=True)
class MemberOrder:
    """The exam that a member is to have: of whom, on which day, for what."""

    member: Member
    person: Examinee
    day: date
    quote: pricing.Quote


_CHARGED = ("state", "specimen", "person_share_fen")


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A line that is just being ordered: nothing of it was paid."""

    state: str
    specimen: str | None
    person_share_fen: int
    paid_fen: int = 0
    remitted_fen: int = 0


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A line as those need it who carry it out."""

    id: UUID
    item_group_id: UUID
    department_id: int
    performed_by: str
    specimen: str | None
    container: str | None
    fasting: bool


@dataclass(frozen=True, slots=True)
class OrderedExam:
    """An exam with some of its lines, in printing order."""

    id: UUID
    campus_id: int
    exam_no: str
    state: str
    lines: tuple[OrderedLine, ...]


def line_values(quote: pricing.Quote, first: int = 0) -> list[dict[str, Any]]:
    """Return what the lines of a quote say, whoever's exam they are added to."""
    return [
        {
            "item_group_id": q.item_group.id, "code": q.item_group.code, "name": q.item_group.name, "department_id": q.item_group.department_id,
            "performed_by": q.item_group.performed_by, "specimen": q.item_group.specimen, "container": q.item_group.container,
            "fasting": q.item_group.fasting, "sort": i, "list_price_fen": q.list_price_fen, "price_fen": q.price_fen,
            "person_share_fen": q.person_share_fen, "employer_share_fen": q.employer_share_fen, "paid_fen": 0, "remitted_fen": 0,
            "private": q.item_group.private, "price_reasons": [r if isinstance(r, dict) else r.model_dump() for r in q.reasons],
        }
        for i, q in enumerate(quote.lines, first)
    ]  # fmt: skip


def exam_values(
    uow: UnitOfWork, person: Examinee, day: date, quote: pricing.Quote, package: ExamPackage | None
) -> dict[str, Any]:
    """Return what a new exam says of whom it is for, when, and what it comes to."""
    years, days = age_on(person.birth_date, day)
    return {
        "id": uuid7(), "examinee_id": person.id, "package_id": package.id if package else None, "package_name": package.name if package else None,
        "state": "prepared", "version": 1, "exam_date": day, "name": person.name, "sex": person.sex, "birth_date": person.birth_date,
        "age_years": years, "age_days": days, "total_fen": quote.total_fen, "registered_by": uow.principal.id, "registered_at": uow.now,
        "awaits_payment": False, "owed_fen": 0, "refund_fen": 0, "blood_drawn": False, "examined": False,
    }  # fmt: skip


def age_at(person: Examinee, day: date) -> tuple[int, int]:
    """Return somebody's age in years and days on the day of an exam. Raises ExamBeforeBirth."""
    if day < person.birth_date:
        raise ExamBeforeBirth(
            errors=[FieldError("/exam_date", "before-birth", "体检日期早于出生日期", "before the examinee's birth")]
        )
    return age_on(person.birth_date, day)


async def second_exams(uow: UnitOfWork, asked: Sequence[tuple[UUID, date]]) -> set[tuple[UUID, date]]:
    """Return which of these people have an exam on the day asked for already: for whoever books many, and names them."""
    return await repository.having_exams(uow, asked) if asked else set()


async def refuse_doubtful(
    uow: UnitOfWork, examinee_id: UUID, campus_id: int, day: date, despite: Collection[Doubt], pointer: str
) -> None:
    """Ask back a day that is past, far ahead, or one on which the campus is closed, and a second exam of the day, unless somebody says that they are meant.

    Raises ExamDoubtful.

    A job does what somebody decided, and has nobody to ask.
    """
    if uow.principal.kind == "job":
        return
    asked = (examinee_id, day)
    offer = (await appointments.offers(uow, campus_id, [day]))[day]
    again = asked in await second_exams(uow, [asked])
    found = doubts(day, business_day(uow.now), has_exam=again, closed=offer.closed)
    missing = [doubt for doubt in found if doubt not in despite]
    if missing:
        raise ExamDoubtful(errors=[FieldError(pointer, doubt, *_said(doubt, offer.note)) for doubt in missing])


def _said(doubt: Doubt, note: str) -> tuple[str, str]:
    zh, en = DOUBTS[doubt]
    return (f"{zh}:{note}", f"{en}: {note}") if doubt == "closed_day" and note else (zh, en)


async def refuse_second(
    uow: UnitOfWork, examinee_id: UUID, day: date, despite: Collection[Doubt], pointer: str
) -> None:
    """Ask back an exam that comes to a day on which its person has another one, unless that is meant. Raises ExamDoubtful."""
    if uow.principal.kind != "job" and "second_exam" not in despite and await second_exams(uow, [(examinee_id, day)]):
        raise ExamDoubtful(errors=[FieldError(pointer, "second_exam", *DOUBTS["second_exam"])])


def refuse_empty(quote: pricing.Quote) -> None:
    """Refuse an exam of nothing. Raises ExamEmpty."""
    if not quote.lines:
        raise ExamEmpty(
            errors=[FieldError("/item_group_ids", "empty", "至少选择一个项目", "choose at least one item group")]
        )


def is_free(person_share_fen: int, *, payment_required: bool) -> bool:
    """Say whether a line waits for no payment."""
    return not payment_required or person_share_fen == 0


async def member_order(quotes: pricing.MemberQuotes, member: Member, person: Examinee, day: date) -> MemberOrder:
    """Say what exam a member would have on a day, and write nothing. Raises ExamBeforeBirth, ExamEmpty, and what a quote raises."""
    years, _ = age_at(person, day)
    quote = await quotes.of(member, person=pricing.Person(person.sex, years, None), on=day)
    refuse_empty(quote)
    return MemberOrder(member, person, day, quote)


async def register_members(
    uow: UnitOfWork, campaign: Campaign, orders: Sequence[MemberOrder], *, payment_required: bool
) -> list[UUID]:
    """Prepare the exams of many members of a campaign, and return their ids; the caller binds the members to them. Raises CampusNotHeld."""
    campus = await identity.held_campus(uow, campaign.campus_id)
    next_of = await repository.next_numbers(uow, campus.id, Counter(order.day for order in orders))
    heads, lines, news = [], [], []
    said: dict[int, list[dict[str, Any]]] = {}
    for order in orders:
        number, next_of[order.day] = next_of[order.day], next_of[order.day] + 1
        head = exam_values(uow, order.person, order.day, order.quote, order.quote.package) | {
            "campus_id": campus.id, "exam_no": exam_no(campus.code, order.day, number), "employer_id": campaign.employer_id,
            "campaign_id": campaign.id, "member_id": order.member.id,
        }  # fmt: skip
        # A quote is shared by all who are examined for the same: what its lines say is worked out once.
        values = said.setdefault(id(order.quote), line_values(order.quote))
        own = [_line(uow, head, value, payment_required=payment_required) for value in values]
        now = marks(_Fresh(**{name: line[name] for name in _CHARGED}) for line in own)
        head |= {
            "awaits_payment": now.awaits_payment, "owed_fen": now.owed_fen, "refund_fen": now.refund_fen, "blood_drawn": now.blood_drawn,
            "examined": now.examined,
        }  # fmt: skip
        if now != Marks():
            news.append(told(head["id"], head["state"], order.day, now))
        heads.append(head)
        lines.append(own)
    await repository.add_many(uow, heads, [line for own in lines for line in own])
    await uow.audit_many("exam.registered", "exam", {head["id"]: {} for head in heads}, campus_id=campus.id)
    await uow.publish_many([ExamRegistered(campus_id=campus.id, exam_id=head["id"]) for head in heads])
    released = [(head["id"], tuple(x["id"] for x in own if x["state"] == "released")) for head, own in zip(heads, lines, strict=True)]  # fmt: skip
    await uow.publish_many(
        [LinesReleased(campus_id=campus.id, exam_id=exam_id, line_ids=ids) for exam_id, ids in released if ids]
    )
    await uow.announce_many("exam", news, campus_id=campus.id, permission="exam.read")
    return [head["id"] for head in heads]


def _line(uow: UnitOfWork, head: Mapping[str, Any], values: Mapping[str, Any], *, payment_required: bool) -> dict[str, Any]:  # fmt: skip
    # What is private waits for the person's consent, whoever pays.
    free = is_free(values["person_share_fen"], payment_required=payment_required) and not values["private"]
    return {
        **values, "id": uuid7(), "campus_id": head["campus_id"], "exam_id": head["id"], "state": "released" if free else "ordered",
        "state_at": uow.now,
    }  # fmt: skip


def told(exam_id: UUID, state: str, day: date, now: Marks) -> dict[str, Any]:
    """Return what screens are told of an exam."""
    return {
        "exam_id": str(exam_id), "state": state, "exam_date": day.isoformat(), "awaits_payment": now.awaits_payment,
        "blood_drawn": now.blood_drawn, "examined": now.examined,
    }  # fmt: skip


async def ordered(uow: UnitOfWork, line_ids: Collection[UUID]) -> list[OrderedExam]:
    """Return lines with the exams that they belong to, as they are now, in one statement."""
    found: dict[UUID, tuple[Any, list[OrderedLine]]] = {}
    for row in await repository.ordered(uow, line_ids):
        line = OrderedLine(
            row["id"], row["item_group_id"], row["department_id"], row["performed_by"], row["specimen"], row["container"], row["fasting"]
        )  # fmt: skip
        found.setdefault(row["exam_id"], (row, []))[1].append(line)
    return [
        OrderedExam(exam_id, row["campus_id"], row["exam_no"], row["state"], tuple(own))
        for exam_id, (row, own) in found.items()
    ]
