"""How far units and members have come: read-only over campaigns, members and exams, each screen in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tjapi.groupdesk.rules import EXAMINED
from tjapi.kernel.uow import UnitOfWork

# One meaning of each standing, for counts and lists alike.
_STANDING = """case
  when m.state in ('no_show', 'cancelled') then m.state
  when e.state = any(:examined) or (m.state = 'done' and e.id is null) then 'finished'
  when e.id is null or e.state = 'cancelled' then 'listed'
  when e.checked_in_at is null then 'booked'
  else 'unfinished' end"""
_PROGRESS = text(f"""
select c.id as campaign_id, c.name as campaign_name, c.state, u.id as employer_id, u.code as employer_code, u.name as employer_name, n.*,
  n.unfinished + n.finished as arrived
from campaign c join employer u on u.id = c.employer_id
cross join lateral (
  select count(*) as total, count(*) filter (where s.standing = 'listed') as listed, count(*) filter (where s.standing = 'booked') as booked,
    count(*) filter (where s.standing = 'unfinished') as unfinished, count(*) filter (where s.standing = 'finished') as finished,
    count(*) filter (where s.standing = 'no_show') as no_show, count(*) filter (where s.standing = 'cancelled') as cancelled
  from (select {_STANDING} as standing from member m left join exam e on e.id = m.exam_id where m.campaign_id = c.id) s) n
where (cast(:campaign as uuid) is null or c.id = :campaign) and (not :still_open or c.state <> 'completed')
order by u.code, c.id
""")
_MEMBERS = text(f"""
select * from (
  select m.id as member_id, m.list_no, m.name, m.department, g.code as group_code, {_STANDING} as standing, e.id as exam_id, e.exam_no, e.exam_date,
    e.state as exam_state
  from member m left join exam e on e.id = m.exam_id left join campaign_group g on g.id = m.group_id
  where m.campaign_id = :campaign and (cast(:after_no as int) is null or (m.list_no, m.id) > (:after_no, cast(:after_id as uuid)))) s
where cast(:standing as text) is null or s.standing = :standing
order by s.list_no, s.member_id limit :size
""")
_TAKEN = text("""
select e.exam_date as day, a.session_id, count(*) as taken from exam e
left join appointment a on a.exam_id = e.id and a.state <> 'cancelled'
where e.campaign_id = :campaign and e.state <> 'cancelled' group by 1, 2
""")
_EXAMINED = text("""
select m.id from member m join exam e on e.id = m.exam_id where m.campaign_id = :campaign and m.state = 'booked' and e.state = any(:examined)
""")

# Who was done, and is being examined again: the exam was taken back, and with it the end.
_TAKEN_BACK = text("""
select m.id from member m join exam e on e.id = m.exam_id where m.campaign_id = :campaign and m.state = 'done' and not e.state = any(:examined)
""")
_STILL_OPEN = text(f"""
select * from (
  select m.id as member_id, m.list_no, {_STANDING} as standing, e.exam_date from member m left join exam e on e.id = m.exam_id
  where m.campaign_id = :campaign) s
where s.standing in ('listed', 'booked', 'unfinished') order by s.list_no, s.member_id limit :most
""")


@dataclass(frozen=True, slots=True)
class OpenMember:
    """A member who has come to no end, and how far they have come."""

    member_id: UUID
    list_no: int
    standing: str
    exam_date: date | None


async def progress(uow: UnitOfWork, *, campaign_id: UUID | None = None, still_open: bool = False) -> Sequence[Any]:
    """Return how far units have come, by the unit's code: of one campaign, or of all, or of those not completed."""
    values = {"campaign": campaign_id, "still_open": still_open, "examined": list(EXAMINED)}
    return (await uow.session.execute(_PROGRESS, values)).mappings().all()


async def standings(
    uow: UnitOfWork, campaign_id: UUID, *, standing: str | None, after: Sequence[str] | None, size: int
) -> Sequence[Any]:
    """Return a page of members with their standing in the order of the list, one too many."""
    values = {
        "campaign": campaign_id, "standing": standing, "after_no": int(after[0]) if after else None,
        "after_id": UUID(after[1]) if after else None, "size": size + 1, "examined": list(EXAMINED),
    }  # fmt: skip
    return (await uow.session.execute(_MEMBERS, values)).all()


async def taken(uow: UnitOfWork, campaign_id: UUID) -> dict[tuple[date, UUID | None], int]:
    """Return how many of a campaign's members are booked, by day and session."""
    await uow.session.flush()
    return {
        (row.day, row.session_id): row.taken for row in await uow.session.execute(_TAKEN, {"campaign": campaign_id})
    }


async def examined(uow: UnitOfWork, campaign_id: UUID) -> Sequence[UUID]:
    """Return the members who are booked still although nothing of their exam is outstanding."""
    await uow.session.flush()
    return (await uow.session.scalars(_EXAMINED, {"campaign": campaign_id, "examined": list(EXAMINED)})).all()


async def taken_back(uow: UnitOfWork, campaign_id: UUID) -> Sequence[UUID]:
    """Return the members who were done although their exam is under way again."""
    return (await uow.session.scalars(_TAKEN_BACK, {"campaign": campaign_id, "examined": list(EXAMINED)})).all()


async def still_open(uow: UnitOfWork, campaign_id: UUID, most: int) -> Sequence[OpenMember]:
    """Return the first members who have come to no end."""
    rows = await uow.session.execute(_STILL_OPEN, {"campaign": campaign_id, "examined": list(EXAMINED), "most": most})
    return [OpenMember(*row) for row in rows]
