"""What is printed at the front desk: the walk of a guide sheet, who needs a form, copies and versions. Pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

DocumentKind = Literal["guide_sheet", "request_form", "tube_label", "exam_label"]
PrintFormat = Literal["pdf", "zpl", "tspl"]
BoardColumn = Literal["booked", "awaiting_payment", "checked_in", "blood_drawn", "examined"]
CheckMethod = Literal["id_card", "photo", "face_match"]
CheckOutcome = Literal["same", "doubtful", "different"]
CheckDecision = Literal["same", "different"]
CHECK_METHODS: tuple[CheckMethod, ...] = ("id_card", "photo", "face_match")
CHECK_OUTCOMES: tuple[CheckOutcome, ...] = ("same", "doubtful", "different")
CHECK_DECISIONS: tuple[CheckDecision, ...] = ("same", "different")
NEVER_CHECKED: frozenset[str] = frozenset({"cancelled"})
"""States of an exam of which nobody is held against anything any more. Who was somebody else may be found long after they went."""
STOPPED: frozenset[str] = frozenset({"prepared", "checked_in", "in_progress"})
"""States of an exam in which the person stands before somebody, and is stopped."""
DOCUMENT_KINDS = ("guide_sheet", "request_form", "tube_label", "exam_label")
PRINT_FORMATS = ("pdf", "zpl", "tspl")
LABELS: frozenset[str] = frozenset({"tube_label", "exam_label"})
"""What label printers print: also as ZPL and TSPL."""
NOT_TODAY: frozenset[str] = frozenset({"withdrawn", "refused", "waived", "deferred", "substituted"})
"""Lines that are on no paper of the day."""
DONE: frozenset[str] = frozenset({"collected", "resulted", "verified"})
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line of an exam, with what its paper says about it."""

    line_id: UUID
    code: str
    name: str
    department_id: int
    department_code: str
    department: str
    department_kind: str
    department_sort: int
    place: str | None
    performed_by: str
    specimen: str | None
    section: str | None
    fasting: bool
    minutes_after: int | None
    precaution: str | None
    state: str


@dataclass(frozen=True, slots=True)
class PaperTube:
    """A tube, and the lines that are measured from it."""

    tube_id: UUID
    barcode: str
    container: str
    specimen: str
    section: str | None
    fasting: bool
    minutes_after: int | None
    send_out: bool
    groups: list[str]
    line_ids: list[UUID]


@dataclass(frozen=True, slots=True)
class PaperExam:
    """An exam as its papers show it, at one moment. `photo` is the address of the examinee's photograph."""

    exam_id: UUID
    campus_id: int
    campus: str
    exam_no: str
    exam_date: date
    package: str | None
    examinee_id: UUID
    name: str
    sex: str
    birth_date: date
    state: str
    lines: list[PaperLine]
    tubes: list[PaperTube]
    photo: str | None = None


@dataclass(frozen=True, slots=True)
class HandedOverTube:
    """A tube as a hand-over list shows it."""

    barcode: str
    container: str
    specimen: str
    outcome: str | None
    name: str
    exam_no: str
    groups: list[str]


@dataclass(frozen=True, slots=True)
class Station:
    """Where specimens of some kinds are taken; `department` (a code) where that is a department's own room."""

    name: str
    sort: int
    specimens: tuple[str, ...]
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A place of the walk. `specimens`: something is taken there, so that one signature stands for all of its lines."""

    name: str
    place: str
    lines: tuple[PaperLine, ...]
    specimens: bool
    fasting: bool
    minutes_after: int


@dataclass(frozen=True, slots=True)
class PaperKey:
    """One paper of an exam. `subject` is "" or tells those of a kind apart: a tube's id; a department's, with a section or without."""

    kind: DocumentKind
    subject: str = ""


@dataclass(frozen=True, slots=True)
class PrintedPaper:
    """One copy that is to come out of the printer. `reprint`: an earlier print held this paper. `version` is the guide sheet's."""

    exam_id: UUID
    kind: DocumentKind
    subject: str
    copy: int
    reprint: bool
    version: int | None = None
    access_code: str | None = None


@dataclass(frozen=True, slots=True)
class PrintContent:
    """All of which a file is made: the exams as they were, the papers in order."""

    exams: list[PaperExam]
    papers: list[PrintedPaper]


def today(lines: Iterable[PaperLine]) -> list[PaperLine]:
    """Return the lines that are carried out on the day."""
    return [line for line in lines if line.state not in NOT_TODAY]


def walk(lines: Iterable[PaperLine], stations: Sequence[Station]) -> list[Stop]:
    """Return the stops in the order in which they are walked: fasting first, then by place, what is bound to a time last."""
    station_of = {specimen: station for station in stations for specimen in station.specimens}
    stops: dict[tuple[int, int, str], list[PaperLine]] = {}
    taken: set[tuple[int, int, str]] = set()
    for line in today(lines):
        station = station_of.get(line.specimen or "") if line.performed_by == "lis" else None
        after = line.minutes_after or 0
        if station is None:
            key = (after, line.department_sort, line.department)
        else:
            key = (after, station.sort, station.name)
            if station.department is None:
                taken.add(key)
        stops.setdefault(key, []).append(line)
    found = []
    for key, held in sorted(stops.items(), key=lambda stop: stop[0]):
        after, _, name = key
        place = next((line.place for line in held if line.place and (key in taken or line.department == name)), "")
        fasting = not after and any(line.fasting for line in held)
        found.append(Stop(name, place, tuple(held), key in taken, fasting, after))
    return sorted(found, key=lambda stop: (stop.minutes_after, not stop.fasting))


def content_digest(stops: Iterable[Stop]) -> bytes:
    """Return what tells two guide sheets apart: where, what, with which precautions; not what is done already."""
    said = [
        [stop.name, stop.place, stop.minutes_after, [[line.code, line.name, line.precaution] for line in stop.lines]]
        for stop in stops
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).digest()


def sheet_version(digest: bytes, last: tuple[int, bytes] | None) -> int:
    """Return the version of a guide sheet: that of the last one printed while its content holds, else the next."""
    if last is None:
        return 1
    return last[0] if last[1] == digest else last[0] + 1


def papers(
    exam: PaperExam,
    *,
    copies: Mapping[str, int],
    form_copies: Mapping[str, int],
    section_form_copies: Mapping[str, int],
) -> list[tuple[PaperKey, int]]:
    """Return every paper of an exam with its default copies, in the order of printing; 0: not unless asked for."""
    found = [(PaperKey("guide_sheet"), copies["guide_sheet"])]
    for line in today(exam.lines):
        own = line.section if line.section in section_form_copies else None
        wanted = section_form_copies[own] if own else form_copies.get(line.department_kind)
        paper = (PaperKey("request_form", form_subject(line.department_id, own)), wanted or 0)
        if wanted is not None and paper not in found:
            found.append(paper)
    found += [(PaperKey("tube_label", str(tube.tube_id)), copies["tube_label"]) for tube in exam.tubes]
    return [*found, (PaperKey("exam_label"), copies["exam_label"])]


def form_subject(department_id: int, section: str | None) -> str:
    """Return what tells a request form from the others of an exam."""
    return f"{department_id}:{section}" if section else str(department_id)


def form_lines(exam: PaperExam, subject: str, own_forms: Iterable[str]) -> list[PaperLine]:
    """Return the lines of a request form: of its department, without those whose section has a form of its own."""
    own = frozenset(own_forms)
    return [
        line
        for line in today(exam.lines)
        if form_subject(line.department_id, line.section if line.section in own else None) == subject
    ]


def abbreviated(names: Sequence[str], most: int) -> str:
    """Join names for a label: without what stands in brackets, and as many as `most` characters hold, then 等N项."""
    short = [_ASIDE.sub("", name) or name for name in names]
    whole = "、".join(short)
    if len(whole) <= most or len(short) == 1:
        return whole
    kept = len(short) - 1
    while kept > 1 and len("、".join(short[:kept])) > most - 4:
        kept -= 1
    return f"{'、'.join(short[:kept])} 等{len(short)}项"


def verdict(outcome: str, decision: str | None) -> str:
    """Return what an identity check says in the end: what the second person decided, or else what was seen."""
    return decision or outcome


def found_another(checks: Iterable[tuple[str, str | None]]) -> bool:
    """Say whether the person was found to be somebody else, and not found to be themselves since; checks are outcome and decision, newest first.

    A doubt says neither.
    """
    said = (verdict(outcome, decision) for outcome, decision in checks)
    return next((one for one in said if one in ("same", "different")), None) == "different"


def score_fault(
    method: CheckMethod, score: int | None, device: str | None
) -> Literal["missing", "not_expected"] | None:
    """Say what is wrong with a score: a device that compares faces gives one and names itself, people and card readers give none."""
    given = score is not None and device is not None
    if method == "face_match":
        return None if given else "missing"
    return None if score is None and device is None else "not_expected"
