"""From an exam as it was to the data of the templates: every figure becomes the text that is printed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tjapi.exam.rules import age_text
from tjapi.frontdesk.rules import (
    DONE,
    HandedOverTube,
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
from tjapi.requisition.schemas import HandoverDetail

_SEX = {"male": "男", "female": "女", "unknown": "未知"}
_LABEL_GROUPS = 26
_LIST_GROUPS = 40
_LIST_STATES = {"open": "登记中", "handed_over": "已交出", "received": "已签收", "cancelled": "已作废"}
_OUTCOMES = {None: "", "received": "接收", "rejected": "拒收", "missing": "缺失", "elsewhere": "见其他交接单"}
_EXTRAS = {
    "received": "不在单上，已接收", "unknown": "条码不存在", "not_collected": "未登记采集，未接收", "rejected": "已拒收的试管，未接收",
    "cancelled": "已取消的试管，未接收", "sent_out": "已外送的试管，未接收",
}  # fmt: skip
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

    def handover_list(self, found: HandoverDetail, tubes: Sequence[HandedOverTube], campus: str) -> dict[str, Any]:
        """Return the data of a hand-over list."""
        counts, out = found.counts, found.outside_lab_id is not None
        told = [("清点", found.counted), ("接收", counts.received), ("拒收", counts.rejected), ("缺失", counts.missing), ("多出", counts.extra)]  # fmt: skip
        return {
            "hospital": {"name": self._hospital, "campus": campus}, "kind": "外送单" if out else "交接单", "list_no": found.list_no,
            "state": _LIST_STATES[found.state], "from_place": found.from_place, "to_place": found.to_place,
            "handed_over": _signed(found.handed_over_by_name, found.handed_over_at),
            "received": _signed(found.received_by_name, found.received_at),
            "total": "，".join(f"{name} {n}" for name, n in told if n) or f"在单 {counts.listed}", "carrier": found.carrier or "",
            "note": found.note or found.cancel_reason or "",
            "tubes": [
                {
                    "barcode": tube.barcode, "name": tube.name, "exam_no": tube.exam_no,
                    "specimen": self._paper.specimens.get(tube.specimen, tube.specimen),
                    "container": self._paper.containers.get(tube.container, tube.container),
                    "groups": abbreviated(tube.groups, _LIST_GROUPS) if tube.groups else "", "outcome": _OUTCOMES[tube.outcome],
                    "wrong": tube.outcome not in (None, "received"),
                }
                for tube in tubes
            ],
            "extras": [{"barcode": one.barcode, "what": _EXTRAS[one.kind]} for one in found.extras],
            "printed_at": self._printed_at, "watermark": self._watermark,
        }  # fmt: skip

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
            "person": {"name": exam.name, "sex": _SEX.get(exam.sex, ""), "age": age_text(exam.birth_date, exam.exam_date)},
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


def _signed(name: str | None, at: datetime | None) -> str:
    return f"{name}　{at.astimezone(HOSPITAL_ZONE):%Y-%m-%d %H:%M}" if name is not None and at is not None else ""


def _after(minutes: int) -> str:
    hours, rest = divmod(minutes, _HOUR)
    return f"餐后{hours}小时" if not rest else f"餐后{minutes}分钟"
