"""Rendering and sealing: read (transaction) → render and keep the bytes → say so → seal, check → say so (transaction)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tjapi.examinee import service as examinees
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import Anchor, SealInvalidError, SealMissingError
from tjapi.kernel.security.principal import Principal, job_principal
from tjapi.kernel.storage import Storage
from tjapi.kernel.uow import Fence, UnitOfWork
from tjapi.report import rules, service, views
from tjapi.report.errors import ReportNotReady
from tjapi.report.layout import report_data
from tjapi.report.rules import ReportFailure
from tjapi.report.schemas import ReportChangeOut, ReportChangesOut, ReportContentOut
from tjapi.result import service as results

_STEPS = 3


async def preview(held: Runtime, caller: Principal, exam_id: UUID) -> bytes:
    """Return the report as it would be now, with 预览 across every page; it is neither kept nor sealed. Raises ExamNotFound."""
    async with held.units.read(caller) as uow:
        trends = (await results.trends(uow, exam_id)).items
        rows = await views.source(uow, exam_id)
        photo = await _photo(uow, rows.head.examinee_id)
        moment = uow.now
        await uow.audit("report.previewed", "exam", exam_id, campus_id=rows.head.campus_id)
    printing = held.services.printing
    data = report_data(
        rows, trends, hospital_name=printing.hospital_name, version=1, watermark="预览", printed_at=moment, photo=photo
    )
    document = await printing.render("exam_report", data, await _assets(held.storage, data), now=moment)
    return bytes(document.pdf)


async def changes(held: Runtime, caller: Principal, report_id: UUID, against: int | None) -> ReportChangesOut:
    """Return what changed between a version and an earlier one, from what each was made of. Raises ReportNotFound, ReportNotReady."""
    async with held.units.read(caller) as uow:
        report, other = await service.to_compare(uow, report_id, against)
    items: list[ReportChangeOut] = []
    if other is not None:
        before, after = await _snapshot(held.storage, other), await _snapshot(held.storage, report)
        items = [
            ReportChangeOut(section=section, change=change, name=name, before=was, after=now)
            for section, change, name, was, now in rules.changes(before, after)
        ]
    return ReportChangesOut(
        report_id=report.id,
        version=report.version,
        against_version=None if other is None else other.version,
        items=items,
    )


async def content(held: Runtime, caller: Principal, report_id: UUID) -> ReportContentOut:
    """Return what a version says. Raises ReportNotFound, ReportNotReady."""
    async with held.units.read(caller) as uow:
        report = await service.file_for_staff(uow, report_id)
    if not report.snapshot:
        raise ReportNotReady
    return service.content(report, await _snapshot(held.storage, report))


async def reproduce(held: Runtime, caller: Principal, report_id: UUID) -> bytes:
    """Render a version again from its snapshot: the bytes that were sealed, as long as templates and fonts are those of that day.

    Raises ReportNotFound, ReportNotReady.
    """
    async with held.units.read(caller) as uow:
        report, _ = await service.to_compare(uow, report_id, None)
        moment = report.requested_at
    data = await _snapshot(held.storage, report)
    document = await held.services.printing.render("exam_report", data, await _assets(held.storage, data), now=moment)
    return bytes(document.pdf)


async def _snapshot(storage: Storage, report: service.OpenReport) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(await storage.get(str(report.snapshot)))
    return data


async def _assets(storage: Storage, data: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the pictures that a report prints: that version of the photo which its data names."""
    photo = data.get("photo")
    return {} if photo is None else {"photo": await storage.get(photo["file"])}


async def _failed(uow: UnitOfWork, report_id: UUID, reason: ReportFailure) -> Mapping[str, Any]:
    await service.fail(uow, report_id, reason)
    return {"report_id": str(report_id), "failed": reason}


async def _photo(uow: UnitOfWork, examinee_id: UUID) -> dict[str, Any] | None:
    photo = await examinees.photo_of(uow, examinee_id)
    return None if photo is None else {"file": photo.file, "media_type": photo.media_type, "version": photo.version}


async def follow_past(run: JobRun) -> Mapping[str, Any]:
    """Look at each exam in a transaction of its own, under its own lock, as its campus sees its past: so its report is rendered. Twice is once."""
    examinee_id, after = UUID(str(run.payload["examinee_id"])), run.payload["after_id"]
    async with run.unit() as uow:
        later = await views.later_exams(uow, examinee_id, UUID(str(after)) if after is not None else None)
    outdated = 0
    for exam in later:
        of_campus, fence = job_principal(run.id, exam.campus_id), Fence(run.id, run.fence)
        async with run.units.open(of_campus, "worker", fence=fence) as uow:
            versions = await service.to_compare_with_past(uow, exam.id)
        printed = {v.id: (await _snapshot(run.services.storage, v)).get("trends", ()) for v in versions}
        async with run.units.open(of_campus, "worker", fence=fence) as uow:
            outdated += bool(await service.follow_past(uow, exam.id, printed))
    return {"looked_at": len(later), "outdated": outdated}


def _watermark(kind: str, ours: str | None) -> str | None:
    return ours if kind == "main" else f"{ours or ''}私密 仅交本人"


async def render(run: JobRun) -> Mapping[str, Any]:
    """Render a version and seal it. Its moment is that of the request, so a second rendering gives the same bytes.

    A worker that is killed between the two finds the version generated: it renders the snapshot that was kept, whatever changed since, and
    seals those bytes or none.
    """
    report_id = UUID(run.payload["report_id"])
    printing, storage = run.services.printing, run.services.storage
    async with run.unit() as uow:
        report = await service.get(uow, report_id)
        if report.state not in ("rendering", "generated"):
            return {"report_id": str(report_id), "sha256": report.sha256}
        if not await service.still_stands(uow, report):
            return await _failed(uow, report_id, "results_changed")
        moment, made = report.requested_at, report.rendered_sha256
        data: dict[str, Any] | None = None
        if report.snapshot is None:
            rows = await views.source(uow, report.exam_id, report.kind)
            trends = (await results.trends(uow, report.exam_id)).items if report.kind == "main" else []
            data = report_data(
                rows, trends, hospital_name=printing.hospital_name, version=report.version, watermark=_watermark(report.kind, run.services.watermark),
                printed_at=moment, verify_url=f"{printing.public_url}/verify/{report.verify_code}",
                photo=await _photo(uow, report.examinee_id),
            )  # fmt: skip
            data["digest"] = rules.content_digest(data)
    if data is None:
        data = await _snapshot(storage, report)
    await run.progress(1, _STEPS, "reading")
    document = await printing.render("exam_report", data, await _assets(storage, data), now=moment)
    await run.progress(2, _STEPS, "rendered")
    if made is None:
        file = await storage.put(document.pdf)
        snapshot = await storage.put(json.dumps(data, ensure_ascii=False).encode())
        async with run.unit() as uow:
            stands = await service.keep(
                uow, report_id, file=file, sha256=document.sha256, pages=document.pages, size=len(document.pdf), snapshot=snapshot,
                proof=rules.proof(data), printed=data["trends"],
            )  # fmt: skip
        if not stands:
            return {"report_id": str(report_id), "failed": "results_changed"}
    elif made != document.sha256:  # templates or fonts were exchanged in between
        async with run.unit() as uow:
            return await _failed(uow, report_id, "not_rendered")
    try:
        assert document.seal_place is not None, "the template has room for the seal"
        sealed = await run.services.seal.seal(
            document.pdf, Anchor(*document.seal_place), reason="健康体检报告", location=printing.hospital_name
        )
    except (SealMissingError, SealInvalidError) as error:
        async with run.unit() as uow:
            return await _failed(uow, report_id, "no_seal" if isinstance(error, SealMissingError) else "seal_invalid")
    digest = hashlib.sha256(sealed).hexdigest()
    file = await storage.put(sealed)
    async with run.unit() as uow:
        await service.seal(uow, report_id, file=file, sha256=digest, size=len(sealed))
    return {"report_id": str(report_id), "sha256": digest, "pages": document.pages}
