"""Questions to the examinees' tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from tjapi.examinee.models import Examinee, ExamineeCampus, ExamineeIdentifier, ExamineeNameKey, ExamineePhoto
from tjapi.kernel.db import fetch_rows, insert_rows
from tjapi.kernel.uow import UnitOfWork

_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:key, 13))")
# A definer function: it finds a person whom row security hides from this campus, links them and leaves an audit row.
_MEET = text("select tj.meet_examinee(:kind, :index, :campus)").bindparams(
    bindparam("index", type_=LargeBinary), bindparam("campus", type_=SmallInteger)
)
_LOCK_MANY = "select pg_advisory_xact_lock(hashtextextended(key, 13)) from unnest($1::text[]) as given (key)"
_MEET_MANY = """
select tj.meet_examinee(given.kind, given.index, $3::smallint) as found
from unnest($1::text[], $2::bytea[]) with ordinality as given (kind, index, n) order by given.n
"""
_LAST = chr(0x10FFFF)
_MOST_VERSIONS = 200


async def lock_identifier(uow: UnitOfWork, kind: str, index: bytes) -> None:
    """Let only one transaction at a time look for, and then enter, the holder of an identifier."""
    await uow.session.execute(_LOCK, {"key": f"examinee|{kind}|{index.hex()}"})


async def meet(uow: UnitOfWork, kind: str, index: bytes, campus_id: int) -> UUID | None:
    """Return the person with this identifier, whom the campus has now met; None when nobody has it."""
    found: UUID | None = (
        await uow.session.execute(_MEET, {"kind": kind, "index": index, "campus": campus_id})
    ).scalar()
    return found


async def is_met(uow: UnitOfWork, examinee_id: UUID, campus_id: int) -> bool:
    """Say whether a campus knows somebody."""
    query = select(ExamineeCampus.campus_id).where(
        ExamineeCampus.examinee_id == examinee_id, ExamineeCampus.campus_id == campus_id
    )
    return (await uow.session.execute(query)).first() is not None


async def examinee(uow: UnitOfWork, examinee_id: UUID, *, lock: bool = False) -> Examinee | None:
    """Return a person whom one may see, under the row lock if asked."""
    query = select(Examinee).where(Examinee.id == examinee_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).first()


async def examinees(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Examinee]:
    """Return those of these people whom one may see."""
    return (await uow.session.scalars(select(Examinee).where(Examinee.id.in_(ids)))).all()


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


async def lock_identifiers(uow: UnitOfWork, keys: Collection[tuple[str, bytes]]) -> None:
    """Let only one transaction at a time look for, and then enter, the holders of identifiers; in one order, against deadlocks."""
    await fetch_rows(uow.session, _LOCK_MANY, sorted(f"examinee|{kind}|{index.hex()}" for kind, index in keys))


async def meet_many(uow: UnitOfWork, keys: Sequence[tuple[str, bytes]], campus_id: int) -> list[UUID | None]:
    """Return the person with each identifier, whom the campus has now met; None where nobody has it."""
    kinds, indexes = [kind for kind, _ in keys], [index for _, index in keys]
    return [row["found"] for row in await fetch_rows(uow.session, _MEET_MANY, kinds, indexes, campus_id)]


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
    return await _ids(uow, Examinee.id, Examinee.id_number_index.in_(indexes), page)


async def ids_by_phone(uow: UnitOfWork, index: bytes, page: Found) -> Sequence[UUID]:
    """Return people with this phone: a family may share one."""
    return await _ids(uow, Examinee.id, Examinee.phone_index == index, page)


async def ids_by_identifier(uow: UnitOfWork, index: bytes, page: Found) -> Sequence[UUID]:
    """Return people with this card or number of another system, whatever the kind."""
    return await _ids(uow, ExamineeIdentifier.examinee_id, ExamineeIdentifier.number_index == index, page)


async def _ids(
    uow: UnitOfWork, person: InstrumentedAttribute[UUID], wanted: ColumnElement[bool], page: Found
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
    return (await uow.session.scalars(query.order_by(ExamineePhoto.version.desc()).limit(1))).first()


async def photo_files(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return where the newest photo of each of many people is; who has none is absent."""
    query = "select distinct on (examinee_id) examinee_id, file from examinee_photo where examinee_id = any($1) order by examinee_id, version desc"
    return {row["examinee_id"]: row["file"] for row in await fetch_rows(uow.session, query, list(ids))}


async def photos(uow: UnitOfWork, examinee_id: UUID) -> Sequence[ExamineePhoto]:
    """Return the versions of a photo, newest first."""
    query = select(ExamineePhoto).where(ExamineePhoto.examinee_id == examinee_id)
    return (await uow.session.scalars(query.order_by(ExamineePhoto.version.desc()).limit(_MOST_VERSIONS))).all()


async def names_by_number(uow: UnitOfWork, indexes: Sequence[bytes]) -> Sequence[tuple[bytes, str]]:
    """Return index and name of those whose ID number is one of these, in one statement for a whole list."""
    query = "select id_number_index, name from examinee where id_number_index = any($1)"
    return [(bytes(row[0]), row[1]) for row in await fetch_rows(uow.session, query, list(indexes))]
