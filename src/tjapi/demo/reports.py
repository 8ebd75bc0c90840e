"""A handful of reports, rendered and sealed by the real job: published ones, one that a later one superseded, one that was recalled."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from tjapi.demo.archive import ARCHIVE
from tjapi.demo.base import LOADER
from tjapi.exam import service as exams
from tjapi.identity import service as identity
from tjapi.identity.rules import ROLES
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.report import service as reports
from tjapi.report.errors import ResultsChangedSinceSignOff
from tjapi.report.schemas import ReportOut

_OF_THE_PAST = 3
_PATIENCE_SECONDS = 120
_WHY = "受检者来电:姓名用字有误,更正后重发"


async def publish(runtime: Runtime) -> int:
    """Have reports made of the day's finalized exams and of the last of the archive; say how many are published. Twice is once."""
    async with runtime.units.read(LOADER) as uow:
        chief = next(one for one in await identity.staff_page(uow, None, 200) if one.username == "chief")
        finalized = await exams.page(
            uow, campus_id=1, day=None, state="finalized", exam_no=None, examinee_id=None, after=None, size=40
        )
    own = [exam.id for exam in finalized if exam.archive is None][:1]
    past = [exam.id for exam in finalized if exam.archive == ARCHIVE][:_OF_THE_PAST]
    rights = frozenset().union(*(ROLES[role][2] for role in chief.roles))
    signer = Principal("staff", chief.id, rights, tuple(chief.campuses), None, None, "", chief.name)
    await _bring_out(runtime, signer, [*own, *past])
    if len(past) == _OF_THE_PAST:
        await _replace(runtime, signer, past[0])
        await _take_back(runtime, signer, past[1])
    return len(own) + len(past)


async def _versions(runtime: Runtime, exam_id: UUID) -> Sequence[ReportOut]:
    async with runtime.units.read(LOADER) as uow:
        return await reports.versions(uow, exam_id)


async def _bring_out(runtime: Runtime, signer: Principal, exam_ids: Sequence[UUID], *, versions: int = 1) -> None:
    """Publish each exam's report, up to a version; what is there already is left alone."""
    for exam_id in exam_ids:
        if len(await _versions(runtime, exam_id)) < versions:
            with suppress(ResultsChangedSinceSignOff):
                async with runtime.units.open(signer) as uow:
                    await reports.request(uow, exam_id)
    for exam_id in exam_ids:
        last = await _sealed(runtime, exam_id)
        if last is not None and last.state == "sealed":
            async with runtime.units.open(signer) as uow:
                await reports.publish(uow, last.id)


async def _sealed(runtime: Runtime, exam_id: UUID) -> ReportOut | None:
    """Return an exam's last version once it is made. None: it will not be, or not soon."""
    for _ in range(_PATIENCE_SECONDS * 4):
        last = max(await _versions(runtime, exam_id), key=lambda one: one.version, default=None)
        if last is None or last.state not in ("rendering", "generated"):
            return last
        await asyncio.sleep(0.25)
    return None


async def _replace(runtime: Runtime, signer: Principal, exam_id: UUID) -> None:
    await _bring_out(runtime, signer, [exam_id], versions=2)


async def _take_back(runtime: Runtime, signer: Principal, exam_id: UUID) -> None:
    for one in await _versions(runtime, exam_id):
        if one.state == "published":
            async with runtime.units.open(signer) as uow:
                await reports.recall(uow, one.id, _WHY)
