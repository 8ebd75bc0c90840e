"""Every paper that is printed: what there is, and a log of who printed which copy of what, when.

A small file is made when it is fetched. That of more papers than a request should wait for is made by a job, part by part; what it is made
of is taken down with the log, so that however often the job begins anew, every copy is logged once and the file says what held then.
"""

import hmac
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from importlib import resources
from itertools import groupby
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from tjapi.employer import service as employers
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamNotFound, ExamStateConflict
from tjapi.examinee import service as examinees
from tjapi.frontdesk import repository, views
from tjapi.frontdesk.errors import (
    AccessCodeNotCurrent,
    NotALabel,
    PaperNotOfExam,
    PapersNotNamed,
    PrintNotFound,
    PrintNotReady,
    PrintOfOneCampus,
    TooManyPapers,
)
from tjapi.frontdesk.models import DocumentPrint, DocumentPrintFile, DocumentPrintItem
from tjapi.frontdesk.rules import (
    LABELS,
    HandedOverTube,
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
    DocumentOut,
    DocumentsOut,
    Paper,
    PaperIn,
    PrintedPaperOut,
    PrintIn,
    PrintLink,
    PrintOut,
    PrintsOut,
    UnitPapersIn,
)
from tjapi.frontdesk.service.codes import digest, is_open
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import service as requisitions
from tjapi.requisition.schemas import HandoverDetail

MAKE = "frontdesk.make_print"
_PRINTS = "/api/v1/document-prints"
_TITLES: Mapping[str, str] = {"guide_sheet": "指引单", "exam_label": "体检号标签"}
_CONTENT = TypeAdapter(PrintContent)
_MOST_IN_A_REQUEST = 100
_EXAMS_A_PART = 50


@dataclass(frozen=True, slots=True)
class OpenedPrint:
    """A print whose file is about to be made, or is there: `file` is its address. `parts`: how many a job makes it of."""

    format: PrintFormat
    printed_at: datetime
    content: PrintContent | None
    file: str | None = None
    parts: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A paper asked for, and where in the request; `if_any`: nothing where the exam has none that prints by default."""

    pointer: str
    paper: PaperIn
    if_any: bool = False


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
    """Log a print of what was chosen, or of a unit: who, when, which copy of what; its file is the same whenever it is fetched.

    Raises PapersNotNamed, CampaignNotFound, ExamNotFound, ExamStateConflict, PaperNotOfExam, NotALabel, PrintOfOneCampus, TooManyPapers,
    AccessCodeNotCurrent.
    """
    asked = await _asked(uow, order)
    _refuse_other_than_labels(order.format, asked)
    found = await exams.lock_many(
        uow, {one.paper.exam_id for one in asked}
    )  # two desks count copies one after the other
    if len({exam.campus_id for exam in found}) > 1:
        raise PrintOfOneCampus
    if any(exam.state == "cancelled" for exam in found):
        raise ExamStateConflict("体检已取消", "The exam is cancelled")
    made = DocumentPrint(
        id=uuid7(), campus_id=found[0].campus_id, format=order.format, printed_by=uow.principal.id,
        printed_by_name=uow.principal.name, printed_at=uow.now, job_id=None,
    )  # fmt: skip
    if _is_large(asked):
        made.job_id = await uow.enqueue(MAKE, {"print_id": str(made.id)}, campus_id=made.campus_id, max_attempts=5)
        uow.session.add(made)
        await uow.session.flush()
    log = _Log(await repository.copies_printed(uow, [e.id for e in found]), await repository.last_sheets(uow, [e.id for e in found]))  # fmt: skip
    for n, part in enumerate(_parts(asked) if made.job_id else [asked]):
        content = uow.cipher.seal_bytes(_CONTENT.dump_json(await _logged(uow, log, part)), _place(made.id))
        if made.job_id is None:
            made.content = content
            uow.session.add(made)
            await uow.session.flush()
        else:
            await repository.add_part(uow, made, n, content)
    if not log.rows:
        raise PaperNotOfExam(errors=[FieldError("/unit", "nothing", "没有可打印的内容", "there is nothing to print")])
    rows = [{"print_id": made.id, "position": i, "campus_id": made.campus_id, **row} for i, row in enumerate(log.rows)]
    await repository.add_items(uow, rows)
    await requisitions.labels_printed(uow, [UUID(row["subject"]) for row in rows if row["kind"] == "tube_label"])
    detail = {"format": order.format, "exams": len(found), "copies": log.copies}
    await uow.audit("document.printed", "document_print", made.id, campus_id=made.campus_id, detail=detail)
    return _print(made, [] if made.job_id else rows, log.copies)


async def handover_paper(uow: UnitOfWork, handover_id: UUID) -> tuple[HandoverDetail, Sequence[HandedOverTube], str]:
    """Return what a hand-over list's paper shows, and the campus's name; it is audited. Raises HandoverNotFound."""
    found = await requisitions.handover_detail(uow, handover_id)
    tubes = await views.handed_over(uow, handover_id)
    campus = next((c.name for c in await identity.campuses(uow) if c.id == found.campus_id), "")
    await uow.audit("handover.printed", "handover", handover_id, campus_id=found.campus_id)
    return found, tubes, campus


async def _asked(uow: UnitOfWork, order: PrintIn) -> list[_Asked]:
    if (order.unit is None) == (not order.papers):
        raise PapersNotNamed(
            errors=[FieldError(pointer, "one_of", "所选打印件与单位只给一项", "give one of papers and unit") for pointer in ("/papers", "/unit")]
        )  # fmt: skip
    if order.unit is None:
        return [_Asked(f"/papers/{at}", one) for at, one in enumerate(order.papers)]
    return [
        _Asked("/unit", PaperIn(exam_id=exam_id, kind=kind, copies=None), if_any=True)
        for exam_id in await _exams_of(uow, order.unit)
        for kind in dict.fromkeys(order.unit.kinds)
    ]


async def _exams_of(uow: UnitOfWork, unit: UnitPapersIn) -> Sequence[UUID]:
    await employers.campaign(uow, unit.campaign_id)
    found = await views.unit_exams(uow, unit.campaign_id, unit.day, unit.group_id)
    if not found:
        raise PaperNotOfExam(errors=[FieldError("/unit", "nothing", "没有已预约的成员", "nobody is booked")])
    return found


def _is_large(asked: Sequence[_Asked]) -> bool:
    copies = sum(one.paper.copies or 1 for one in asked)
    return copies > _MOST_IN_A_REQUEST or len({one.paper.exam_id for one in asked}) > _EXAMS_A_PART


def _parts(asked: Sequence[_Asked]) -> Iterator[list[_Asked]]:
    """Cut what was asked for into parts of some exams or papers each, in its order."""
    part: list[_Asked] = []
    held: set[UUID] = set()
    for one in asked:
        if (one.paper.exam_id not in held and len(held) == _EXAMS_A_PART) or len(part) == _MOST_IN_A_REQUEST * 2:
            yield part
            part, held = [], set()
        part.append(one)
        held.add(one.paper.exam_id)
    yield part


class _Log:
    """What is logged of a print while it is put together: its rows, and how many copies of each paper there are by now."""

    def __init__(self, printed: dict[tuple[UUID, str, str], int], last: dict[UUID, tuple[int, bytes]]) -> None:
        self.printed, self.last = printed, last
        self.rows: list[dict[str, Any]] = []
        self.copies = 0

    def add(self, exam: PaperExam, key: PaperKey, copies: int, code: str | None, stations: Any) -> list[PrintedPaper]:
        """Log copies of a paper; return them as they are to come out."""
        which = (exam.exam_id, key.kind, key.subject)
        before = self.printed.get(which, 0)
        self.printed[which] = before + copies
        version = made_of = None
        if key.kind == "guide_sheet":
            made_of = content_digest(walk(exam.lines, stations))
            version = sheet_version(made_of, self.last.get(exam.exam_id))
            self.last[exam.exam_id] = (version, made_of)
        self.rows.append(
            {
                "exam_id": exam.exam_id, "kind": key.kind, "subject": key.subject, "copies": copies, "first_copy": before + 1,
                "version": version, "digest": made_of,
            }
        )  # fmt: skip
        self.copies += copies
        return [
            PrintedPaper(exam.exam_id, key.kind, key.subject, before + n, before > 0, version, code)
            for n in range(1, copies + 1)
        ]


async def _logged(uow: UnitOfWork, log: _Log, asked: Sequence[_Asked]) -> PrintContent:
    """Log some of the papers asked for; return what they are made of."""
    found = await views.paper_exams(uow, list(dict.fromkeys(one.paper.exam_id for one in asked)))
    paper = read_paper()
    sheets: list[PrintedPaper] = []
    for one in asked:
        exam, code = found[one.paper.exam_id], one.paper.access_code
        if code is not None:
            await _refuse_other_code(uow, one)
        for key, copies in _chosen(exam, paper, one):
            if log.copies + copies > MOST_PAPERS:
                raise TooManyPapers(errors=[FieldError(one.pointer, "too-many", f"最多 {MOST_PAPERS} 份", f"at most {MOST_PAPERS} copies")])  # fmt: skip
            sheets += log.add(exam, key, copies, code, paper.stations)
    with_sheet = {sheet.exam_id for sheet in sheets if sheet.kind == "guide_sheet"}
    # Where the photograph is, if it is printed: that version of it, whatever is taken later.
    photos = await examinees.photo_files(uow, [found[exam_id].examinee_id for exam_id in with_sheet])
    shown = [
        replace(exam, photo=photos.get(exam.examinee_id)) if exam.exam_id in with_sheet else exam
        for exam in found.values()
    ]
    return PrintContent(shown, sheets)


async def prints(uow: UnitOfWork, exam_id: UUID) -> PrintsOut:
    """Return the prints of an exam, newest first. Raises ExamNotFound."""
    await exams.get(uow, exam_id)
    rows = await repository.prints_of(uow, exam_id)
    grouped = [list(held) for _, held in groupby(rows, lambda row: row[0].id)]
    return PrintsOut(
        items=[_print(held[0][0], [_row(i) for _, i in held], sum(i.copies for _, i in held)) for held in grouped]
    )


async def open_print(uow: UnitOfWork, print_id: UUID) -> OpenedPrint:
    """Return of what a print's file is made, or where the file is; it is audited. Raises PrintNotFound, PrintNotReady."""
    made = await repository.document_print(uow, print_id)
    if made is None:
        raise PrintNotFound
    form: PrintFormat = made.format  # type: ignore[assignment]  # the database holds nothing else
    if made.content is None:
        there = await repository.print_file(uow, print_id)
        if there is None:
            raise PrintNotReady
        await uow.audit("document.opened", "document_print", made.id, campus_id=made.campus_id, detail={"pages": there.pages})  # fmt: skip
        return OpenedPrint(form, made.printed_at, None, there.file)
    opened = _opened(uow, print_id, made.content)
    detail = {"copies": len(opened.papers), "photos": sum(exam.photo is not None for exam in opened.exams)}
    await uow.audit("document.opened", "document_print", made.id, campus_id=made.campus_id, detail=detail)
    return OpenedPrint(form, made.printed_at, opened)


async def to_make(uow: UnitOfWork, print_id: UUID) -> OpenedPrint | None:
    """Return a large print whose file is not there yet; None: there is nothing to make."""
    made = await repository.document_print(uow, print_id)
    if made is None or made.content is not None or await repository.print_file(uow, print_id) is not None:
        return None
    form: PrintFormat = made.format  # type: ignore[assignment]  # the database holds nothing else
    return OpenedPrint(form, made.printed_at, None, parts=await repository.parts(uow, print_id))


async def part_of(uow: UnitOfWork, print_id: UUID, n: int) -> PrintContent:
    """Return of what a part of a large print is made."""
    return _opened(uow, print_id, await repository.part(uow, print_id, n))


async def keep_file(uow: UnitOfWork, print_id: UUID, file: str, *, size: int, pages: int) -> None:
    """Say where the file of a large print is; whoever says so second changes nothing."""
    made = await repository.document_print(uow, print_id)
    assert made is not None
    row = DocumentPrintFile(
        print_id=print_id, campus_id=made.campus_id, file=file, size=size, pages=pages, made_at=uow.now
    )
    await repository.add_file(uow, row)


def _opened(uow: UnitOfWork, print_id: UUID, content: bytes) -> PrintContent:
    return _CONTENT.validate_json(uow.cipher.open_bytes(bytes(content), _place(print_id)))


@lru_cache(maxsize=1)
def read_paper() -> Paper:
    """Read how often papers are printed, what things are called on them, and the stations of the walk."""
    file = resources.files("tjapi.frontdesk") / "paper.toml"
    return Paper.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def _papers(exam: PaperExam, paper: Paper) -> list[tuple[PaperKey, int]]:
    return papers(
        exam, copies=paper.copies, form_copies=paper.form_copies, section_form_copies=paper.section_form_copies
    )


def _chosen(exam: PaperExam, paper: Paper, asked: _Asked) -> Iterator[tuple[PaperKey, int]]:
    """Yield the papers that are meant, with their copies. Raises PaperNotOfExam."""
    one, subject = asked.paper, ""
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
    if not known and asked.if_any:
        return
    if not known or not fits.get(one.kind, subject == ""):
        raise PaperNotOfExam(
            errors=[FieldError(asked.pointer, "not-found", "这次体检没有此打印件", "the exam has no such paper")]
        )
    for key, copies in known:
        wanted = one.copies or copies
        if subject or (len(known) == 1 and not asked.if_any):
            yield key, wanted or 1  # asked for by name: also what is not printed by default
        elif wanted:
            yield key, wanted


def _refuse_other_than_labels(form: PrintFormat, asked: Sequence[_Asked]) -> None:
    if form == "pdf":
        return
    wrong = dict.fromkeys(one.pointer for one in asked if one.paper.kind not in LABELS)
    if wrong:
        raise NotALabel(
            errors=[
                FieldError(f"{pointer}/kind", "not-a-label", "此打印件只能输出为 PDF", "this paper is made as PDF only")
                for pointer in wrong
            ]
        )


async def _refuse_other_code(uow: UnitOfWork, one: _Asked) -> None:
    row = await repository.access_code(uow, one.paper.exam_id)
    said = digest(uow, one.paper.exam_id, one.paper.access_code or "")
    if row is None or not is_open(uow, row) or not hmac.compare_digest(bytes(row.digest), said):
        raise AccessCodeNotCurrent(
            errors=[FieldError(f"{one.pointer}/access_code", "not-current", "查询码无效", "the code is not valid")]
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


def _row(item: DocumentPrintItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("exam_id", "kind", "subject", "copies", "first_copy", "version")}


def _print(made: DocumentPrint, rows: Sequence[Mapping[str, Any]], copies: int) -> PrintOut:
    return PrintOut.model_validate(
        {
            "id": made.id, "campus_id": made.campus_id, "format": made.format, "printed_at": made.printed_at,
            "printed_by": made.printed_by, "printed_by_name": made.printed_by_name, "url": f"{_PRINTS}/{made.id}/file", "copies": copies,
            "job_id": made.job_id,
            "papers": [
                PrintedPaperOut.model_validate({**row, "reprint": row["first_copy"] > 1}) for row in rows
            ],
        }
    )  # fmt: skip


def _place(print_id: UUID) -> str:
    return f"document_print|content|{print_id}"
