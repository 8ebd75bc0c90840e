"""The desk itself: check-in, the one-time code, and every paper that is printed."""

import hmac
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from itertools import groupby
from uuid import UUID

from pydantic import TypeAdapter

from tjapi.appointment import service as appointments
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamNotFound, ExamStateConflict
from tjapi.examinee import service as examinees
from tjapi.frontdesk import repository, views
from tjapi.frontdesk.errors import (
    AccessCodeNotCurrent,
    NotALabel,
    PaperNotOfExam,
    PrintNotFound,
    PrintOfOneCampus,
    TooManyPapers,
)
from tjapi.frontdesk.models import AccessCode, DocumentPrint, DocumentPrintItem
from tjapi.frontdesk.rules import (
    LABELS,
    PaperExam,
    PaperKey,
    PrintContent,
    PrintedPaper,
    PrintFormat,
    content_digest,
    form_lines,
    form_subject,
    papers,
    sheet_version,
    walk,
)
from tjapi.frontdesk.schemas import (
    MOST_PAPERS,
    AccessCodeOut,
    CheckInOut,
    DocumentOut,
    DocumentsOut,
    Paper,
    PaperIn,
    PrintedPaperOut,
    PrintIn,
    PrintLink,
    PrintOut,
    PrintsOut,
)
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.security.fields import random_code
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import service as requisitions

_LIFE = timedelta(days=30)
_MOST_FAILURES = 5
_PRINTS = "/api/v1/document-prints"
_TITLES: Mapping[str, str] = {"guide_sheet": "指引单", "exam_label": "体检号标签"}
_CONTENT = TypeAdapter(PrintContent)


@dataclass(frozen=True, slots=True)
class OpenedPrint:
    """A print whose file is about to be made."""

    format: PrintFormat
    printed_at: datetime
    content: PrintContent


async def check_in(uow: UnitOfWork, exam_id: UUID) -> CheckInOut:
    """Check in, order the tests, and hand out what is printed; the appointment, if there is one, is kept.

    The exam is of the day on which somebody comes, whatever day was meant. Raises ExamNotFound, ExamStateConflict, WalkInNotTaken.
    """
    exam = await exams.lock(uow, exam_id)
    if exam.state != "prepared":  # one on hold goes on by `resume`, with its reason
        raise ExamStateConflict("体检当前为 {current}", "The exam is {current}", current=exam.state)
    await appointments.arrive(uow, exam.campus_id, exam_id)
    await exams.reschedule(uow, exam_id, business_day(uow.now))
    await exams.check_in(uow, exam_id)
    if exam.examined:  # everything was refused or waived before
        await exams.settle(uow, exam)
    access = await issue_access_code(uow, exam_id)
    return CheckInOut(
        exam=await exams.describe(uow, exam_id), tubes=await requisitions.tubes(uow, exam_id), access=access,
        documents=await documents(uow, exam_id, access_code=access.access_code),
    )  # fmt: skip


async def issue_access_code(uow: UnitOfWork, exam_id: UUID) -> AccessCodeOut:
    """Make a new one-time code for an exam; an older one ends. Raises ExamNotFound."""
    exam = await exams.lock(uow, exam_id)
    code = random_code(8)
    row = await repository.access_code(uow, exam_id)
    if row is None:
        row = AccessCode(exam_id=exam_id, campus_id=exam.campus_id)
        uow.session.add(row)
    row.digest, row.failures, row.used_at = _digest(uow, exam_id, code), 0, None
    row.issued_at, row.expires_at = uow.now, uow.now + _LIFE
    await uow.audit("access_code.issued", "exam", exam_id, campus_id=exam.campus_id)
    return AccessCodeOut(access_code=code, expires_at=row.expires_at)


async def redeem_access_code(uow: UnitOfWork, exam_id: UUID, code: str, *, identity_agrees: bool) -> bool:
    """Use up a code; five failures end it. Says nothing about which part was wrong."""
    row = await repository.access_code(uow, exam_id)
    if not _is_open(uow, row) or row is None:
        return False
    if not (hmac.compare_digest(bytes(row.digest), _digest(uow, exam_id, code)) and identity_agrees):
        row.failures += 1
        return False
    row.used_at = uow.now
    return True


async def documents(uow: UnitOfWork, exam_id: UUID, *, access_code: str | None = None) -> DocumentsOut:
    """Return everything that can be printed of an exam, in the order of printing. Raises ExamNotFound."""
    exam = (await views.paper_exams(uow, [exam_id])).get(exam_id)
    if exam is None:
        raise ExamNotFound
    paper = read_paper()
    printed = await repository.copies_printed(uow, [exam_id])
    last = (await repository.last_sheets(uow, [exam_id])).get(exam_id)
    digest = content_digest(walk(exam.lines, paper.stations))
    items = []
    for key, copies in _papers(exam, paper):
        given = access_code if key.kind == "guide_sheet" else None
        stale = key.kind == "guide_sheet" and last is not None and last[1] != digest
        done = printed.get((exam_id, key.kind, key.subject), 0)
        items.append(_document(exam, paper, key, copies, printed=done, outdated=stale, access_code=given))
    return DocumentsOut(
        exam_id=exam_id, exam_no=exam.exam_no, guide_sheet_version=sheet_version(digest, last), items=items
    )


async def print_documents(uow: UnitOfWork, order: PrintIn) -> PrintOut:
    """Log a print of what was chosen: who, when, which copy of what; its file is made when it is fetched, the same each time.

    Raises ExamNotFound, ExamStateConflict, PaperNotOfExam, NotALabel, PrintOfOneCampus, TooManyPapers, AccessCodeNotCurrent.
    """
    _refuse_other_than_labels(order)
    exam_ids = sorted({one.exam_id for one in order.papers})
    for exam_id in exam_ids:  # two desks count the copies of one exam one after the other
        await exams.lock(uow, exam_id)
    found = await views.paper_exams(uow, exam_ids)
    if len({exam.campus_id for exam in found.values()}) > 1:
        raise PrintOfOneCampus
    if any(exam.state == "cancelled" for exam in found.values()):
        raise ExamStateConflict("体检已取消", "The exam is cancelled")
    paper = read_paper()
    made = DocumentPrint(
        id=uuid7(), campus_id=found[exam_ids[0]].campus_id, format=order.format, printed_by=uow.principal.id,
        printed_by_name=uow.principal.name, printed_at=uow.now,
    )  # fmt: skip
    printed = await repository.copies_printed(uow, exam_ids)
    last = await repository.last_sheets(uow, exam_ids)
    rows: list[DocumentPrintItem] = []
    sheets: list[PrintedPaper] = []
    for at, one in enumerate(order.papers):
        exam = found[one.exam_id]
        if one.access_code is not None:
            await _refuse_other_code(uow, at, one)
        for key, copies in _chosen(exam, paper, at, one):
            before = printed.get((exam.exam_id, key.kind, key.subject), 0)
            printed[exam.exam_id, key.kind, key.subject] = before + copies
            version = digest = None
            if key.kind == "guide_sheet":
                digest = content_digest(walk(exam.lines, paper.stations))
                version = sheet_version(digest, last.get(exam.exam_id))
                last[exam.exam_id] = (version, digest)
            row = DocumentPrintItem(
                print_id=made.id, position=len(rows), campus_id=made.campus_id, exam_id=exam.exam_id, kind=key.kind, subject=key.subject,
                copies=copies, first_copy=before + 1, version=version, digest=digest,
            )  # fmt: skip
            rows.append(row)
            sheets += [
                PrintedPaper(exam.exam_id, key.kind, key.subject, before + n, before > 0, version, one.access_code)
                for n in range(1, copies + 1)
            ]
            if len(sheets) > MOST_PAPERS:
                raise TooManyPapers(errors=[FieldError(f"/papers/{at}", "too-many", f"最多 {MOST_PAPERS} 份", f"at most {MOST_PAPERS} copies")])  # fmt: skip
    content = PrintContent([await _with_photo(uow, exam, sheets) for exam in found.values()], sheets)
    made.content = uow.cipher.seal_bytes(_CONTENT.dump_json(content), _place(made.id))
    uow.session.add(made)
    await uow.session.flush()
    uow.session.add_all(rows)
    detail = {"format": order.format, "exams": len(exam_ids), "copies": len(sheets)}
    await uow.audit("document.printed", "document_print", made.id, campus_id=made.campus_id, detail=detail)
    return _print(made, rows)


async def prints(uow: UnitOfWork, exam_id: UUID) -> PrintsOut:
    """Return the prints of an exam, newest first. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    rows = await repository.prints_of(uow, exam_id)
    grouped = [list(held) for _, held in groupby(rows, lambda row: row[0].id)]
    return PrintsOut(items=[_print(held[0][0], [item for _, item in held]) for held in grouped])


async def open_print(uow: UnitOfWork, print_id: UUID) -> OpenedPrint:
    """Return of what a print's file is made; it is audited. Raises PrintNotFound."""
    made = await repository.document_print(uow, print_id)
    if made is None:
        raise PrintNotFound
    opened = _CONTENT.validate_json(uow.cipher.open_bytes(bytes(made.content), _place(made.id)))
    detail = {"copies": len(opened.papers), "photos": sum(exam.photo is not None for exam in opened.exams)}
    await uow.audit("document.opened", "document_print", made.id, campus_id=made.campus_id, detail=detail)
    form: PrintFormat = made.format  # type: ignore[assignment]  # the database holds nothing else
    return OpenedPrint(form, made.printed_at, opened)


@lru_cache(maxsize=1)
def read_paper() -> Paper:
    """Read how often papers are printed, what things are called on them, and the stations of the walk."""
    file = resources.files("tjapi.frontdesk") / "paper.toml"
    return Paper.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


async def _with_photo(uow: UnitOfWork, exam: PaperExam, sheets: Sequence[PrintedPaper]) -> PaperExam:
    """Add where the photograph is, if it is printed: that version of it, whatever is taken later."""
    if all(sheet.kind != "guide_sheet" or sheet.exam_id != exam.exam_id for sheet in sheets):
        return exam
    photo = await examinees.photo_of(uow, exam.examinee_id)
    return exam if photo is None else replace(exam, photo=photo.file)


def _papers(exam: PaperExam, paper: Paper) -> list[tuple[PaperKey, int]]:
    return papers(
        exam, copies=paper.copies, form_copies=paper.form_copies, section_form_copies=paper.section_form_copies
    )


def _chosen(exam: PaperExam, paper: Paper, at: int, one: PaperIn) -> Iterator[tuple[PaperKey, int]]:
    """Yield the papers that are meant, with their copies. Raises PaperNotOfExam."""
    subject = ""
    if one.tube_id is not None:
        subject = str(one.tube_id)
    elif one.department_id is not None:
        subject = form_subject(one.department_id, one.section)
    fits = {"tube_label": one.department_id is None and one.section is None, "request_form": one.tube_id is None}
    known = [
        (key, copies)
        for key, copies in _papers(exam, paper)
        if key.kind == one.kind and (key.subject == subject if subject else True)
    ]
    if not known or not fits.get(one.kind, subject == ""):
        raise PaperNotOfExam(
            errors=[FieldError(f"/papers/{at}", "not-found", "这次体检没有此打印件", "the exam has no such paper")]
        )
    for key, copies in known:
        wanted = one.copies or copies
        if subject or len(known) == 1:
            yield key, wanted or 1  # asked for by name: also what is not printed by default
        elif wanted:
            yield key, wanted


def _refuse_other_than_labels(order: PrintIn) -> None:
    if order.format == "pdf":
        return
    wrong = [at for at, one in enumerate(order.papers) if one.kind not in LABELS]
    if wrong:
        raise NotALabel(
            errors=[
                FieldError(
                    f"/papers/{at}/kind", "not-a-label", "此打印件只能输出为 PDF", "this paper is made as PDF only"
                )
                for at in wrong
            ]
        )


async def _refuse_other_code(uow: UnitOfWork, at: int, one: PaperIn) -> None:
    row = await repository.access_code(uow, one.exam_id)
    good = _is_open(uow, row) and row is not None
    if (
        row is None
        or not good
        or not hmac.compare_digest(bytes(row.digest), _digest(uow, one.exam_id, one.access_code or ""))
    ):
        raise AccessCodeNotCurrent(
            errors=[FieldError(f"/papers/{at}/access_code", "not-current", "查询码无效", "the code is not valid")]
        )


def _document(
    exam: PaperExam, paper: Paper, key: PaperKey, copies: int, *, printed: int, outdated: bool, access_code: str | None
) -> DocumentOut:
    tube = next((tube for tube in exam.tubes if str(tube.tube_id) == key.subject), None)
    lines = form_lines(exam, key.subject, paper.section_form_copies) if key.kind == "request_form" else []
    section = key.subject.partition(":")[2] or None
    title = _TITLES.get(key.kind, "")
    if tube is not None:
        title = f"{paper.specimens.get(tube.specimen, tube.specimen)} {paper.containers.get(tube.container, tube.container)}"
    elif lines:
        title = f"{lines[0].department}申请单" + (f"({paper.sections.get(section, section)})" if section else "")
    which = PaperIn(
        exam_id=exam.exam_id, kind=key.kind, tube_id=tube.tube_id if tube else None, department_id=lines[0].department_id if lines else None,
        section=section, copies=copies or 1, access_code=access_code,
    )  # fmt: skip
    formats: tuple[PrintFormat, ...] = ("pdf", "zpl", "tspl") if key.kind in LABELS else ("pdf",)
    return DocumentOut(
        kind=key.kind, title=title, tube_id=which.tube_id, barcode=tube.barcode if tube else None, department_id=which.department_id,
        section=tube.section if tube else section, copies=copies, printed=printed, outdated=outdated,
        links=[
            PrintLink(format=form, method="POST", href=_PRINTS, body=PrintIn(format=form, papers=[which])) for form in formats
        ],
    )  # fmt: skip


def _print(made: DocumentPrint, rows: Sequence[DocumentPrintItem]) -> PrintOut:
    return PrintOut.model_validate(
        {
            "id": made.id, "campus_id": made.campus_id, "format": made.format, "printed_at": made.printed_at,
            "printed_by": made.printed_by, "printed_by_name": made.printed_by_name, "url": f"{_PRINTS}/{made.id}/file",
            "papers": [
                PrintedPaperOut.model_validate(
                    {
                        "exam_id": row.exam_id, "kind": row.kind, "subject": row.subject, "copies": row.copies,
                        "first_copy": row.first_copy, "reprint": row.first_copy > 1, "version": row.version,
                    }
                )
                for row in rows
            ],
        }
    )  # fmt: skip


def _is_open(uow: UnitOfWork, row: AccessCode | None) -> bool:
    return row is not None and row.used_at is None and row.expires_at > uow.now and row.failures < _MOST_FAILURES


def _place(print_id: UUID) -> str:
    return f"document_print|content|{print_id}"


def _digest(uow: UnitOfWork, exam_id: UUID, code: str) -> bytes:
    return uow.cipher.blind_index(f"{exam_id}|{code}", "access-code")
