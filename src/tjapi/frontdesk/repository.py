"""Questions that the front desk asks of its own tables."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import func, select

from tjapi.frontdesk.models import AccessCode, DocumentPrint, DocumentPrintItem, IdentityCheck
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
