"""Questions to the examinees' tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    LargeBinary,
    SmallInteger,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from tjapi.examinee.models import (
    Examinee,
    ExamineeCampus,
    ExamineeDistinction,
    ExamineeGuardian,
    ExamineeIdentifier,
    ExamineeMerge,
    ExamineeMergeRow,
    ExamineeNameKey,
    ExamineePhoto,
)
from tjapi.kernel.db import fetch_rows, fetch_value, insert_rows, repoint_rows, rows_since
from tjapi.kernel.uow import UnitOfWork

_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:key, 13))")
# A definer function: it finds a person whom row security hides from this campus, links them and leaves an audit row.
_MEET = text("select tj.meet_examinee(:kind, :index, :campus, :country)").bindparams(
    bindparam("index", type_=LargeBinary), bindparam("campus", type_=SmallInteger)
)
_LOCK_MANY = "select pg_advisory_xact_lock(hashtextextended(key, 13)) from unnest($1::text[]) as given (key)"
_MEET_MANY = """
select tj.meet_examinee(given.kind, given.index, $4::smallint, given.country) as found
from unnest($1::text[], $2::bytea[], $3::text[]) with ordinality as given (kind, index, country, n) order by given.n
"""
_LAST = chr(0x10FFFF)
Lock = Literal["change", "keep"]
# Of two people who were merged the face is the one taken last, whatever its number.
_NEWEST = (ExamineePhoto.taken_at.desc(), ExamineePhoto.version.desc())
_MOST_VERSIONS = 200
# A number and a phone stay with the row that was merged; names and cards follow the merge themselves.
_STANDS_FOR = func.coalesce(Examinee.merged_into_id, Examinee.id)


async def lock_identifier(uow: UnitOfWork, kind: str, index: bytes) -> None:
    """Let only one transaction at a time look for, and then enter, the holder of an identifier."""
    await uow.session.execute(_LOCK, {"key": f"examinee|{kind}|{index.hex()}"})


async def meet(uow: UnitOfWork, kind: str, index: bytes, country: str, campus_id: int) -> UUID | None:
    """Return the person with this identifier, whom the campus has now met; None when nobody has it."""
    found: UUID | None = (
        await uow.session.execute(_MEET, {"kind": kind, "index": index, "country": country, "campus": campus_id})
    ).scalar()
    return found


async def is_met(uow: UnitOfWork, examinee_id: UUID, campus_id: int) -> bool:
    """Say whether a campus knows somebody."""
    query = select(ExamineeCampus.campus_id).where(
        ExamineeCampus.examinee_id == examinee_id, ExamineeCampus.campus_id == campus_id
    )
    return (await uow.session.execute(query)).first() is not None


async def examinee(uow: UnitOfWork, examinee_id: UUID, *, lock: Lock | None = None) -> Examinee | None:
    """Return whom an id stands for: the person, or whom they were merged into; None where one may not see them.

    `change` locks the row; `keep` only lets nobody merge, or change, them until the transaction ends.
    """
    asked = examinee_id
    while (person := await entry(uow, asked, lock=lock)) is not None:
        # A merge, or its undoing, may have been waited for: whom the id stands for is asked again under the lock.
        asked = person.merged_into_id or (await survivor_id(uow, examinee_id) if asked != examinee_id else person.id)
        if asked == person.id:
            return person
    return None


async def entry(uow: UnitOfWork, examinee_id: UUID, *, lock: Lock | None = None) -> Examinee | None:
    """Return the row of an id itself, merged or not, locked if asked."""
    query = select(Examinee).where(Examinee.id == examinee_id)
    if lock is not None:
        query = query.with_for_update(key_share=lock == "keep", read=lock == "keep")
        query = query.execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def survivor_id(uow: UnitOfWork, examinee_id: UUID) -> UUID:
    """Return the id for which an id stands: of a person who was merged the survivor's, otherwise the same."""
    query = select(Examinee.merged_into_id).where(Examinee.id == examinee_id)
    return (await uow.session.execute(query)).scalar() or examinee_id


async def examinees(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Examinee]:
    """Return those of these rows which one may see, merged or not."""
    return (await uow.session.scalars(select(Examinee).where(Examinee.id.in_(ids)))).all()


async def merged_into(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Examinee]:
    """Return the rows that were merged into these."""
    return (await uow.session.scalars(select(Examinee).where(Examinee.merged_into_id.in_(ids)))).all()


async def lock_many(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Examinee]:
    """Return people under their row locks, taken in one order."""
    query = select(Examinee).where(Examinee.id.in_(ids)).order_by(Examinee.id).with_for_update()
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).all()


async def add(uow: UnitOfWork, person: Examinee, campus_id: int, keys: Iterable[str]) -> None:
    """Enter a person, met by a campus, with the keys of the name. In this order: the campus makes the row visible."""
    uow.session.add(person)
    await uow.session.flush()
    await uow.session.execute(
        insert(ExamineeCampus).values(examinee_id=person.id, campus_id=campus_id, first_met_at=uow.now)
    )
    await uow.session.execute(insert(ExamineeNameKey), [{"examinee_id": person.id, "key": key} for key in keys])


async def lock_identifiers(uow: UnitOfWork, keys: Collection[tuple[str, bytes, str]]) -> None:
    """Let only one transaction at a time look for, and then enter, the holders of identifiers; in one order, against deadlocks."""
    await fetch_rows(uow.session, _LOCK_MANY, sorted(f"examinee|{kind}|{index.hex()}" for kind, index, _ in keys))


async def meet_many(uow: UnitOfWork, keys: Sequence[tuple[str, bytes, str]], campus_id: int) -> list[UUID | None]:
    """Return the person with each identifier, whom the campus has now met; None where nobody has it."""
    kinds, indexes, countries = ([key[at] for key in keys] for at in range(3))
    return [row["found"] for row in await fetch_rows(uow.session, _MEET_MANY, kinds, indexes, countries, campus_id)]


async def add_many(
    uow: UnitOfWork, people: Sequence[Examinee], campus_id: int, keys: Mapping[UUID, Iterable[str]]
) -> None:
    """Enter people, met by a campus, with the keys of their names. In this order: the campus makes the rows visible."""
    columns = [column.key for column in Examinee.__table__.columns]
    await insert_rows(uow.session, Examinee, [{key: getattr(one, key) for key in columns} for one in people])
    met = [{"examinee_id": one.id, "campus_id": campus_id, "first_met_at": uow.now} for one in people]
    await insert_rows(uow.session, ExamineeCampus, met)
    named = [{"examinee_id": one.id, "key": key} for one in people for key in keys[one.id]]
    await insert_rows(uow.session, ExamineeNameKey, named)


@dataclass(frozen=True, slots=True)
class Found:
    """Which of the people found are asked for: after whom, how many, and only of `among` if that is said."""

    after: UUID | None
    size: int
    among: Collection[UUID] | None = None


async def ids_by_name_prefix(uow: UnitOfWork, prefix: str, page: Found) -> Sequence[UUID]:
    """Return people one of whose name keys begins so, the latest entered first, one too many."""
    key, person = ExamineeNameKey.key, ExamineeNameKey.examinee_id
    return await _ids(uow, person, and_(key >= prefix, key < prefix + _LAST), page)


async def ids_by_id_number(uow: UnitOfWork, indexes: Sequence[bytes], page: Found) -> Sequence[UUID]:
    """Return people with one of these ID numbers, whatever the kind."""
    return await _ids(uow, _STANDS_FOR, Examinee.id_number_index.in_(indexes), page)


async def ids_by_phone(uow: UnitOfWork, index: bytes, page: Found) -> Sequence[UUID]:
    """Return people with this phone: a family may share one."""
    return await _ids(uow, _STANDS_FOR, Examinee.phone_index == index, page)


async def ids_by_identifier(uow: UnitOfWork, index: bytes, page: Found) -> Sequence[UUID]:
    """Return people with this card or number of another system, whatever the kind."""
    return await _ids(uow, ExamineeIdentifier.examinee_id, ExamineeIdentifier.number_index == index, page)


async def ids_by_guardian(uow: UnitOfWork, index: bytes, born_after: date, page: Found) -> Sequence[UUID]:
    """Return for whom somebody with this phone answers: those who are minors yet, born after a day."""
    guardian = ExamineeGuardian
    minor = select(Examinee.id).where(Examinee.id == guardian.examinee_id, Examinee.birth_date > born_after).exists()
    return await _ids(
        uow, guardian.examinee_id, and_(guardian.phone_index == index, guardian.ended_at.is_(None), minor), page
    )


async def _ids(
    uow: UnitOfWork, person: InstrumentedAttribute[UUID] | ColumnElement[UUID], wanted: ColumnElement[bool], page: Found
) -> Sequence[UUID]:
    query = select(person).distinct().where(wanted).order_by(person.desc()).limit(page.size + 1)
    if page.after is not None:
        query = query.where(person < page.after)
    if page.among is not None:
        query = query.where(person == any_(literal(list(page.among), ARRAY(Uuid))))
    return (await uow.session.scalars(query)).all()


async def add_identifier(uow: UnitOfWork, row: ExamineeIdentifier) -> bool:
    """Add a card or number; say whether nobody had it. Two at once: the second waits for the first."""
    values = {column.key: getattr(row, column.key) for column in ExamineeIdentifier.__table__.columns}
    made = await uow.session.execute(
        upsert(ExamineeIdentifier).values(**values).on_conflict_do_nothing().returning(ExamineeIdentifier.id)
    )
    return made.scalar() is not None


async def identifier_of_number(uow: UnitOfWork, kind: str, index: bytes) -> ExamineeIdentifier | None:
    """Return the card or number of this index, if its holder may be seen."""
    query = select(ExamineeIdentifier).where(ExamineeIdentifier.number_index == index, ExamineeIdentifier.kind == kind)
    return (await uow.session.scalars(query)).first()


async def identifiers(uow: UnitOfWork, examinee_id: UUID) -> Sequence[ExamineeIdentifier]:
    """Return the cards and numbers of a person, in the order in which they came."""
    query = select(ExamineeIdentifier).where(ExamineeIdentifier.examinee_id == examinee_id)
    return (await uow.session.scalars(query.order_by(ExamineeIdentifier.id).limit(_MOST_VERSIONS))).all()


async def remove_identifier(uow: UnitOfWork, examinee_id: UUID, identifier_id: UUID) -> str | None:
    """Take a card or number away and return its kind; None when the person has none of this id."""
    statement = delete(ExamineeIdentifier).where(
        ExamineeIdentifier.id == identifier_id, ExamineeIdentifier.examinee_id == examinee_id
    )
    kind: str | None = (await uow.session.execute(statement.returning(ExamineeIdentifier.kind))).scalar()
    return kind


async def photo(
    uow: UnitOfWork, examinee_id: UUID, *, version: int | None = None, source: str | None = None
) -> ExamineePhoto | None:
    """Return a version of a photo: that of a number, or the newest, or the newest from a source."""
    query = select(ExamineePhoto).where(ExamineePhoto.examinee_id == examinee_id)
    if version is not None:
        query = query.where(ExamineePhoto.version == version)
    if source is not None:
        query = query.where(ExamineePhoto.source == source)
    return (await uow.session.scalars(query.order_by(*_NEWEST).limit(1))).first()


async def next_photo_version(uow: UnitOfWork, examinee_id: UUID) -> int:
    """Return the number of the next version of a photo: no number is used twice for one person."""
    query = select(func.max(ExamineePhoto.version)).where(ExamineePhoto.examinee_id == examinee_id)
    return ((await uow.session.execute(query)).scalar() or 0) + 1


async def photo_files(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return where the newest photo of each of many people is; who has none is absent."""
    query = "select distinct on (examinee_id) examinee_id, file from examinee_photo where examinee_id = any($1) order by examinee_id, version desc"
    return {row["examinee_id"]: row["file"] for row in await fetch_rows(uow.session, query, list(ids))}


async def photos(uow: UnitOfWork, examinee_id: UUID) -> Sequence[ExamineePhoto]:
    """Return the versions of a photo, newest first."""
    query = select(ExamineePhoto).where(ExamineePhoto.examinee_id == examinee_id)
    return (await uow.session.scalars(query.order_by(*_NEWEST).limit(_MOST_VERSIONS))).all()


async def names_by_number(uow: UnitOfWork, indexes: Sequence[bytes]) -> Sequence[tuple[bytes, str]]:
    """Return index and name of those whose ID number is one of these, in one statement for a whole list."""
    query = "select id_number_index, name from examinee where id_number_index = any($1)"
    return [(bytes(row[0]), row[1]) for row in await fetch_rows(uow.session, query, list(indexes))]


async def met_people(uow: UnitOfWork, campus_id: int, before: UUID | None, size: int) -> Sequence[Examinee]:
    """Return whom a campus has met, merged or not, the latest entered first."""
    query = select(Examinee).join(ExamineeCampus, ExamineeCampus.examinee_id == Examinee.id)
    query = query.where(ExamineeCampus.campus_id == campus_id)
    if before is not None:
        query = query.where(ExamineeCampus.examinee_id < before)
    return (await uow.session.scalars(query.order_by(ExamineeCampus.examinee_id.desc()).limit(size))).all()


# Each way to a candidate goes by an index, and ends early: a phone that a whole company gave finds a few of them, not each with each.
# Of a birth date only those count who share a way of writing, reading or abbreviating the name.
_CANDIDATES = """
select p.id, c.id from unnest($1::uuid[], $2::bytea[], $3::date[]) as p (id, phone, born) cross join lateral (
  (select q.id from examinee q where q.phone_index = p.phone and q.id <> p.id and q.merged_into_id is null and {once}
   order by q.id desc limit 20)
  union
  (select q.id from examinee q where q.birth_date = p.born and q.id <> p.id and q.merged_into_id is null and {once} and exists (
     select from examinee_name_key a join examinee_name_key b on b.key = a.key where a.examinee_id = p.id and b.examinee_id = q.id)
   order by q.id desc limit 20)
) c
union
select p.id, q.id from unnest($4::uuid[], $5::bytea[]) as p (id, number) join examinee q on q.id_number_index = p.number
where q.id <> p.id and q.merged_into_id is null and {once}
"""
# A pair of which both are known to the campus is found from the side of the later.
_ONCE = "(q.id < p.id or not exists (select from examinee_campus m where m.examinee_id = q.id and m.campus_id = $6::smallint))"


async def candidates(
    uow: UnitOfWork, people: Sequence[tuple[UUID, bytes | None, Sequence[bytes], date]], campus_id: int | None
) -> list[tuple[UUID, UUID]]:
    """Return beside each of these people (id, phone, spellings of the number, birth date) who shares something of it; of a campus each pair once."""
    query = _CANDIDATES.replace("{once}", "$6::smallint is null" if campus_id is None else _ONCE)
    numbers = [(person[0], number) for person in people for number in person[2]]
    values = [
        [person[0] for person in people], [person[1] for person in people], [person[3] for person in people],
        [owner for owner, _ in numbers], [number for _, number in numbers], campus_id,
    ]  # fmt: skip
    return [(row[0], row[1]) for row in await fetch_rows(uow.session, query, *values)]


async def add_distinction(uow: UnitOfWork, row: ExamineeDistinction) -> bool:
    """Add a decision; say whether there was none of the pair. Two at once: the second waits for the first."""
    values = {column.key: getattr(row, column.key) for column in ExamineeDistinction.__table__.columns}
    made = await uow.session.execute(
        upsert(ExamineeDistinction).values(**values).on_conflict_do_nothing().returning(ExamineeDistinction.id)
    )
    return made.scalar() is not None


async def distinctions(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[ExamineeDistinction]:
    """Return the standing decisions of which both are among these."""
    row = ExamineeDistinction
    query = select(row).where(row.first_id.in_(ids), row.second_id.in_(ids), row.withdrawn_at.is_(None))
    return (await uow.session.scalars(query)).all()


async def distinctions_of(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[ExamineeDistinction]:
    """Return what was decided of these, withdrawn or not, newest first."""
    row = ExamineeDistinction
    query = select(row).where(or_(row.first_id.in_(ids), row.second_id.in_(ids)))
    return (await uow.session.scalars(query.order_by(row.id.desc()).limit(_MOST_VERSIONS))).all()


async def distinction(uow: UnitOfWork, distinction_id: UUID) -> ExamineeDistinction | None:
    """Return a decision under its row lock."""
    query = select(ExamineeDistinction).where(ExamineeDistinction.id == distinction_id).with_for_update()
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()


async def covers(uow: UnitOfWork, ids: Collection[UUID]) -> bool:
    """Say whether one holds every campus that knows one of these people."""
    return bool(await fetch_value(uow.session, "select tj.covers($1::uuid[])", list(ids)))


async def lock_entries(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, Examinee]:
    """Return rows themselves, merged or not, locked in the order of their ids."""
    query = select(Examinee).where(Examinee.id.in_(ids)).order_by(Examinee.id).with_for_update()
    return {row.id: row for row in await uow.session.scalars(query.execution_options(populate_existing=True))}


async def merge(uow: UnitOfWork, merge_id: UUID, *, lock: bool = False) -> ExamineeMerge | None:
    """Return a merge, under its row lock if asked."""
    query = select(ExamineeMerge).where(ExamineeMerge.id == merge_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def merges(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[ExamineeMerge]:
    """Return the merges of these people, either way, undone or not, newest first."""
    query = select(ExamineeMerge).where(or_(ExamineeMerge.merged_id.in_(ids), ExamineeMerge.survivor_id.in_(ids)))
    return (await uow.session.scalars(query.order_by(ExamineeMerge.id.desc()).limit(_MOST_VERSIONS))).all()


async def keep_followed(
    uow: UnitOfWork, merge_id: UUID, table: str, rows: Iterable[tuple[str, str | None]], *, stayed: bool = False
) -> None:
    """Write down which rows of a table followed a merge, and what their keys became; or which stayed when it was undone."""
    values = [
        {"merge_id": merge_id, "table_name": table, "row_key": key, "became": became, "stayed": stayed}
        for key, became in rows
    ]
    await insert_rows(uow.session, ExamineeMergeRow, values)


async def followed(uow: UnitOfWork, merge_id: UUID, table: str) -> list[tuple[str, str | None]]:
    """Return which rows of a table followed a merge, and what their keys became."""
    row = ExamineeMergeRow
    query = select(row.row_key, row.became).where(
        row.merge_id == merge_id, row.table_name == table, row.stayed.is_(False)
    )
    return [(key, became) for key, became in (await uow.session.execute(query)).all()]


async def count_followed(
    uow: UnitOfWork, merge_ids: Collection[UUID]
) -> dict[UUID, tuple[dict[str, int], dict[str, int]]]:
    """Return of each of these merges how many rows of each table followed it, and how many stayed when it was undone."""
    row = ExamineeMergeRow
    query = select(row.merge_id, row.table_name, row.stayed, func.count()).where(row.merge_id.in_(merge_ids))
    query = query.group_by(row.merge_id, row.table_name, row.stayed)
    counted: dict[UUID, tuple[dict[str, int], dict[str, int]]] = {merge_id: ({}, {}) for merge_id in merge_ids}
    for merge_id, table, stayed, number in (await uow.session.execute(query)).all():
        counted[merge_id][stayed][table] = number
    return counted


async def repoint(
    uow: UnitOfWork,
    table: type[ExamineeIdentifier | ExamineeGuardian],
    was: UUID,
    now: UUID,
    ids: Collection[UUID] | None,
) -> list[UUID]:
    """Give rows of a person to another, all or these; return which."""
    return await repoint_rows(uow.session, table, "examinee_id", was, now, ids)


async def given_since(
    uow: UnitOfWork, table: type[ExamineeIdentifier | ExamineeGuardian], examinee_id: UUID, since: UUID
) -> list[UUID]:
    """Return which rows came to a person after a merge."""
    return await rows_since(uow.session, table, "examinee_id", examinee_id, since)


async def point(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None = None) -> list[UUID]:
    """Let those who were merged into somebody point at another, all or these; return which."""
    return await repoint_rows(uow.session, Examinee, "merged_into_id", was, now, ids)


async def link(uow: UnitOfWork, examinee_id: UUID, *, unlink: UUID | None = None) -> None:
    """Let the campuses that know somebody who was merged into a person know the person; `unlink`: and another no more who was known by that alone."""
    await uow.session.flush()
    await fetch_value(uow.session, "select tj.link_merged($1)", examinee_id)
    if unlink is not None:
        await fetch_value(uow.session, "select tj.unlink_merged($1)", unlink)


_MOVE_KEYS = """
with gone as (delete from examinee_name_key where examinee_id = $1 returning key),
  come as (insert into examinee_name_key (examinee_id, key) select $2, key from gone on conflict do nothing)
select key from gone
"""
_BRING_KEYS_BACK = """
with back as (insert into examinee_name_key (examinee_id, key) select $2, unnest($3::text[]) on conflict do nothing)
delete from examinee_name_key k where k.examinee_id = $1 and k.key = any($3::text[]) and k.key <> all($4::text[]) and not exists (
  select from examinee_merge m join examinee_merge_row r on r.merge_id = m.id
  where m.survivor_id = $1 and m.undone_at is null and r.table_name = 'examinee_name_key' and r.row_key = k.key)
"""


async def move_keys(uow: UnitOfWork, was: UUID, now: UUID) -> list[str]:
    """Let one person's names find another; return their keys."""
    return [row[0] for row in await fetch_rows(uow.session, _MOVE_KEYS, was, now)]


async def bring_keys_back(uow: UnitOfWork, was: UUID, now: UUID, keys: Sequence[str], own: Sequence[str]) -> None:
    """Undo `move_keys`: they find the one again, and the other no more, unless they are its `own` or those of somebody else merged into it."""
    await fetch_rows(uow.session, _BRING_KEYS_BACK, was, now, list(keys), list(own))


_MOVE_PHOTOS = """
update examinee_photo p set examinee_id = $2, version = g.becomes from unnest($3::int[], $4::int[]) as g (version, becomes)
where p.examinee_id = $1 and p.version = g.version
"""


async def photo_versions(uow: UnitOfWork, examinee_id: UUID) -> Sequence[int]:
    """Return the numbers of a person's photos."""
    query = select(ExamineePhoto.version).where(ExamineePhoto.examinee_id == examinee_id)
    return (await uow.session.scalars(query.order_by(ExamineePhoto.version))).all()


async def photos_since(uow: UnitOfWork, examinee_id: UUID, since: datetime) -> Sequence[int]:
    """Return the numbers of a person's photos that were taken after a moment."""
    query = select(ExamineePhoto.version).where(
        ExamineePhoto.examinee_id == examinee_id, ExamineePhoto.taken_at > since
    )
    return (await uow.session.scalars(query)).all()


async def move_photos(uow: UnitOfWork, was: UUID, now: UUID, numbers: Sequence[tuple[int, int]]) -> None:
    """Give photos of a person to another, under other numbers."""
    values: list[Any] = [[number for number, _ in numbers], [becomes for _, becomes in numbers]]
    await fetch_rows(uow.session, _MOVE_PHOTOS, was, now, *values)


async def guardians(uow: UnitOfWork, examinee_id: UUID) -> Sequence[ExamineeGuardian]:
    """Return who answers for somebody, in the order in which they were named."""
    row = ExamineeGuardian
    query = select(row).where(row.examinee_id == examinee_id, row.ended_at.is_(None)).order_by(row.id)
    return (await uow.session.scalars(query.limit(_MOST_VERSIONS))).all()


async def guardian(uow: UnitOfWork, examinee_id: UUID, guardian_id: UUID) -> ExamineeGuardian | None:
    """Return somebody who answers for a person; whoever changes it holds the person's lock."""
    row = ExamineeGuardian
    query = select(row).where(row.id == guardian_id, row.examinee_id == examinee_id, row.ended_at.is_(None))
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()
