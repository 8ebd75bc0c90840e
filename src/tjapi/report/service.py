"""The verbs of reports."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from tjapi.conclusion import service as conclusion
from tjapi.exam import service as exams
from tjapi.examinee import service as examinees
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.ids import uuid7
from tjapi.kernel.seal import SealMissingError, authority_pem
from tjapi.kernel.security.tokens import LinkClaims, LinkMint
from tjapi.kernel.uow import UnitOfWork
from tjapi.report import repository, views
from tjapi.report.errors import (
    ExamNotFinalized,
    NothingPrivate,
    ReportNotFound,
    ReportNotReady,
    ReportRecalledProblem,
    ReportStateConflict,
    ReportSuperseded,
    ResultsChangedSinceSignOff,
    SealNotSet,
)
from tjapi.report.events import ReportGenerated, ReportPublished, ReportRecalled
from tjapi.report.models import Report
from tjapi.report.rules import MOVES, ReportFailure, ReportKind, chart, outlived
from tjapi.report.schemas import (
    ConsentWithdrawnOut,
    DeliveredOut,
    LinkOut,
    ReportContentOut,
    ReportOut,
    SealAuthorityOut,
    VerificationOut,
)
from tjapi.result import service as results

_LINK_LIFE = timedelta(minutes=10)
OpenReport = Report
"""A report whose bytes are about to be read."""
RENDER = "report.render"
RENDER_ATTEMPTS = 8
PRIVATE = "private.report"
FOLLOW_PAST = "report.follow_past"
_PAST_SEEN = "past_seen"
_UNDER_WAY = ("rendering", "generated", "sealed")
_PRINTED = "已发布报告所载姓名、性别或出生日期与受检者档案不一致"


class ExamEvent(Protocol):
    """What happened to an exam."""

    @property
    def exam_id(self) -> UUID:
        """The exam."""


async def request(uow: UnitOfWork, exam_id: UUID, kind: ReportKind = "main") -> ReportOut:
    """Order a new version; while one is being rendered, return that one, unless its job was given up.

    Raises ExamNotFound, ExamNotFinalized, NothingPrivate, ResultsChangedSinceSignOff, and ExamNotComplete with every reason for which it would not be finalized today.
    """
    exam = await exams.lock(uow, exam_id)
    if exam.state != "finalized":
        raise ExamNotFinalized
    if not await conclusion.stands(uow, exam_id):
        raise ResultsChangedSinceSignOff
    await exams.refuse_unfit(uow, exam_id)
    if kind == "private" and not await views.has_private(uow, exam_id):
        raise NothingPrivate
    under_way = ("rendering", "generated")
    waiting = next((r for r in await repository.versions(uow, exam_id, kind) if r.state in under_way), None)
    if waiting is not None and not await views.given_up(uow, waiting.job_id):
        return out(waiting)
    if waiting is not None:
        await fail(uow, waiting.id, "not_rendered")
    report_id = uuid7()
    payload = {"report_id": str(report_id), "exam_id": str(exam_id)}
    job_id = await uow.enqueue(
        RENDER,
        payload,
        campus_id=exam.campus_id,
        key=str(report_id),
        lane=f"report:{exam_id}",
        max_attempts=RENDER_ATTEMPTS,
    )
    report = Report(
        id=report_id, campus_id=exam.campus_id, exam_id=exam_id, examinee_id=exam.examinee_id,
        kind=kind, version=await repository.next_version(uow, exam_id, kind), state="rendering", job_id=job_id, requested_by=uow.principal.id,
        requested_at=uow.now, verify_code=secrets.token_hex(16), conclusion_version=await conclusion.version_of(uow, exam_id),
    )  # fmt: skip
    uow.session.add(report)
    await uow.audit("report.requested", "report", report.id, campus_id=exam.campus_id)
    return out(report)


async def keep(
    uow: UnitOfWork, report_id: UUID, *, file: str, sha256: str, pages: int, size: int, snapshot: str | None = None,
    proof: Mapping[str, str] | None = None, printed: Sequence[Mapping[str, Any]] = (),
) -> bool:  # fmt: skip
    """The document is rendered and its bytes are kept; a second rendering of the same version changes nothing.

    A result that changed while it was read or rendered fails the version: the exam is locked, so what stands now stood all the while. So does
    an earlier exam's, of which it has charts (`printed`): what changes after this is compared with what is kept.
    """
    report = await _locked(uow, report_id)
    if report.state != "rendering":
        return report.state != "failed"
    past = (
        outlived(printed, [chart(one) for one in (await results.trends(uow, report.exam_id)).items]) if printed else []
    )
    if past or not await conclusion.stands(uow, report.exam_id, report.conclusion_version):
        await fail(uow, report_id, "results_changed")
        return False
    report.state, report.file, report.sha256, report.pages, report.size = "generated", file, sha256, pages, size
    report.rendered_sha256, report.snapshot, report.proof = sha256, snapshot, dict(proof) if proof else None
    report.generated_at = uow.now
    await uow.audit("report.generated", "report", report.id, campus_id=report.campus_id, detail={"sha256": sha256})
    await _tell(uow, report)
    await uow.publish(ReportGenerated(campus_id=report.campus_id, report_id=report.id, exam_id=report.exam_id))
    return True


async def seal(uow: UnitOfWork, report_id: UUID, *, file: str, sha256: str, size: int) -> None:
    """The document is sealed, and the seal was checked; each use of the key is an audit row (reliability.md 24). Twice is once."""
    report = await _locked(uow, report_id)
    if report.state != "generated":
        return
    if not await conclusion.stands(uow, report.exam_id, report.conclusion_version):
        await fail(uow, report_id, "results_changed")
        return
    report.state, report.file, report.sha256, report.size, report.sealed_at = "sealed", file, sha256, size, uow.now
    detail = {"rendered_sha256": report.rendered_sha256, "sha256": sha256}
    await uow.audit("report.sealed", "report", report.id, campus_id=report.campus_id, detail=detail)
    await _tell(uow, report)


async def fail(uow: UnitOfWork, report_id: UUID, reason: ReportFailure) -> None:
    """This version will not come to be; the next request makes another one."""
    report = await _locked(uow, report_id)
    if report.state in _UNDER_WAY:
        _move(report, "failed")
        report.failure = reason
        await _tell(uow, report)
        await uow.audit("report.failed", "report", report.id, campus_id=report.campus_id, detail={"reason": reason})


async def still_stands(uow: UnitOfWork, report: Report) -> bool:
    """Say whether what a version was ordered of is still what is signed and stored."""
    return await conclusion.stands(uow, report.exam_id, report.conclusion_version)


async def exam_opened_again(uow: UnitOfWork, exam_id: UUID, reason: str) -> None:
    """Nobody stands for what was said: a published version is recalled, one that is under way or not published will not come to be."""
    for report in await repository.versions(uow, exam_id):
        if report.state == "published":
            await _take_back(uow, report.id, reason)
        else:
            await fail(uow, report.id, "reviewed_again")


async def signed_anew(uow: UnitOfWork, exam_id: UUID) -> None:
    """Of an exam that had a report the next version is made as soon as it is finalized anew; publishing it is a person's act."""
    kinds: tuple[ReportKind, ...] = ("main", "private")
    for kind in kinds:
        if await repository.versions(uow, exam_id, kind) and (kind == "main" or await views.has_private(uow, exam_id)):
            await request(uow, exam_id, kind)


async def withdraw_consent(
    uow: UnitOfWork, exam_id: UUID, line_ids: Sequence[UUID], *, signature: str
) -> ConsentWithdrawnOut:
    """Keep that the person takes consent to private items back: what is not handed over will not be, and what was is named.

    Raises what `exam.withdraw_consent` does.
    """
    refused, kept_apart = await exams.withdraw_consent(uow, exam_id, line_ids, signature=signature)
    made = await repository.versions(uow, exam_id, "private") if kept_apart else ()
    stopped = [report for report in made if report.state in _UNDER_WAY]
    for report in stopped:
        await fail(uow, report.id, "consent_withdrawn")
    return ConsentWithdrawnOut(
        exam_id=exam_id, refused=refused, kept_apart=kept_apart, stopped=[report.id for report in stopped],
        delivered=[
            DeliveredOut(report_id=report.id, version=report.version, published_at=report.published_at)
            for report in made
            if report.published_at is not None
        ],
    )  # fmt: skip


async def came_late(uow: UnitOfWork, exam_id: UUID) -> None:
    """Something came after what a published version says: it is outdated wherever it is shown, until that is dealt with."""
    for report in await repository.versions(uow, exam_id):
        if report.state == "published" and report.outdated_at is None:
            report.outdated_at = uow.now
            await uow.audit("report.outdated", "report", report.id, campus_id=report.campus_id)
            await _tell(uow, report)


async def past_changed(uow: UnitOfWork, event: ExamEvent) -> None:
    """Have the person's later exams looked at, each under its own lock after this transaction: locks are taken in one order."""
    seen: set[UUID] = uow.session.info.setdefault(_PAST_SEEN, set())
    if event.exam_id in seen or getattr(event, "of_past", False):
        return
    seen.add(event.exam_id)
    exam = await exams.get(uow, event.exam_id)
    if await views.later_exams(uow, exam.examinee_id, exam.id):
        await _follow_past(uow, exam.examinee_id, exam.id)


async def past_is_anothers(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Whose past an exam has is another question now; whichever exams follow, the job sees them all."""
    for person in sorted({event.survivor_id, event.merged_id}):
        await _follow_past(uow, person, None)


async def _follow_past(uow: UnitOfWork, examinee_id: UUID, after_id: UUID | None) -> None:
    payload = {"examinee_id": str(examinee_id), "after_id": str(after_id) if after_id is not None else None}
    await uow.enqueue(FOLLOW_PAST, payload, campus_id=None)


async def follow_past(uow: UnitOfWork, exam_id: UUID, printed: Mapping[UUID, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Bring an exam in line with what the exams before it say now; return what was printed of them and holds no longer.

    What is open is made anew, or stale. A published version is outdated, with a task, until what it prints is printed anew or holds again;
    one that is on its way will not come to be. `printed`: the charts of versions, by their ids. Twice is once.
    """
    exam = await exams.lock(uow, exam_id)
    # What this says of the exam is no news for those after it: their own turn comes.
    uow.session.info.setdefault(_PAST_SEEN, set()).add(exam_id)
    await results.follow_past(uow, exam_id)
    now = [chart(one) for one in (await results.trends(uow, exam_id)).items]
    gone: list[str] = []
    for report in await repository.to_compare_with_past(uow, exam_id):
        lost = outlived(printed.get(report.id, ()), now)
        if lost and report.state != "published":
            await fail(uow, report.id, "results_changed")
        elif lost:
            gone += lost
    if exam.state != "finalized":
        return gone
    if gone:
        await conclusion.raise_named_task(uow, exam.campus_id, exam_id, "past", "；".join(gone))
        await came_late(uow, exam_id)
    else:
        await conclusion.end_named_task(uow, exam_id, "past")
    return gone


async def dealt_with(uow: UnitOfWork, exam_id: UUID) -> None:
    """What came late changed nothing of what was signed, and nothing else waits: the report says what is known."""
    await exams.lock(uow, exam_id)
    if await conclusion.has_open_task(uow, exam_id) or not await conclusion.stands(uow, exam_id):
        return
    if await conclusion.waits_for(uow, exam_id) is not None:
        return
    for report in await repository.versions(uow, exam_id):
        if report.state == "published":
            report.outdated_at = None


async def publish(uow: UnitOfWork, report_id: UUID) -> ReportOut:
    """Let the examinee see it; an earlier published version is superseded.

    Raises ReportNotFound, ReportNotReady, ReportStateConflict, ResultsChangedSinceSignOff, and ExamNotComplete with every reason for which the
    exam would not be finalized today: that whose it is is in doubt, for one.
    """
    await get(uow, report_id)
    report = await _locked(uow, report_id)
    if report.state in ("rendering", "generated"):
        raise ReportNotReady
    if report.state == "sealed" and not await conclusion.stands(uow, report.exam_id, report.conclusion_version):
        raise ResultsChangedSinceSignOff
    if report.state == "sealed":
        await exams.refuse_unfit(uow, report.exam_id)
    versions = await repository.versions(uow, report.exam_id, report.kind)
    if any(later.version > report.version and later.state == "published" for later in versions):
        raise ReportStateConflict("已发布更新的版本", "A later version is published already")
    _move(report, "published")
    for earlier in versions:
        if earlier.id != report.id and earlier.state == "published":
            _move(earlier, "superseded")
    report.published_at = uow.now
    # What is sealed and was not failed since says of the person what the file says.
    await conclusion.end_named_task(uow, report.exam_id, "person")
    if await conclusion.has_open_task(uow, report.exam_id):
        # Something came between the seal and now: it is true of what was signed, and says that more is known.
        report.outdated_at = uow.now
        # Where what is printed of earlier exams was all that it lacked, nothing is left to do.
        await _follow_past(uow, report.examinee_id, None)
    await uow.audit("report.published", "report", report.id, campus_id=report.campus_id)
    if report.kind == "private":  # handed over in person: nobody is sent a message of it
        return out(report)
    await exams.show_report(uow, report.exam_id, report.version)
    await uow.publish(ReportPublished(campus_id=report.campus_id, report_id=report.id, exam_id=report.exam_id))
    return out(report)


async def recall(uow: UnitOfWork, report_id: UUID, reason: str) -> ReportOut:
    """Take a published report back: its owner hears 410 from the next request on. Raises ReportNotFound, ReportStateConflict."""
    await get(uow, report_id)
    return await _take_back(uow, report_id, reason)


async def _take_back(uow: UnitOfWork, report_id: UUID, reason: str) -> ReportOut:
    report = await _locked(uow, report_id)
    _move(report, "recalled")
    report.recalled_at, report.recall_reason = uow.now, reason
    await uow.audit("report.recalled", "report", report.id, campus_id=report.campus_id)
    if report.kind == "private":
        return out(report)
    await exams.show_report(uow, report.exam_id, None)
    await uow.publish(ReportRecalled(campus_id=report.campus_id, report_id=report.id, exam_id=report.exam_id))
    return out(report)


async def get(uow: UnitOfWork, report_id: UUID) -> Report:
    """Return a report. Raises ReportNotFound."""
    report = await repository.report(uow, report_id)
    if report is None or not _may_see(uow, report):
        raise ReportNotFound
    return report


def _may_see(uow: UnitOfWork, report: Report) -> bool:
    """Say whether a caller may have anything to do with a report: what is private is under a right of its own."""
    return report.kind == "main" or uow.principal.kind == "job" or uow.principal.may(PRIVATE)


async def versions(uow: UnitOfWork, exam_id: UUID) -> list[ReportOut]:
    """Return the versions of an exam's report. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    return [out(report) for report in await repository.versions(uow, exam_id) if _may_see(uow, report)]


async def to_compare_with_past(uow: UnitOfWork, exam_id: UUID) -> Sequence[Report]:
    """Return the versions that say, or are about to say, what earlier exams were."""
    return await repository.to_compare_with_past(uow, exam_id)


async def to_compare(uow: UnitOfWork, report_id: UUID, against: int | None) -> tuple[Report, Report | None]:
    """Return a version and the one to compare it with: that of the number, else what its reader had before; none where there is none.

    What its reader had before is the last earlier version that was published. Where none was, it is the one made before.
    Raises ReportNotFound (also for a version that there is not), ReportNotReady.
    """
    report = await get(uow, report_id)
    made = [r for r in await repository.versions(uow, report.exam_id, report.kind) if r.snapshot is not None]
    if report.snapshot is None:
        raise ReportNotReady
    earlier = [r for r in made if r.version < report.version]
    held = next((r for r in earlier if r.published_at is not None), next(iter(earlier), None))
    other = held if against is None else next((r for r in made if r.version == against), None)
    if against is not None and other is None:
        raise ReportNotFound
    await uow.audit("report.compared", "report", report.id, campus_id=report.campus_id)
    return report, other


async def file_for_staff(uow: UnitOfWork, report_id: UUID) -> Report:
    """Return a report whose bytes a member of staff is about to read; it is audited. Raises ReportNotFound, ReportNotReady."""
    report = await get(uow, report_id)
    if report.file is None:
        raise ReportNotReady
    await uow.audit("report.downloaded", "report", report.id, campus_id=report.campus_id)
    return report


async def of_examinee(uow: UnitOfWork, examinee_id: UUID) -> Sequence[ReportOut]:
    """Return what an examinee may see, and what of it is being amended."""
    return [out(report) for report in await repository.of_examinee(uow, examinee_id)]


async def file_for_examinee(uow: UnitOfWork, report_id: UUID, examinee_id: UUID) -> Report:
    """Return a published report that belongs to the examinee. Raises ReportNotFound, ReportSuperseded, ReportRecalledProblem."""
    report = await repository.report(uow, report_id)
    if report is None or report.kind != "main" or report.examinee_id != examinee_id or report.published_at is None:
        raise ReportNotFound
    if report.state == "superseded":
        raise ReportSuperseded
    if report.state != "published":
        raise ReportRecalledProblem
    await uow.audit("report.downloaded", "report", report.id, campus_id=report.campus_id)
    return report


def out(report: Report) -> ReportOut:
    """Return the public shape of a report."""
    return ReportOut.model_validate(report, from_attributes=True)


def content(report: Report, data: Mapping[str, Any]) -> ReportContentOut:
    """Return what a version says, of the data that it was made of; versions of earlier releases had no digest and named no others."""
    return ReportContentOut.model_validate(
        {
            "undetermined": 0, "digest": "", **data, "report_id": report.id, "version": report.version, "outdated": report.outdated,
            "exam_no": data["exam"]["exam_no"], "exam_date": data["exam"]["date"],
            "conclusions": [{**entry, "critical": bool(entry["level"])} for entry in data["conclusions"]],
            "abnormal": [{**row, "name": row["item"]} for row in data["abnormal"]],
            "others": [{**row, "name": row["item"]} for row in data.get("others", ())],
        }
    )  # fmt: skip


async def verify(uow: UnitOfWork, code: str) -> VerificationOut:
    """Say what became of a printed report, and nothing else; asked by nobody in particular."""
    return await repository.verify(uow, code)


def seal_authority(folder: Path) -> SealAuthorityOut:
    """Return the certificate against which seals are checked. Raises SealNotSet."""
    try:
        return SealAuthorityOut(pem=authority_pem(folder))
    except SealMissingError as error:
        raise SealNotSet from error


async def link(uow: UnitOfWork, mint: LinkMint, base_url: str, report_id: UUID) -> LinkOut:
    """Make a short-lived link to the caller's own published report. Raises ReportNotFound, ReportSuperseded, ReportRecalledProblem."""
    report = await file_for_examinee(uow, report_id, uow.principal.id)
    expires_at = uow.now + _LINK_LIFE
    claims = LinkClaims(uow.principal.id, report.id, report.version)
    await uow.audit("report.linked", "report", report.id, campus_id=report.campus_id)
    return LinkOut(url=f"{base_url.rstrip('/')}/r/{mint.issue(claims, expires_at=expires_at)}", expires_at=expires_at)


async def _tell(uow: UnitOfWork, report: Report) -> None:
    told = {"report_id": str(report.id), "state": report.state}
    permission = "report.read" if report.kind == "main" else PRIVATE
    await uow.announce("report", told, campus_id=report.campus_id, permission=permission)


async def _locked(uow: UnitOfWork, report_id: UUID) -> Report:
    seen = await repository.report(uow, report_id)
    if seen is None:
        raise ReportNotFound
    await exams.lock(uow, seen.exam_id)
    report = await repository.report(uow, report_id, lock=True)
    assert report is not None
    return report


def _move(report: Report, to: str) -> None:
    if to not in MOVES[report.state]:
        raise ReportStateConflict("报告当前为「{current}」", "The report is {current}", current=report.state)
    report.state = to


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Let whoever a report is of see it, as merged or not; its bytes, and the name it prints, are what was sealed.

    Where the two people are called otherwise, a published version that prints the other one is outdated with a task by a merge, and recalled
    by its undoing: nobody is shown what is a stranger's. One that is on its way will not come to be, and is made anew where nothing is in doubt.
    """
    moved = await examinees.follow(
        uow, event, "report", repository.repoint, repository.given_since, of_exams=repository.of_exams
    )
    if not moved or not await examinees.is_called_otherwise(uow, event):
        return
    parted = isinstance(event, ExamineesUnmerged)
    lost = set()
    for report in await repository.in_order(uow, moved):
        # What was made since the merge says of the survivor what is not true of the other, and the other way round.
        if parted and report.id < event.merge_id:
            if report.state == "published":
                await conclusion.end_named_task(uow, report.exam_id, "person", {_PRINTED})
            continue
        if report.state == "published" and not parted:
            await conclusion.raise_named_task(uow, report.campus_id, report.exam_id, "person", _PRINTED)
            await came_late(uow, report.exam_id)
        elif report.state == "published":
            await _take_back(uow, report.id, "撤销档案合并:所载为他人信息")
            lost.add(report.exam_id)
        elif report.state in _UNDER_WAY:
            await fail(uow, report.id, "person_changed")
            lost.add(report.exam_id)
    for exam_id in sorted(lost):
        if (await exams.completeness(uow, exam_id)).complete and await conclusion.stands(uow, exam_id):
            await request(uow, exam_id)
