"""Questions to the employers' tables."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, or_, select, text, tuple_

from tjapi.employer.models import (
    Campaign,
    CampaignGroup,
    Contract,
    Employer,
    EmployerContact,
    Member,
    MemberImport,
    MemberImportEntry,
    MemberRepricing,
)
from tjapi.kernel.db import copy_rows, fetch_rows, fetch_value, repoint_rows, rows_since
from tjapi.kernel.uow import UnitOfWork

_FACTS = (
    "employee_no", "name", "sex", "birth_date", "id_kind", "id_number_sealed", "id_number_index", "id_number_masked", "phone_sealed",
    "phone_index", "phone_masked", "department", "post", "marital_status", "hazards", "note", "group_id", "placement", "placement_reason",
)  # fmt: skip
STAGED = ("import_id", "row_no", "member_id", "known", *_FACTS)
"""The columns of staging, in the order in which they are copied."""
_ADD = f"""
insert into member (id, campus_id, campaign_id, list_no, {", ".join(_FACTS)}, state, version, created_at, updated_at)
select member_id, $2, $3, $4 + row_number() over (order by row_no), {", ".join(_FACTS)}, 'listed', 1, $5, $5
from member_staging where import_id = $1 and not known
"""
_CHANGE = f"""
update member m set {", ".join(f"{name} = s.{name}" for name in _FACTS)},
  examinee_id = case when s.id_number_index is distinct from m.id_number_index then null else m.examinee_id end, version = m.version + 1, updated_at = $2
from member_staging s where s.import_id = $1 and s.known and m.id = s.member_id
"""
_REPLACE = text("""
update member m set group_id = p.group_id, placement = p.placement, placement_reason = cast(p.reason as jsonb), version = m.version + 1,
  updated_at = :now
from unnest(cast(:ids as uuid[]), cast(:groups as uuid[]), cast(:placements as text[]), cast(:reasons as text[]))
  as p(id, group_id, placement, reason)
where m.id = p.id
""")
_BIND = """
update member m set state = 'booked', examinee_id = given.examinee_id, exam_id = given.exam_id, refusal = null, version = m.version + 1, updated_at = $1
from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as given (id, examinee_id, exam_id) where m.id = given.id and m.state = 'listed' returning m.id
"""
_REFUSE = """
update member set refusal = $1::jsonb, version = version + 1, updated_at = $2 where campaign_id = $3 and id = any($4) and state = 'listed'
"""
_COUNTS = text("""
select count(*) as total, count(*) filter (where state = 'listed') as listed, count(*) filter (where state = 'booked') as booked,
  count(*) filter (where state = 'done') as done, count(*) filter (where state = 'no_show') as no_show,
  count(*) filter (where state = 'cancelled') as cancelled, count(*) filter (where placement = 'none') as none,
  count(*) filter (where placement = 'ambiguous') as ambiguous
from member where campaign_id = :campaign
""")


async def employer(uow: UnitOfWork, employer_id: UUID, *, lock: bool = False) -> Employer | None:
    """Return an employer, under the row lock if asked."""
    query = select(Employer).where(Employer.id == employer_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def employers(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Employer]:
    """Return employers by id."""
    return (await uow.session.scalars(select(Employer).where(Employer.id.in_(ids)))).all()


async def employer_with(uow: UnitOfWork, code: str, uscc: str | None) -> Employer | None:
    """Return the employer that has a code or a unified social credit code."""
    query = select(Employer).where(or_(Employer.code == code, Employer.uscc == uscc) if uscc else Employer.code == code)
    return (await uow.session.scalars(query)).first()


async def branches(uow: UnitOfWork, employer_id: UUID) -> Sequence[Employer]:
    """Return the units that are branches of one, by code."""
    return (
        await uow.session.scalars(select(Employer).where(Employer.parent_id == employer_id).order_by(Employer.code))
    ).all()


async def ancestors(uow: UnitOfWork, employer_id: UUID) -> set[UUID]:
    """Return a unit and whatever it is a branch of."""
    query = text("""
        with recursive up as (select id, parent_id from employer where id = :id
          union select e.id, e.parent_id from employer e join up on e.id = up.parent_id) select id from up
    """)
    return set((await uow.session.scalars(query, {"id": employer_id})).all())


async def employers_page(
    uow: UnitOfWork,
    *,
    q: str | None,
    parent_id: UUID | None,
    active: bool | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[Employer]:
    """Return a page of employers by code, one too many."""
    wanted: list[ColumnElement[bool]] = []
    if q is not None:
        wanted.append(
            or_(
                Employer.name.contains(q, autoescape=True),
                Employer.code.startswith(q, autoescape=True),
                Employer.initials.startswith(q.casefold(), autoescape=True),
            )
        )
    if parent_id is not None:
        wanted.append(Employer.parent_id == parent_id)
    if active is not None:
        wanted.append(Employer.active.is_(active))
    if after is not None:
        wanted.append(Employer.code > after[0])
    return (await uow.session.scalars(select(Employer).where(*wanted).order_by(Employer.code).limit(size + 1))).all()


async def contacts(uow: UnitOfWork, employer_id: UUID) -> Sequence[EmployerContact]:
    """Return whom one calls, the first entered first."""
    query = select(EmployerContact).where(EmployerContact.employer_id == employer_id).order_by(EmployerContact.id)
    return (await uow.session.scalars(query)).all()


async def contact(uow: UnitOfWork, employer_id: UUID, contact_id: UUID) -> EmployerContact | None:
    """Return a contact of an employer."""
    query = select(EmployerContact).where(EmployerContact.id == contact_id, EmployerContact.employer_id == employer_id)
    return (await uow.session.scalars(query)).first()


async def contract(uow: UnitOfWork, contract_id: UUID) -> Contract | None:
    """Return a contract that one may see."""
    return (await uow.session.scalars(select(Contract).where(Contract.id == contract_id))).first()


async def contract_numbered(uow: UnitOfWork, campus_id: int, contract_no: str) -> Contract | None:
    """Return the contract of a campus with a number."""
    query = select(Contract).where(Contract.campus_id == campus_id, Contract.contract_no == contract_no)
    return (await uow.session.scalars(query)).first()


async def contracts_page(
    uow: UnitOfWork, *, employer_id: UUID | None, after: Sequence[str] | None, size: int
) -> Sequence[Contract]:
    """Return a page of contracts, the latest first, one too many."""
    query = select(Contract).order_by(Contract.id.desc()).limit(size + 1)
    if employer_id is not None:
        query = query.where(Contract.employer_id == employer_id)
    if after is not None:
        query = query.where(Contract.id < UUID(after[0]))
    return (await uow.session.scalars(query)).all()


async def campaign(uow: UnitOfWork, campaign_id: UUID, *, lock: bool = False) -> Campaign | None:
    """Return a campaign that one may see, under the row lock if asked."""
    query = select(Campaign).where(Campaign.id == campaign_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def following(uow: UnitOfWork, campaign_id: UUID) -> Campaign | None:
    """Return the campaign that followed one."""
    return (await uow.session.scalars(select(Campaign).where(Campaign.previous_id == campaign_id))).first()


async def campaigns_page(
    uow: UnitOfWork,
    *,
    employer_id: UUID | None,
    state: str | None,
    year: int | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[Campaign]:
    """Return a page of campaigns, the latest first, one too many."""
    query = select(Campaign).order_by(Campaign.id.desc()).limit(size + 1)
    if employer_id is not None:
        query = query.where(Campaign.employer_id == employer_id)
    if state is not None:
        query = query.where(Campaign.state == state)
    if year is not None:
        query = query.where(Campaign.year == year)
    if after is not None:
        query = query.where(Campaign.id < UUID(after[0]))
    return (await uow.session.scalars(query)).all()


async def groups(uow: UnitOfWork, campaign_id: UUID) -> Sequence[CampaignGroup]:
    """Return the groups of a campaign in their order."""
    query = select(CampaignGroup).where(CampaignGroup.campaign_id == campaign_id)
    return (await uow.session.scalars(query.order_by(CampaignGroup.sort, CampaignGroup.code))).all()


async def group(uow: UnitOfWork, group_id: UUID) -> CampaignGroup | None:
    """Return a group that one may see."""
    return (await uow.session.scalars(select(CampaignGroup).where(CampaignGroup.id == group_id))).first()


async def member_counts(uow: UnitOfWork, campaign_id: UUID) -> dict[str, int]:
    """Count a campaign's members: all, by state, and those not placed."""
    await uow.session.flush()
    return dict((await uow.session.execute(_COUNTS, {"campaign": campaign_id})).mappings().one())


async def member(uow: UnitOfWork, member_id: UUID, *, lock: bool = False) -> Member | None:
    """Return a member whom one may see, under the row lock if asked."""
    query = select(Member).where(Member.id == member_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def member_of_exam(uow: UnitOfWork, exam_id: UUID) -> Member | None:
    """Return the member of an exam, under the row lock."""
    query = select(Member).where(Member.exam_id == exam_id).with_for_update()
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()


async def members(
    uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID] | None = None, *, lock: bool = False
) -> Sequence[Member]:
    """Return members of a campaign in the order of the list, all of them or those of these ids."""
    query = select(Member).where(Member.campaign_id == campaign_id).order_by(Member.list_no, Member.id)
    if ids is not None:
        query = query.where(Member.id.in_(ids))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).all()


async def listed(
    uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID] | None, group_id: UUID | None
) -> Sequence[UUID]:
    """Return the ids of whoever is listed still, in the order of the list."""
    query = select(Member.id).where(Member.campaign_id == campaign_id, Member.state == "listed")
    if ids is not None:
        query = query.where(Member.id.in_(ids))
    if group_id is not None:
        query = query.where(Member.group_id == group_id)
    return (await uow.session.scalars(query.order_by(Member.list_no, Member.id))).all()


async def listed_already(
    uow: UnitOfWork, campaign_id: UUID, id_number_index: bytes | None, employee_no: str | None
) -> Member | None:
    """Return the member with this ID number or employee number."""
    same: list[ColumnElement[bool]] = []
    if id_number_index is not None:
        same.append(Member.id_number_index == id_number_index)
    if employee_no is not None:
        same.append(Member.employee_no == employee_no)
    if not same:
        return None
    return (await uow.session.scalars(select(Member).where(Member.campaign_id == campaign_id, or_(*same)))).first()


async def members_page(
    uow: UnitOfWork, *, campaign_id: UUID, state: str | None, group_id: UUID | None, placement: str | None, refused: bool | None,
    after: Sequence[str] | None, size: int,
) -> Sequence[Member]:  # fmt: skip
    """Return a page of members in the order of the list, one too many."""
    wanted: list[ColumnElement[bool]] = [Member.campaign_id == campaign_id]
    if state is not None:
        wanted.append(Member.state == state)
    if group_id is not None:
        wanted.append(Member.group_id == group_id)
    if placement is not None:
        wanted.append(Member.placement == placement)
    if refused is not None:
        wanted.append(Member.refusal.is_not(None) if refused else Member.refusal.is_(None))
    if after is not None:
        wanted.append(tuple_(Member.list_no, Member.id) > (int(after[0]), UUID(after[1])))
    query = select(Member).where(*wanted).order_by(Member.list_no, Member.id).limit(size + 1)
    return (await uow.session.scalars(query)).all()


async def last_list_no(uow: UnitOfWork, campaign_id: UUID) -> int:
    """Return the highest number in a campaign's list; 0 of an empty one."""
    found = await uow.session.scalar(select(func.max(Member.list_no)).where(Member.campaign_id == campaign_id))
    return found or 0


async def replace(uow: UnitOfWork, rows: Sequence[tuple[UUID, UUID | None, str, str]]) -> None:
    """Place members anew: id, group, placement, reason as JSON."""
    ids, groups_, placements, reasons = (list(column) for column in zip(*rows, strict=True))
    values = {"ids": ids, "groups": groups_, "placements": placements, "reasons": reasons, "now": uow.now}
    await uow.session.execute(_REPLACE, values)
    uow.session.expire_all()


async def bind_many(uow: UnitOfWork, rows: Sequence[tuple[UUID, UUID, UUID]]) -> int:
    """Book listed members, each its id, examinee and exam; return how many were listed."""
    ids, examinees, exams = (list(column) for column in zip(*rows, strict=True))
    return len(await fetch_rows(uow.session, _BIND, uow.now, ids, examinees, exams))


async def refuse_many(uow: UnitOfWork, campaign_id: UUID, ids: Collection[UUID], refusal: dict[str, str]) -> None:
    """Keep one refusal for many listed members."""
    sent = json.dumps(refusal, ensure_ascii=False)
    await fetch_rows(uow.session, _REFUSE, sent, uow.now, campaign_id, list(ids))


async def placings(uow: UnitOfWork, campaign_id: UUID) -> Sequence[Any]:
    """Return of whoever is listed and was not assigned by hand what groups ask for, and where they are now."""
    query = select(
        Member.id, Member.sex, Member.birth_date, Member.marital_status, Member.post, Member.hazards, Member.group_id, Member.placement, Member.placement_reason,
    ).where(Member.campaign_id == campaign_id, Member.state == "listed", Member.placement != "assigned")  # fmt: skip
    return (await uow.session.execute(query)).all()


async def facts(uow: UnitOfWork, campaign_id: UUID) -> Sequence[Any]:
    """Return what the list says of every member now, to compare a file with."""
    query = f"select id, state, {', '.join(_FACTS)} from member where campaign_id = $1"
    return await fetch_rows(uow.session, query, campaign_id)


async def with_exams(uow: UnitOfWork, campaign_id: UUID, group_id: UUID | None) -> Sequence[UUID]:
    """Return the ids of whoever has an exam, in the order of the list."""
    query = select(Member.id).where(Member.campaign_id == campaign_id, Member.exam_id.is_not(None))
    if group_id is not None:
        query = query.where(Member.group_id == group_id)
    return (await uow.session.scalars(query.order_by(Member.list_no, Member.id))).all()


async def repriced(uow: UnitOfWork, job_id: UUID) -> set[UUID]:
    """Return the members of whom a command has an outcome."""
    query = select(MemberRepricing.member_id).where(MemberRepricing.job_id == job_id)
    return set((await uow.session.scalars(query)).all())


async def repricings_page(
    uow: UnitOfWork, campaign_id: UUID, job_id: UUID, *, outcome: str | None, after: Sequence[str] | None, size: int
) -> Sequence[MemberRepricing]:
    """Return a page of the outcomes of a command, in the order of the list, one too many."""
    wanted: list[ColumnElement[bool]] = [MemberRepricing.campaign_id == campaign_id, MemberRepricing.job_id == job_id]
    if outcome is not None:
        wanted.append(MemberRepricing.outcome == outcome)
    if after is not None:
        wanted.append(tuple_(MemberRepricing.list_no, MemberRepricing.member_id) > (int(after[0]), UUID(after[1])))
    query = select(MemberRepricing).where(*wanted).order_by(MemberRepricing.list_no, MemberRepricing.member_id)
    return (await uow.session.scalars(query.limit(size + 1))).all()


async def member_import(uow: UnitOfWork, import_id: UUID, *, lock: bool = False) -> MemberImport | None:
    """Return an import that one may see, under the row lock if asked."""
    query = select(MemberImport).where(MemberImport.id == import_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def entries_page(
    uow: UnitOfWork, import_id: UUID, *, kind: str | None, after: Sequence[str] | None, size: int
) -> Sequence[MemberImportEntry]:
    """Return a page of what there is to say about the rows of a file, one too many."""
    query = (
        select(MemberImportEntry)
        .where(MemberImportEntry.import_id == import_id)
        .order_by(MemberImportEntry.n)
        .limit(size + 1)
    )
    if kind is not None:
        query = query.where(MemberImportEntry.kind == kind)
    if after is not None:
        query = query.where(MemberImportEntry.n > int(after[0]))
    return (await uow.session.scalars(query)).all()


async def clashes(uow: UnitOfWork, found: MemberImport) -> bool:
    """Say whether staged rows no longer suit the list: somebody new is on it already, or who was to change is no longer merely listed."""
    query = """
        select exists (
          select from member_staging s join member m on m.campaign_id = $2
            and (m.id_number_index = s.id_number_index or m.employee_no = s.employee_no) and m.id <> s.member_id where s.import_id = $1)
        or exists (select from member_staging s left join member m on m.id = s.member_id and m.state = 'listed'
          where s.import_id = $1 and s.known and m.id is null)
    """
    answer: bool = await fetch_value(uow.session, query, found.id, found.campaign_id)
    return answer


async def keep_entries(uow: UnitOfWork, found: MemberImport, rows: Iterable[dict[str, Any]]) -> None:
    """Keep what there is to say about the rows of a file."""
    values = [{"import_id": found.id, "campus_id": found.campus_id, **row} for row in rows]
    if values:
        await uow.session.execute(insert(MemberImportEntry), values)


async def clear_staging(uow: UnitOfWork, import_id: UUID) -> None:
    """Forget what an earlier reading of a file left."""
    await uow.session.execute(text("delete from member_staging where import_id = :id"), {"id": import_id})
    await uow.session.execute(text("delete from member_import_entry where import_id = :id"), {"id": import_id})


async def stage(uow: UnitOfWork, rows: Sequence[tuple[Any, ...]]) -> None:
    """Copy rows into staging."""
    await copy_rows(uow.session, "member_staging", STAGED, rows)


async def staged(uow: UnitOfWork, import_id: UUID) -> int:
    """Count the rows that wait to be taken over."""
    found: int = await fetch_value(uow.session, "select count(*) from member_staging where import_id = $1", import_id)
    return found


async def take_over(uow: UnitOfWork, found: MemberImport, first: int) -> None:
    """Make members of the staged rows, in one statement each for those that are new and those that change; forget the rows."""
    await fetch_value(uow.session, _ADD, found.id, found.campus_id, found.campaign_id, first, uow.now)
    await fetch_value(uow.session, _CHANGE, found.id, uow.now)
    await uow.session.execute(text("delete from member_staging where import_id = :id"), {"id": found.id})


async def repoint(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID]:
    """Give the memberships of one person to another, all or these; return which."""
    return await repoint_rows(uow.session, Member, "examinee_id", was, now, ids)


async def given_since(uow: UnitOfWork, examinee_id: UUID, since: UUID) -> list[UUID]:
    """Return somebody's memberships that were made after a merge."""
    return await rows_since(uow.session, Member, "examinee_id", examinee_id, since)
