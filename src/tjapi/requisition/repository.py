"""Questions that requisition asks of its own tables."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from tjapi.kernel.db import fetch_rows, insert_rows
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition.models import (
    Handover,
    HandoverExtra,
    HandoverNumber,
    HandoverTube,
    Requisition,
    RequisitionLine,
    Tube,
    TubeLine,
    TubeNumber,
    TubeStep,
)

# What was sent out and neither came back nor gave a result.
_OUT = and_(
    Tube.state == "sent_out",
    HandoverTube.back_at.is_(None),
    HandoverTube.outcome.is_distinct_from("removed"),
    HandoverTube.outcome.is_distinct_from("missing"),
)

Rows = Sequence[Mapping[str, Any]]


async def next_tube_numbers(uow: UnitOfWork, campus_id: int, wanted: int) -> int:
    """Take some numbers of a campus's tubes, one after the other; return the first."""
    statement = (
        insert(TubeNumber)
        .values(campus_id=campus_id, last=wanted)
        .on_conflict_do_update(index_elements=["campus_id"], set_={"last": TubeNumber.last + wanted})
        .returning(TubeNumber.last)
    )
    return (await uow.session.execute(statement)).scalar_one() - wanted + 1


async def with_requisitions(uow: UnitOfWork, exam_ids: Collection[UUID]) -> set[UUID]:
    """Return those of some exams for which something was asked already."""
    query = "select distinct exam_id from requisition where exam_id = any($1)"
    return {row["exam_id"] for row in await fetch_rows(uow.session, query, list(exam_ids))}


async def add_many(uow: UnitOfWork, requisitions_: Rows, lines: Rows, tubes_: Rows, tube_lines_: Rows) -> None:
    """Write many requisitions with their lines and tubes."""
    await insert_rows(uow.session, Requisition, requisitions_)
    await insert_rows(uow.session, RequisitionLine, lines)
    await insert_rows(uow.session, Tube, tubes_)
    await insert_rows(uow.session, TubeLine, tube_lines_)


async def tube(uow: UnitOfWork, tube_id: UUID) -> Tube | None:
    """Return a tube as it is now."""
    query = select(Tube).where(Tube.id == tube_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalar_one_or_none()


_BY_BARCODE = select(Tube).where(Tube.barcode == bindparam("barcode")).execution_options(populate_existing=True)


async def tube_by_barcode(uow: UnitOfWork, barcode: str) -> Tube | None:
    """Return a tube by its barcode."""
    return (await uow.session.execute(_BY_BARCODE, {"barcode": barcode})).scalar_one_or_none()


async def tubes(uow: UnitOfWork, exam_id: UUID) -> Sequence[Tube]:
    """Return the tubes of an exam."""
    return (
        (await uow.session.execute(select(Tube).where(Tube.exam_id == exam_id).order_by(Tube.barcode))).scalars().all()
    )


async def tube_lines(uow: UnitOfWork, tubes: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return the lines of several tubes, without those that a tube lost when it was rejected."""
    query = select(TubeLine.tube_id, TubeLine.exam_line_id).where(
        TubeLine.tube_id.in_(tubes), TubeLine.rejected_at.is_(None)
    )
    found: dict[UUID, list[UUID]] = {}
    for tube_id, line_id in (await uow.session.execute(query)).all():
        found.setdefault(tube_id, []).append(line_id)
    return found


async def served(uow: UnitOfWork, tubes: Collection[UUID]) -> Sequence[TubeLine]:
    """Return which lines several tubes serve, or served until they were rejected."""
    query = select(TubeLine).where(TubeLine.tube_id.in_(tubes)).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalars().all()


async def tubes_of(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Tube]:
    """Return tubes as they are now."""
    query = select(Tube).where(Tube.id.in_(ids)).order_by(Tube.barcode).execution_options(populate_existing=True)
    return (await uow.session.execute(query)).scalars().all()


async def tubes_of_barcodes(uow: UnitOfWork, barcodes: Collection[str]) -> Sequence[Tube]:
    """Return the tubes of these barcodes that one may see."""
    return (await uow.session.execute(select(Tube).where(Tube.barcode.in_(barcodes)))).scalars().all()


async def replacement(uow: UnitOfWork, tube_id: UUID) -> Tube | None:
    """Return the tube that is drawn in the place of a rejected one."""
    return (await uow.session.execute(select(Tube).where(Tube.replaces_id == tube_id))).scalar_one_or_none()


async def drawn_instead(uow: UnitOfWork, tube_id: UUID) -> Tube | None:
    """Return the last of the tubes that are drawn in the place of a rejected one, each in that of the one before."""
    last = None
    while (found := await replacement(uow, last.id if last is not None else tube_id)) is not None:
        last = found
    return last


async def any_replacement(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether a tube of an exam is drawn in the place of another."""
    query = select(exists().where(Tube.exam_id == exam_id, Tube.replaces_id.is_not(None)))
    return bool((await uow.session.execute(query)).scalar_one())


async def steps(uow: UnitOfWork, tube_id: UUID) -> Sequence[TubeStep]:
    """Return the steps of a tube, in order."""
    return (
        (await uow.session.execute(select(TubeStep).where(TubeStep.tube_id == tube_id).order_by(TubeStep.id)))
        .scalars()
        .all()
    )


async def requisition(uow: UnitOfWork, requisition_id: UUID, *, lock: bool = False) -> Requisition | None:
    """Return a requisition."""
    query = select(Requisition).where(Requisition.id == requisition_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def requisitions(uow: UnitOfWork, exam_id: UUID) -> Sequence[Requisition]:
    """Return the requisitions of an exam."""
    query = select(Requisition).where(Requisition.exam_id == exam_id).order_by(Requisition.id)
    return (await uow.session.execute(query)).scalars().all()


async def requisition_lines(uow: UnitOfWork, requisition_id: UUID) -> Sequence[RequisitionLine]:
    """Return the lines that a requisition asks for, those that were taken back as well."""
    query = (
        select(RequisitionLine)
        .where(RequisitionLine.requisition_id == requisition_id)
        .order_by(RequisitionLine.placer_no)
        .execution_options(populate_existing=True)
    )
    return (await uow.session.execute(query)).scalars().all()


async def asked(uow: UnitOfWork, line_ids: Collection[UUID]) -> Sequence[RequisitionLine]:
    """Return what is asked for of some lines now."""
    query = (
        select(RequisitionLine)
        .where(RequisitionLine.exam_line_id.in_(line_ids), RequisitionLine.cancelled_at.is_(None))
        .order_by(RequisitionLine.placer_no)
        .execution_options(populate_existing=True)
    )
    return (await uow.session.execute(query)).scalars().all()


async def line_by_placer(uow: UnitOfWork, placer_no: str) -> tuple[RequisitionLine, Requisition, bool] | None:
    """Return the line of a placer number with its requisition, and whether the specimen that it asked for was rejected."""
    query = (
        select(RequisitionLine, Requisition, TubeLine.rejected_at.is_not(None))
        .join(Requisition, Requisition.id == RequisitionLine.requisition_id)
        .outerjoin(
            TubeLine,
            and_(TubeLine.tube_id == RequisitionLine.tube_id, TubeLine.exam_line_id == RequisitionLine.exam_line_id),
        )
        .where(RequisitionLine.placer_no == placer_no)
    )
    row = (await uow.session.execute(query)).first()
    return (row[0], row[1], bool(row[2])) if row else None


async def next_handover_number(uow: UnitOfWork, campus_id: int, day: date) -> int:
    """Return the next number of a campus's lists of a day."""
    statement = (
        insert(HandoverNumber)
        .values(campus_id=campus_id, day=day, last=1)
        .on_conflict_do_update(index_elements=["campus_id", "day"], set_={"last": HandoverNumber.last + 1})
        .returning(HandoverNumber.last)
    )
    return (await uow.session.execute(statement)).scalar_one()


async def handover(uow: UnitOfWork, handover_id: UUID, *, lock: bool = False) -> Handover | None:
    """Return a hand-over list; locked, after the exams of its tubes."""
    query = select(Handover).where(Handover.id == handover_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def handovers(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Handover]:
    """Return the lists of these ids."""
    return (await uow.session.execute(select(Handover).where(Handover.id.in_(ids)))).scalars().all()


async def handover_page(
    uow: UnitOfWork, *, campus_id: int | None, state: str | None, outside_lab_id: UUID | None, awaiting: bool | None,
    after: Sequence[str] | None, size: int,
) -> Sequence[Handover]:  # fmt: skip
    """Return a page of lists, newest first, one too many."""
    query = select(Handover).order_by(Handover.id.desc()).limit(size + 1)
    given = ((Handover.campus_id, campus_id), (Handover.state, state), (Handover.outside_lab_id, outside_lab_id))
    for column, value in given:
        if value is not None:
            query = query.where(column == value)
    if awaiting is not None:
        out = select(HandoverTube.handover_id).join(Tube, Tube.id == HandoverTube.tube_id).where(_OUT)
        query = query.where(
            Handover.outside_lab_id.is_not(None), Handover.id.in_(out) if awaiting else Handover.id.not_in(out)
        )
    if after:
        query = query.where(Handover.id < UUID(after[0]))
    return (await uow.session.execute(query)).scalars().all()


async def handover_rows(uow: UnitOfWork, handover_id: UUID) -> Sequence[HandoverTube]:
    """Return the rows of a list as they are now."""
    query = (
        select(HandoverTube).where(HandoverTube.handover_id == handover_id).execution_options(populate_existing=True)
    )
    return (await uow.session.execute(query)).scalars().all()


async def handover_tubes(uow: UnitOfWork, handover_id: UUID) -> Sequence[tuple[HandoverTube, Tube]]:
    """Return the rows of a list with their tubes, in the order in which they were scanned."""
    query = (
        select(HandoverTube, Tube)
        .join(Tube, Tube.id == HandoverTube.tube_id)
        .where(HandoverTube.handover_id == handover_id)
        .order_by(HandoverTube.added_at, Tube.barcode)
    )
    return [(row[0], row[1]) for row in (await uow.session.execute(query)).all()]


async def extras(uow: UnitOfWork, handover_id: UUID) -> Sequence[HandoverExtra]:
    """Return what was scanned at the receipt of a list and does not stand on it."""
    query = select(HandoverExtra).where(HandoverExtra.handover_id == handover_id)
    return (await uow.session.execute(query.order_by(HandoverExtra.at, HandoverExtra.barcode))).scalars().all()


async def add_extra(uow: UnitOfWork, of: Handover, barcode: str, tube_id: UUID | None, kind: str) -> bool:
    """Name what is too many; False: it is named already, as the same."""
    values = {
        "handover_id": of.id, "barcode": barcode, "campus_id": of.campus_id, "tube_id": tube_id, "kind": kind, "by": uow.principal.id,
        "at": uow.now,
    }  # fmt: skip
    statement = insert(HandoverExtra).values(**values)
    new = {name: statement.excluded[name] for name in ("tube_id", "kind", "by", "at")}
    statement = statement.on_conflict_do_update(
        index_elements=["handover_id", "barcode"], set_=new, where=HandoverExtra.kind != statement.excluded.kind
    )
    return (await uow.session.execute(statement.returning(HandoverExtra.barcode))).first() is not None


async def handover_counts(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many tubes of each list are listed, wait, arrived, were refused, are missing, turned up elsewhere, are out; and too many."""
    table = HandoverTube
    columns = (
        func.count().filter(table.outcome.is_distinct_from("removed")).label("listed"),
        func.count().filter(table.outcome.is_(None)).label("waiting"),
        *(
            func.count().filter(table.outcome == name).label(name)
            for name in ("received", "rejected", "missing", "elsewhere")
        ),
        func.count().filter(_OUT, Handover.outside_lab_id.is_not(None)).label("out"),
    )
    query = (
        select(table.handover_id, *columns)
        .join(Tube, Tube.id == table.tube_id)
        .join(Handover, Handover.id == table.handover_id)
    )
    rows = (await uow.session.execute(query.where(table.handover_id.in_(ids)).group_by(table.handover_id))).mappings()
    found = {row["handover_id"]: {k: v for k, v in row.items() if k != "handover_id"} for row in rows}
    too_many = select(HandoverExtra.handover_id, func.count()).where(HandoverExtra.handover_id.in_(ids))
    extra = {row[0]: row[1] for row in (await uow.session.execute(too_many.group_by(HandoverExtra.handover_id))).all()}
    return {i: {**found.get(i, {}), "extra": extra.get(i, 0)} for i in ids}


async def waiting_on(uow: UnitOfWork, tube_id: UUID) -> tuple[HandoverTube, Handover] | None:
    """Return the list on which a tube waits, if it waits on one."""
    await uow.session.flush()
    query = (
        select(HandoverTube, Handover)
        .join(Handover, Handover.id == HandoverTube.handover_id)
        .where(HandoverTube.tube_id == tube_id, HandoverTube.outcome.is_(None))
    )
    row = (await uow.session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def last_out_of(uow: UnitOfWork, tube_id: UUID) -> HandoverTube | None:
    """Return the row under which a tube was sent out last."""
    query = (
        select(HandoverTube)
        .join(Handover, Handover.id == HandoverTube.handover_id)
        .where(
            HandoverTube.tube_id == tube_id,
            Handover.outside_lab_id.is_not(None),
            Handover.handed_over_at.is_not(None),
            HandoverTube.outcome.is_distinct_from("removed"),
        )
        .order_by(HandoverTube.handover_id.desc())
        .limit(1)
    )
    return (await uow.session.execute(query)).scalar_one_or_none()
