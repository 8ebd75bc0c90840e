"""Questions that requisition asks of its own tables."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tjapi.kernel.db import fetch_rows, insert_rows
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition.models import Requisition, RequisitionLine, Tube, TubeLine, TubeNumber

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


async def tube_by_barcode(uow: UnitOfWork, barcode: str) -> Tube | None:
    """Return a tube by its barcode."""
    return (await uow.session.execute(select(Tube).where(Tube.barcode == barcode))).scalar_one_or_none()


async def tubes(uow: UnitOfWork, exam_id: UUID) -> Sequence[Tube]:
    """Return the tubes of an exam."""
    return (
        (await uow.session.execute(select(Tube).where(Tube.exam_id == exam_id).order_by(Tube.barcode))).scalars().all()
    )


async def tube_lines(uow: UnitOfWork, tubes: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return the lines of several tubes."""
    query = select(TubeLine.tube_id, TubeLine.exam_line_id).where(TubeLine.tube_id.in_(tubes))
    found: dict[UUID, list[UUID]] = {}
    for tube_id, line_id in (await uow.session.execute(query)).all():
        found.setdefault(tube_id, []).append(line_id)
    return found


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


async def line_by_placer(uow: UnitOfWork, placer_no: str) -> tuple[RequisitionLine, Requisition] | None:
    """Return the line of a placer number with its requisition."""
    query = (
        select(RequisitionLine, Requisition)
        .join(Requisition, Requisition.id == RequisitionLine.requisition_id)
        .where(RequisitionLine.placer_no == placer_no)
    )
    row = (await uow.session.execute(query)).first()
    return (row[0], row[1]) if row else None
