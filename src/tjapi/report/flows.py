"""Rendering: read (transaction) → render and keep the bytes → say so (transaction)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tjapi.kernel.jobs.spec import JobRun
from tjapi.report import service, views
from tjapi.report.layout import report_data

_STEPS = 3
_CHANGED = "results-changed-since-sign-off"


async def render(run: JobRun) -> Mapping[str, Any]:
    """Render a version. Its moment is that of the request, so a second rendering gives the same bytes."""
    report_id = UUID(run.payload["report_id"])
    async with run.unit() as uow:
        report = await service.get(uow, report_id)
        if report.state != "rendering":
            return {"report_id": str(report_id), "sha256": report.sha256}
        if not await service.still_stands(uow, report.exam_id):
            await service.fail(uow, report_id, _CHANGED)
            return {"report_id": str(report_id), "failed": _CHANGED}
        rows = await views.source(uow, report.exam_id)
        version, moment = report.version, report.requested_at
    await run.progress(1, _STEPS, "reading")
    printing = run.services.printing
    data = report_data(
        rows, hospital_name=printing.hospital_name, version=version, watermark=run.services.watermark, printed_at=moment
    )
    document = await printing.render("exam_report", data, now=moment)
    await run.progress(2, _STEPS, "rendered")
    file = await run.services.storage.put(document.pdf)
    async with run.unit() as uow:
        await service.keep(
            uow, report_id, file=file, sha256=document.sha256, pages=document.pages, size=len(document.pdf)
        )
    return {"report_id": str(report_id), "sha256": document.sha256, "pages": document.pages}
