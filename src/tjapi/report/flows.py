"""Rendering and sealing: read (transaction) → render and keep the bytes → say so → seal, check → say so (transaction)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import Anchor, SealInvalidError, SealMissingError
from tjapi.kernel.security.principal import Principal
from tjapi.report import service, views
from tjapi.report.layout import report_data
from tjapi.result import service as results

_STEPS = 3
_CHANGED = "results-changed-since-sign-off"
_NO_SEAL = "no-seal"
_SEAL_INVALID = "seal-invalid"


async def preview(held: Runtime, caller: Principal, exam_id: UUID) -> bytes:
    """Return the report as it would be now, with 预览 across every page; it is neither kept nor sealed. Raises ExamNotFound."""
    async with held.units.read(caller) as uow:
        trends = (await results.trends(uow, exam_id)).items
        rows = await views.source(uow, exam_id)
        moment = uow.now
        await uow.audit("report.previewed", "exam", exam_id, campus_id=rows.head.campus_id)
    printing = held.services.printing
    data = report_data(
        rows,
        trends,
        hospital_name=printing.hospital_name,
        version=1,
        watermark="预览",
        printed_at=moment,
        verify_url="",
    )
    document = await printing.render("exam_report", data, now=moment)
    return bytes(document.pdf)


async def render(run: JobRun) -> Mapping[str, Any]:
    """Render a version and seal it. Its moment is that of the request, so a second rendering gives the same bytes.

    A worker that is killed between the two finds the version generated, renders the same bytes again and seals them.
    """
    report_id = UUID(run.payload["report_id"])
    async with run.unit() as uow:
        report = await service.get(uow, report_id)
        if report.state not in ("rendering", "generated"):
            return {"report_id": str(report_id), "sha256": report.sha256}
        if not await service.still_stands(uow, report.exam_id):
            await service.fail(uow, report_id, _CHANGED)
            return {"report_id": str(report_id), "failed": _CHANGED}
        rows = await views.source(uow, report.exam_id)
        trends = (await results.trends(uow, report.exam_id)).items
        version, moment, code = report.version, report.requested_at, report.verify_code
    await run.progress(1, _STEPS, "reading")
    printing = run.services.printing
    data = report_data(
        rows, trends, hospital_name=printing.hospital_name, version=version, watermark=run.services.watermark, printed_at=moment,
        verify_url=f"{printing.public_url}/verify/{code}",
    )  # fmt: skip
    document = await printing.render("exam_report", data, now=moment)
    await run.progress(2, _STEPS, "rendered")
    storage = run.services.storage
    file, snapshot = await storage.put(document.pdf), await storage.put(json.dumps(data, ensure_ascii=False).encode())
    async with run.unit() as uow:
        await service.keep(
            uow, report_id, file=file, sha256=document.sha256, pages=document.pages, size=len(document.pdf), snapshot=snapshot
        )  # fmt: skip
    try:
        assert document.seal_place is not None, "the template has room for the seal"
        sealed = await run.services.seal.seal(
            document.pdf, Anchor(*document.seal_place), reason="健康体检报告", location=printing.hospital_name
        )
    except (SealMissingError, SealInvalidError) as error:
        reason = _NO_SEAL if isinstance(error, SealMissingError) else _SEAL_INVALID
        async with run.unit() as uow:
            await service.fail(uow, report_id, reason)
        return {"report_id": str(report_id), "failed": reason}
    digest = hashlib.sha256(sealed).hexdigest()
    file = await storage.put(sealed)
    async with run.unit() as uow:
        await service.seal(uow, report_id, file=file, sha256=digest, size=len(sealed))
    return {"report_id": str(report_id), "sha256": digest, "pages": document.pages}
