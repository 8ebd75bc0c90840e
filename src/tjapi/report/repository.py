"""Questions that report asks of its own tables."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select, text

from tjapi.kernel.db import repoint_rows, rows_since
from tjapi.kernel.uow import UnitOfWork
from tjapi.report.models import Report
from tjapi.report.rules import VERDICTS, fours
from tjapi.report.schemas import VerificationOut


async def report(uow: UnitOfWork, report_id: UUID, *, lock: bool = False) -> Report | None:
    """Return a report."""
    query = select(Report).where(Report.id == report_id).execution_options(populate_existing=True)
    return (await uow.session.execute(query.with_for_update() if lock else query)).scalar_one_or_none()


async def versions(uow: UnitOfWork, exam_id: UUID, kind: str | None = None) -> Sequence[Report]:
    """Return the versions of an exam's reports, of one kind or of both, newest first."""
    query = select(Report).where(Report.exam_id == exam_id).order_by(Report.kind, Report.version.desc())
    query = query if kind is None else query.where(Report.kind == kind)
    return (await uow.session.execute(query)).scalars().all()


async def to_compare_with_past(uow: UnitOfWork, exam_id: UUID) -> Sequence[Report]:
    """Return the versions that say, or are about to say, what earlier exams were."""
    return [
        one
        for one in await versions(uow, exam_id)
        if one.snapshot and one.state in ("generated", "sealed", "published")
    ]


async def in_order(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Report]:
    """Return these reports, in the order in which their exams are locked."""
    query = select(Report).where(Report.id.in_(ids)).order_by(Report.exam_id, Report.version)
    return (await uow.session.execute(query.execution_options(populate_existing=True))).scalars().all()


async def next_version(uow: UnitOfWork, exam_id: UUID, kind: str) -> int:
    """Return the number of the next version; the exam is locked by the caller."""
    query = select(func.max(Report.version)).where(Report.exam_id == exam_id, Report.kind == kind)
    highest = (await uow.session.execute(query)).scalar()
    return int(highest or 0) + 1


async def of_examinee(uow: UnitOfWork, examinee_id: UUID) -> Sequence[Report]:
    """Return what an examinee may see: the published main reports, newest first. What is private is handed over in person."""
    query = (
        select(Report)
        .where(Report.examinee_id == examinee_id, Report.state == "published", Report.kind == "main")
        .order_by(Report.id.desc())
        .limit(200)
    )
    return (await uow.session.execute(query)).scalars().all()


async def verify(uow: UnitOfWork, code: str) -> VerificationOut:
    """Ask what became of the report of a code, past row security: a definer function that tells what the holder of the paper compares, and nothing else."""
    query = text("select state, version, published_at, recalled_at, proof, sha256 from tj.report_state(:code)")
    row = (await uow.session.execute(query, {"code": code})).first()
    if row is None:
        return VerificationOut(verdict="unknown")
    proof = row.proof or {}
    return VerificationOut(
        verdict=VERDICTS[row.state], version=row.version, published_at=row.published_at, recalled_at=row.recalled_at,
        name_masked=proof.get("name"), exam_no=proof.get("exam_no"), exam_date=proof.get("exam_date"), digest=proof.get("digest"),
        file_digest=fours(row.sha256) if row.sha256 else None,
    )  # fmt: skip


async def repoint(uow: UnitOfWork, was: UUID, now: UUID, ids: Collection[UUID] | None) -> list[UUID]:
    """Give the reports of one person to another, all or these; return which."""
    return await repoint_rows(uow.session, Report, "examinee_id", was, now, ids)


async def of_exams(uow: UnitOfWork, exam_ids: Collection[UUID]) -> list[UUID]:
    """Return the versions of these exams, whoever's they are."""
    return list((await uow.session.scalars(select(Report.id).where(Report.exam_id.in_(exam_ids)))).all())


async def given_since(uow: UnitOfWork, examinee_id: UUID, since: UUID) -> list[UUID]:
    """Return somebody's reports that were made after a merge."""
    return await rows_since(uow.session, Report, "examinee_id", examinee_id, since)
