"""Questions that the front desk asks of its own tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from tjapi.frontdesk.models import (
    AccessCode,
    DocumentPrint,
    DocumentPrintFile,
    DocumentPrintItem,
    DocumentPrintPart,
    IdentityCheck,
)
from tjapi.kernel.db import insert_rows
from tjapi.kernel.uow import UnitOfWork


async def access_code(uow: UnitOfWork, exam_id: UUID) -> AccessCode | None:
    """Return the code of an exam, locked."""
    return (
        await uow.session.execute(select(AccessCode).where(AccessCode.exam_id == exam_id).with_for_update())
    ).scalar_one_or_none()


async def copies_printed(uow: UnitOfWork, exam_ids: Iterable[UUID]) -> dict[tuple[UUID, str, str], int]:
    """Return how many copies of each paper (exam, kind, subject) were printed."""
    item = DocumentPrintItem
    query = (
        select(item.exam_id, item.kind, item.subject, func.sum(item.copies))
        .where(item.exam_id.in_(exam_ids))
        .group_by(item.exam_id, item.kind, item.subject)
    )
    return {(row[0], row[1], row[2]): row[3] for row in await uow.session.execute(query)}


async def last_sheets(uow: UnitOfWork, exam_ids: Iterable[UUID]) -> dict[UUID, tuple[int, bytes]]:
    """Return version and content digest of the guide sheet that was printed last of each exam."""
    item = DocumentPrintItem
    query = (
        select(item.exam_id, item.version, item.digest)
        .where(item.exam_id.in_(exam_ids), item.kind == "guide_sheet")
        .order_by(item.exam_id, item.first_copy)
    )
    found = (await uow.session.execute(query)).all()
    return {
        exam_id: (version, digest) for exam_id, version, digest in found if version is not None and digest is not None
    }


async def document_print(uow: UnitOfWork, print_id: UUID) -> DocumentPrint | None:
    """Return a print."""
    return await uow.session.get(DocumentPrint, print_id)


async def print_file(uow: UnitOfWork, print_id: UUID) -> DocumentPrintFile | None:
    """Return where the file of a large print is."""
    return await uow.session.get(DocumentPrintFile, print_id)


async def add_file(uow: UnitOfWork, row: DocumentPrintFile) -> None:
    """Say where the file of a large print is, unless it was said already."""
    values = {column.key: getattr(row, column.key) for column in DocumentPrintFile.__table__.columns}
    await uow.session.execute(insert(DocumentPrintFile).values(**values).on_conflict_do_nothing())


async def add_part(uow: UnitOfWork, made: DocumentPrint, n: int, content: bytes) -> None:
    """Keep a part of a large print."""
    row = {"print_id": made.id, "n": n, "campus_id": made.campus_id, "content": content}
    await insert_rows(uow.session, DocumentPrintPart, [row])


async def parts(uow: UnitOfWork, print_id: UUID) -> int:
    """Count the parts of a large print."""
    query = select(func.count()).select_from(DocumentPrintPart).where(DocumentPrintPart.print_id == print_id)
    return (await uow.session.execute(query)).scalar_one()


async def part(uow: UnitOfWork, print_id: UUID, n: int) -> bytes:
    """Return a part of a large print."""
    query = select(DocumentPrintPart.content).where(DocumentPrintPart.print_id == print_id, DocumentPrintPart.n == n)
    return (await uow.session.execute(query)).scalar_one()


async def add_items(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Log what was printed."""
    await insert_rows(uow.session, DocumentPrintItem, rows)


async def prints_of(uow: UnitOfWork, exam_id: UUID) -> Sequence[tuple[DocumentPrint, DocumentPrintItem]]:
    """Return the papers of an exam that were printed, each with its print, newest first."""
    query = (
        select(DocumentPrint, DocumentPrintItem)
        .join(DocumentPrintItem, DocumentPrintItem.print_id == DocumentPrint.id)
        .where(DocumentPrintItem.exam_id == exam_id)
        .order_by(DocumentPrint.id.desc(), DocumentPrintItem.position)
    )
    return [(row[0], row[1]) for row in await uow.session.execute(query)]


async def identity_checks(uow: UnitOfWork, exam_id: UUID) -> Sequence[IdentityCheck]:
    """Return the identity checks of an exam, newest first; whoever relies on them holds the exam's lock."""
    query = select(IdentityCheck).where(IdentityCheck.exam_id == exam_id).order_by(IdentityCheck.id.desc()).limit(200)
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).all()


async def identity_check(uow: UnitOfWork, check_id: UUID) -> IdentityCheck | None:
    """Return an identity check as it is now."""
    query = select(IdentityCheck).where(IdentityCheck.id == check_id)
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()
