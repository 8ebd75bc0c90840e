"""From an exam as it was to the data of the templates: every figure becomes the text that is printed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tjapi.exam.rules import age_text
from tjapi.frontdesk.rules import (
    DONE,
    PaperExam,
    PaperLine,
    PaperTube,
    PrintContent,
    PrintedPaper,
    Stop,
    abbreviated,
    form_lines,
    walk,
)
from tjapi.frontdesk.schemas import Paper
from tjapi.kernel.clock import HOSPITAL_ZONE

_SEX = {"male": "男", "female": "女", "unknown": "未知"}
_LABEL_GROUPS = 26
_HOUR = 60
_NOTICES = {
    "fasting": "带“空腹”的项目请先做，做完再用餐、喝水。",
    "full_bladder": "需憋尿的项目请先做，做完再留尿。",
}


class Press:
    """What is the same on every paper of a print."""

    def __init__(self, paper: Paper, *, hospital_name: str, watermark: str | None, printed_at: datetime) -> None:
        self._paper = paper
        self._hospital = hospital_name
        self._watermark = watermark
        self._printed_at = printed_at.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d %H:%M")

    def sheets(self, content: PrintContent) -> Iterator[tuple[str, dict[str, Any], PaperExam]]:
        """Yield template and data of each paper, with the exam that it is of."""
        exams = {exam.exam_id: exam for exam in content.exams}
        for paper in content.papers:
            exam = exams[paper.exam_id]
            make = {
                "guide_sheet": self._guide_sheet, "request_form": self._request_form, "tube_label": self._tube_label,
                "exam_label": self._exam_label,
            }[paper.kind]  # fmt: skip
            yield paper.kind, make(exam, paper), exam

    def _guide_sheet(self, exam: PaperExam, paper: PrintedPaper) -> dict[str, Any]:
        stops = walk(exam.lines, self._paper.stations)
        said = {line.precaution or "" for stop in stops for line in stop.lines}
        notices = []
        if any(stop.fasting for stop in stops):
            notices.append(_NOTICES["fasting"])
        if any("憋尿" in precaution for precaution in said):
            notices.append(_NOTICES["full_bladder"])
        return {
            **self._common(exam, paper), "photo": exam.photo is not None, "version": paper.version, "notices": notices,
            "query": {"code": paper.access_code, "scan": f"{exam.exam_no}|{paper.access_code}"} if paper.access_code else None,
            "stops": [self._stop(stop, exam) for stop in stops], "return_to": "体检中心前台",
        }  # fmt: skip

    def _stop(self, stop: Stop, exam: PaperExam) -> dict[str, Any]:
        tags = ["空腹"] if stop.fasting else []
        if stop.minutes_after:
            tags.append(_after(stop.minutes_after))
        tubes = [tube for tube in exam.tubes if {line.line_id for line in stop.lines} & set(tube.line_ids)]
        return {
            "name": stop.name, "place": stop.place, "tags": tags, "specimens": stop.specimens,
            "tubes": self._tubes(tubes) if stop.specimens else [], "lines": [_line(line) for line in stop.lines],
        }  # fmt: skip

    def _tubes(self, tubes: list[PaperTube]) -> list[str]:
        """Say how many containers of which kind: 紫盖 EDTA管 ×1."""
        names = [self._container(tube) for tube in tubes]
        return [f"{name} ×{names.count(name)}" for name in dict.fromkeys(names)]

    def _request_form(self, exam: PaperExam, paper: PrintedPaper) -> dict[str, Any]:
        lines = form_lines(exam, paper.subject, self._paper.section_form_copies)
        section = paper.subject.partition(":")[2]
        department = lines[0].department if lines else ""
        title = f"{department}·{self._section(section)}" if section else department
        kind = "检验" if any(line.performed_by == "lis" for line in lines) else "检查"
        mine = {line.line_id for line in lines}
        return {
            **self._common(exam, paper), "department": title, "place": lines[0].place or "" if lines else "", "kind": kind,
            "lines": [{**_line(line), "code": line.code, "tags": _tags(line)} for line in lines],
            "tubes": [
                {
                    "barcode": tube.barcode, "specimen": self._specimen(tube), "container": self._container(tube),
                    "groups": "、".join(tube.groups), "tags": self._tube_tags(tube),
                }
                for tube in exam.tubes
                if mine & set(tube.line_ids)
            ],
        }  # fmt: skip

    def _tube_label(self, exam: PaperExam, paper: PrintedPaper) -> dict[str, Any]:
        tube = next(tube for tube in exam.tubes if str(tube.tube_id) == paper.subject)
        specimen, section = self._specimen(tube), self._section(tube.section)
        return {
            **self._common(exam, paper), "barcode": tube.barcode, "specimen": specimen, "container": self._container(tube),
            "section": section if section != specimen else "", "tags": self._tube_tags(tube),
            "groups": abbreviated(tube.groups, _LABEL_GROUPS),
        }  # fmt: skip

    def _exam_label(self, exam: PaperExam, paper: PrintedPaper) -> dict[str, Any]:
        return self._common(exam, paper)

    def _common(self, exam: PaperExam, paper: PrintedPaper) -> dict[str, Any]:
        return {
            "hospital": {"name": self._hospital, "campus": exam.campus},
            "exam": {
                "exam_no": exam.exam_no, "date": exam.exam_date.isoformat(), "day": f"{exam.exam_date:%m-%d}",
                "package": exam.package or "",
            },
            "person": {"name": exam.name, "sex": _SEX.get(exam.sex, ""), "age": age_text(exam.age_years, exam.age_days)},
            "copy": {"number": paper.copy, "reprint": paper.reprint}, "printed_at": self._printed_at, "watermark": self._watermark,
        }  # fmt: skip

    def _container(self, tube: PaperTube) -> str:
        return self._paper.containers.get(tube.container, tube.container)

    def _specimen(self, tube: PaperTube) -> str:
        return self._paper.specimens.get(tube.specimen, tube.specimen)

    def _section(self, section: str | None) -> str:
        return self._paper.sections.get(section or "", section or "")

    @staticmethod
    def _tube_tags(tube: PaperTube) -> list[str]:
        return [
            *(["空腹"] if tube.fasting else []), *([_after(tube.minutes_after)] if tube.minutes_after else []),
            *(["外送"] if tube.send_out else []),
        ]  # fmt: skip


def _line(line: PaperLine) -> dict[str, Any]:
    notes = [line.precaution] if line.precaution else []
    if line.state == "ordered":
        notes.insert(0, "待交费")
    return {"name": line.name, "note": "；".join(notes), "done": line.state in DONE}


def _tags(line: PaperLine) -> list[str]:
    return ["空腹"] if line.fasting else []


def _after(minutes: int) -> str:
    hours, rest = divmod(minutes, _HOUR)
    return f"餐后{hours}小时" if not rest else f"餐后{minutes}分钟"
