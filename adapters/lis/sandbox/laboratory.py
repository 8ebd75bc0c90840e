"""What the laboratory knows: tubes it was asked to work on, what it measured, and how it writes that down as ORU^R01."""

import json
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from adapters.lis.sandbox.dictionary import Dictionary, Measurement, Test, flag_of, measure
from adapters.lis.sandbox.faults import Faults
from adapters.wire import hl7v2

_HOSPITAL = ZoneInfo("Asia/Shanghai")
_MSH_18 = {"UTF-8": "UNICODE UTF-8", "GB18030": "GB 18030-2000"}
_UNKNOWN_TEST = Test(code="ZZ999", name="未知项目", unit="U", range="0~1", low=0, high=1)


class OrderRefused(ValueError):  # noqa: N818 - it becomes an AE, in these words
    """The laboratory cannot do what is asked; nothing of the message was kept."""


@dataclass(slots=True)
class Line:
    """One ordered group on a tube."""

    code: str
    name: str
    cancelled: bool = False
    reported: bool = False


@dataclass(slots=True)
class Tube:
    """A tube as ordered; identity is kept in HL7's own spelling and sent back unchanged."""

    barcode: str
    specimen: str
    container: str
    placer_no: str
    exam_no: str
    examinee_no: str
    name: str
    sex: str
    birth: str
    collected: str
    lines: dict[str, Line] = field(default_factory=dict)
    """By our placer number of the group."""
    values: dict[str, str] = field(default_factory=dict)
    """Last reported value by test code."""
    revision: int = 0

    def open_lines(self) -> dict[str, Line]:
        """Return what is still to be reported."""
        return {number: line for number, line in self.lines.items() if not line.cancelled and not line.reported}


_TUBE = TypeAdapter(Tube)
_SENDING = TypeAdapter(dict[str, dict[str, str]])
_Numbers = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NextValue:
    """A value to be measured next, once, wherever it matches."""

    code: str
    value: str
    barcode: str | None = None
    group: str | None = None
    flag: str | None = None
    status: str = "F"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent: `changed` is another body under the same control id, when that fault is on."""

    control_id: str
    kind: str
    barcode: str
    payload: bytes
    changed: bytes | None = None


class Laboratory:
    """Orders in, reports out. It knows no socket and waits for nothing; with a journal it remembers across restarts."""

    def __init__(self, dictionary: Dictionary, journal: Path | None = None) -> None:
        """`journal` is a file of JSON lines, read back at once."""
        self.dictionary = dictionary
        self.faults = Faults()
        self.tubes: dict[str, Tube] = {}
        self.next_values: list[NextValue] = []
        self.unanswered: dict[str, dict[str, str]] = {}
        """What a restart found sent and not answered, by delivery number."""
        self._seen: set[str] = set()
        self._journal = journal
        if journal and journal.exists():
            for text in journal.read_text(encoding="utf-8").splitlines():
                self._replay(json.loads(text))

    # --- orders in ---

    def order(self, raw: bytes) -> tuple[bytes, list[str]]:
        """Take OML^O21; return the acknowledgement and the barcodes that now have work to be done."""
        try:
            message = hl7v2.decode(raw)
        except hl7v2.UndecodableMessage as error:
            return hl7v2.nack(raw, "AE", str(error), _now(), _control_id()), []
        try:
            barcodes = self._apply(message)
        except OrderRefused as refusal:
            return hl7v2.ack(message, "AE", str(refusal), _now(), _control_id()), []
        return hl7v2.ack(message, "AA", "", _now(), _control_id()), barcodes

    def _apply(self, message: hl7v2.Message) -> list[str]:
        if message.message_type() != "OML^O21":
            raise OrderRefused(f"{message.message_type()} is not taken here")
        key = message.message_id()
        if not key:
            raise OrderRefused("MSH-10 is empty")
        if key in self._seen:
            return []
        pid = message.first("PID")
        if pid is None:
            raise OrderRefused("PID is missing")
        asked = [_Asked(pid, orc, obr, spm) for orc, obr, spm in _order_groups(message)]
        if not asked:
            raise OrderRefused("no ORC, OBR and SPM")
        for each in asked:  # all or nothing
            self._check(each)
        touched = {each.barcode: self._keep(each) for each in asked}
        self._seen.add(key)
        self.note("seen", key)
        for tube in touched.values():
            self.note("tube", asdict(tube))
        return [barcode for barcode, tube in touched.items() if tube.open_lines()]

    def _check(self, asked: "_Asked") -> None:
        tube = self.tubes.get(asked.barcode)
        known = tube.lines.get(asked.line_no) if tube else None
        if not asked.barcode or not asked.line_no:
            raise OrderRefused("ORC-2 or SPM-2 is empty")
        if asked.control == "NW" and asked.code not in self.dictionary.groups:
            raise OrderRefused(f"unknown group {asked.code}")
        if asked.control == "NW" and tube and tube.examinee_no != asked.examinee_no:
            raise OrderRefused(f"barcode {asked.barcode} belongs to another patient")
        if asked.control == "CA" and known is None:
            raise OrderRefused(f"nothing to cancel under {asked.line_no}")
        if asked.control == "CA" and known and known.reported:
            raise OrderRefused(f"{asked.line_no} is already reported")
        if asked.control not in {"NW", "CA"}:
            raise OrderRefused(f"ORC-1 {asked.control} is not taken here")

    def _keep(self, asked: "_Asked") -> Tube:
        tube = self.tubes.setdefault(asked.barcode, asked.tube())
        if asked.control == "CA":
            tube.lines[asked.line_no].cancelled = True
        else:
            tube.lines.setdefault(asked.line_no, Line(asked.code, asked.name))
        return tube

    # --- reports out ---

    def receive(self, barcode: str) -> Outgoing | None:
        """Work on a tube: measure every open group and report them in one message; None when nothing is open."""
        tube = self.tubes[barcode]
        lines = tube.open_lines()
        if not lines:
            return None
        measured = {number: self._measure(tube, line) for number, line in lines.items()}
        for line in lines.values():
            line.reported = True
        return self._report(tube, "result", measured)

    def refuse(self, barcode: str, reason: str, text: str) -> Outgoing | None:
        """Send a tube back unmeasured: SPM-21 says why, of every open group; None when nothing is open."""
        tube = self.tubes[barcode]
        lines = tube.open_lines()
        if not lines:
            return None
        for line in lines.values():
            line.reported = True
        return self._report(tube, "refusal", {number: [] for number in lines}, (reason, text, "HL70490"))

    def revise(self, barcode: str, code: str, value: str | None, *, flag: str | None, status: str) -> Outgoing:
        """Report one test again: C with a corrected value, W or D to withdraw it. Raises `KeyError` for what is unknown."""
        tube = self.tubes[barcode]
        number = next(
            number
            for number, line in tube.lines.items()
            if any(test.code == code for test in self.dictionary.groups.get(line.code, []))
        )
        test = self.dictionary.test(code)
        if test is None or code not in tube.values:
            raise KeyError(code)
        told = value if value is not None else tube.values[code]
        said = flag if flag is not None else flag_of(test, told)
        tube.values[code] = told
        return self._report(tube, "revision", {number: [(test, Measurement(told, said, status))]})

    def again(self, barcode: str) -> Outgoing:
        """Measure a reported tube anew: a whole correction with other values."""
        tube = self.tubes[barcode]
        tube.revision += 1
        lines = {number: line for number, line in tube.lines.items() if line.reported}
        measured = {
            number: [
                (test, Measurement(found.value, found.flag, "C"))
                for test, found in ((test, measure(test, barcode, tube.revision)) for test in self._tests(line))
            ]
            for number, line in lines.items()
        }
        return self._report(tube, "revision", measured)

    def garbage(self) -> Outgoing:
        """Make a frame that is text in no charset."""
        control = _control_id()
        payload = f"MSH|^~\\&|LIS|LAB|TJAPI||{_time()}||ORU^R01|{control}|P|2.5.1\rPID|1||".encode() + b"\xff\xfe\xff\r"
        return Outgoing(control, "garbage", "", payload)

    def _tests(self, line: Line) -> list[Test]:
        return self.dictionary.groups.get(line.code, [])

    def _measure(self, tube: Tube, line: Line) -> list[tuple[Test, Measurement]]:
        measured = [
            (test, self._next_value(tube, line, test) or measure(test, tube.barcode)) for test in self._tests(line)
        ]
        tube.values |= {test.code: found.value for test, found in measured}
        return measured

    def _next_value(self, tube: Tube, line: Line, test: Test) -> Measurement | None:
        for wanted in self.next_values:
            here = wanted.barcode in {None, tube.barcode} and wanted.group in {None, line.code}
            if here and wanted.code == test.code:
                self.next_values.remove(wanted)
                flag = wanted.flag if wanted.flag is not None else flag_of(test, wanted.value)
                return Measurement(wanted.value, flag, wanted.status)
        return None

    def _report(
        self,
        tube: Tube,
        kind: str,
        measured: dict[str, list[tuple[Test, Measurement]]],
        refused: tuple[str, ...] | None = None,
    ) -> Outgoing:
        if self.faults.take("unknown_code"):
            first = next(iter(measured))
            measured[first] = [*measured[first], (_UNKNOWN_TEST, measure(_UNKNOWN_TEST, tube.barcode))]
        patient: _Numbers = [(tube.examinee_no, "", "", "TJ", "PI"), (tube.exam_no, "", "", "TJ", "VN")]
        identity = (patient, tube.name, tube.birth, tube.sex)
        if self.faults.take("wrong_patient"):
            other: _Numbers = [("E99999999", "", "", "TJ", "PI"), ("X99999999", "", "", "TJ", "VN")]
            identity = (other, "张冠", "19010101", tube.sex)
        control = _control_id()
        payload = self._oru(tube, identity, control, measured, refused)
        changed = None
        if self.faults.take("changed_content_same_id"):
            others = {number: [(test, _altered(found)) for test, found in tests] for number, tests in measured.items()}
            changed = self._oru(tube, identity, control, others)
        self.note("tube", asdict(tube))
        return Outgoing(control, kind, tube.barcode, payload, changed)

    def _oru(
        self,
        tube: Tube,
        identity: tuple[_Numbers, str, str, str],
        control: str,
        measured: dict[str, list[tuple[Test, Measurement]]],
        refused: tuple[str, ...] | None = None,
    ) -> bytes:
        numbers, name, birth, sex = identity
        charset, now = self.faults.charset, _time()
        header: list[hl7v2.Field] = ["MSH", "LIS", "LAB", "TJAPI", "", now, "", ("ORU", "R01", "ORU_R01"), control]
        header += ["P", "2.5.1", "", "", "", "", "CHN", _MSH_18[charset]]
        segments: list[list[hl7v2.Field]] = [
            header,
            ["PID", "1", "", [*numbers], "", (name,), "", birth, sex],
            ["PV1", "1", "O", *[""] * 16, numbers[1][0]],
        ]
        for sequence, (line_no, tests) in enumerate(measured.items(), 1):
            line = tube.lines[line_no]
            filler = f"L{tube.barcode}-{list(tube.lines).index(line_no) + 1}"
            specimen: list[hl7v2.Field] = [
                "SPM",
                "1",
                (tube.barcode,),
                "",
                (tube.specimen,),
                *[""] * 12,
                tube.collected,
            ]
            if refused:
                specimen += ["", "", "", refused]
            status = "X" if refused else "C" if any(found.status in {"C", "W", "D"} for _, found in tests) else "F"
            obr: list[hl7v2.Field] = ["OBR", str(sequence), line_no, filler, (line.code, line.name, "L"), "", ""]
            obr += [
                tube.collected,
                *[""] * 14,
                now,
                "",
                "LAB",
                status,
                *[""] * 6,
                (("1", "沙盒审核"),),
                "",
                (("2", "沙盒检验"),),
            ]
            segments += [
                ["ORC", "RE", line_no, filler, tube.placer_no],
                obr,
                *(_obx(number, test, found, now) for number, (test, found) in enumerate(tests, 1)),
                specimen,
            ]
        return hl7v2.build(segments, charset=charset)

    # --- memory ---

    def note(self, kind: str, content: object) -> None:
        """Add a line to the journal, if there is one."""
        if self._journal:
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps({kind: content}, ensure_ascii=False) + "\n")

    def _replay(self, entry: dict[str, object]) -> None:
        if "seen" in entry:
            self._seen.add(str(entry["seen"]))
        elif "sending" in entry:
            self.unanswered |= _SENDING.validate_python(entry["sending"])
        elif "settled" in entry:
            self.unanswered.pop(str(entry["settled"]), None)
        else:
            tube = _TUBE.validate_python(entry["tube"])
            self.tubes[tube.barcode] = tube


class _Asked:
    """One ORC/OBR/SPM of an order."""

    def __init__(self, pid: hl7v2.Segment, orc: hl7v2.Segment, obr: hl7v2.Segment, spm: hl7v2.Segment) -> None:
        self._pid, self._orc, self._obr, self._spm = pid, orc, obr, spm
        self.control = orc.value(1)
        self.line_no = orc.value(2) or obr.value(2)
        self.barcode = spm.value(2)
        self.code = obr.value(4)
        self.name = obr.value(4, component=2)
        self.examinee_no = pid.value(3)

    def tube(self) -> Tube:
        pid, spm = self._pid, self._spm
        return Tube(
            barcode=self.barcode,
            specimen=spm.value(4),
            container=spm.value(27),
            placer_no=self._orc.value(4),
            exam_no=pid.value(3, repetition=2),
            examinee_no=self.examinee_no,
            name=pid.value(5),
            sex=pid.value(8),
            birth=pid.value(7),
            collected=spm.value(17) or self._obr.value(7),
        )


def _order_groups(message: hl7v2.Message) -> list[tuple[hl7v2.Segment, hl7v2.Segment, hl7v2.Segment]]:
    groups = []
    orc = obr = None
    for segment in message.segments:
        if segment.name == "ORC":
            orc, obr = segment, None
        elif segment.name == "OBR":
            obr = segment
        elif segment.name == "SPM" and orc and obr:
            groups.append((orc, obr, segment))
    return groups


def _obx(number: int, test: Test, found: Measurement, now: str) -> list[hl7v2.Field]:
    kind = "NM" if test.kind == "numeric" and found.value.replace(".", "", 1).isdigit() else "ST"
    segment: list[hl7v2.Field] = ["OBX", str(number), kind, (test.code, test.name, "L"), "", found.value, test.unit]
    return [*segment, test.range, found.flag, "", "", found.status, "", "", now]


def _altered(found: Measurement) -> Measurement:
    value = f"{found.value}0" if "." in found.value else f"{found.value}1"
    return Measurement(value, found.flag, found.status)


def _control_id() -> str:
    return f"LAB{uuid.uuid4().hex[:16].upper()}"


def _now() -> datetime:
    return datetime.now(_HOSPITAL)


def _time() -> str:
    return _now().strftime("%Y%m%d%H%M%S%z")
