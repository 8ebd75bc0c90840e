"""Any LIS that takes OML^O21 and sends ORU^R01 (HL7 v2.5.1) over MLLP: configuration, client, mapping.

Where things are, both ways:
- PID-3 repetitions: examinee number with type `PI`, exam number with type `VN` (PV1-19 is read when there is no `VN`).
- ORC-2 = OBR-2 = our placer number of one ordered group (`LabGroup.line_no`); ORC-4 = the requisition (`placer_no`).
- SPM-21 of a report = why the specimen is refused (HL7 table 0490, and the words of laboratories that write text).
- SPM-24 of a report = the condition of the specimen (HL7 table 0493), which is a remark beside its values.
- SPM-4 of a report = its specimen, or OBR-15; SPM-11 = whether it is a patient's at all.
- SPM-2.1 = the tube's barcode. A LIS without SPM puts it in OBR-3; one that has neither, in OBR-2.
"""

import asyncio
import contextlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, TypeAdapter

from adapters.breaker import Breaker
from adapters.errors import OutcomeUnknown, Rejected, Unavailable
from adapters.lis.contract import (
    BeyondLimits,
    LabGroup,
    LabObservation,
    LabOrder,
    LabOrderReceipt,
    LabRefusal,
    LabReport,
    LabResult,
    LabTube,
    Refusal,
    Sex,
    UnparsableReport,
)
from adapters.wire import bounds, hl7v2, mllp
from adapters.wire.unseen import sieved

CHARSETS = hl7v2.CHARSETS
_HOSPITAL = ZoneInfo("Asia/Shanghai")
_HL7_SEX: dict[Sex, str] = {"male": "M", "female": "F", "unknown": "U"}
# PID-8 as it is written: HL7 table 0001, GB/T 2261.1, and words; in one width and case. What is not here is named, never "not said".
_SEX: dict[str, Sex] = {
    "M": "male", "1": "male", "男": "male", "男性": "male", "MALE": "male", "MAN": "male", "F": "female", "2": "female", "女": "female",
    "女性": "female", "FEMALE": "female", "WOMAN": "female", "U": "unknown", "O": "unknown", "A": "unknown", "N": "unknown", "0": "unknown",
    "9": "unknown", "未知": "unknown", "不详": "unknown", "未说明": "unknown", "未知的性别": "unknown", "未说明的性别": "unknown",
    "UNKNOWN": "unknown", "UNSPECIFIED": "unknown", "OTHER": "unknown", "AMBIGUOUS": "unknown",
}  # fmt: skip
# HL7 v2.5.1, table 0490. What is not here (a missing date or phlebotomist, improper storage) is another reason, in their words.
_REFUSALS: dict[str, Refusal] = {
    "EX": "expired", "QS": "insufficient", "RA": "unlabeled", "RB": "broken", "RC": "clotted", "RE": "unlabeled", "RH": "haemolysed",
    "RI": "mislabeled", "RM": "mislabeled", "RN": "contaminated", "RS": "mislabeled",
}  # fmt: skip
_REFUSAL_WORDS: dict[str, Refusal] = {
    "溶血": "haemolysed", "凝": "clotted", "脂血": "lipaemic", "乳糜": "lipaemic", "量不足": "insufficient", "量少": "insufficient",
    "容器": "wrong_container", "试管错误": "wrong_container", "无标签": "unlabeled", "污染": "contaminated", "破": "broken", "漏": "broken",
}  # fmt: skip
# HL7 v2.5.1, table 0493, in the words that are shown beside the values; "": nothing that anybody need know.
_CONDITIONS = {
    "AUT": "标本自溶", "CLOT": "标本凝固", "CON": "标本污染", "HEM": "标本溶血", "SNR": "标本未收到", "COOL": "", "FROZ": "", "LIVE": "", "ROOM": "",
}  # fmt: skip
_FINE = frozenset(
    {
        "合格",
        "良好",
        "正常",
        "符合要求",
        "可",
        "无",
        "无异常",
        "NORMAL",
        "GOOD",
        "OK",
        "ACCEPTABLE",
        "ADEQUATE",
        "SATISFACTORY",
        "NONE",
    }
)
_CONDITION_WORDS = re.compile(
    r"溶血|脂血|乳糜|黄疸|凝|污染|不合格|不足|错|不符|ha?emoly|lipa?emi|icter|clot|contaminat|mislabel|insufficient",
    re.IGNORECASE,
)
_UNDERSTOOD = frozenset(
    {"MSH", "SFT", "UAC", "PID", "PD1", "NK1", "PV1", "PV2", "ORC", "OBR", "NTE", "OBX", "SPM", "TQ1", "TQ2", "CTD", "CTI", "FT1", "PRT", "ROL", "EVN"}
)  # fmt: skip
"""Segments that are read, or that hold nothing of a result; any other one may."""
_REMARK_TYPES = frozenset({"PI", "AI", "GI", "SI", "1R", "2R", "RE", "DR", "L", "P", "O"})
"""NTE-4 (HL7 table 0364) and NTE-2: what kind of note it is, which says nothing by itself."""
_MSH_18 = {"UTF-8": "UNICODE UTF-8", "GB18030": "GB 18030-2000"}
# Words for HL7 tables 0085 and 0123, in capitals.
_STATUS_WORDS = {
    "FINAL": "F", "FINALRESULT": "F", "最终": "F", "最终结果": "F", "最终报告": "F", "CORRECTED": "C", "CORRECTION": "C", "更正": "C", "修正": "C",
    "PRELIMINARY": "P", "初步": "P", "初步结果": "P", "初步报告": "P", "DELETED": "D", "WRONG": "W",
}  # fmt: skip
# CX-5 of an identity number: HL7 table 0203, and what interfaces in China write for it.
_ID_KINDS = {
    "NI",
    "NN",
    "NNCHN",
    "NNCN",
    "SFZ",
    "SFZH",
    "IDCARD",
    "ID CARD",
    "IDNO",
    "SS",
    "身份证",
    "身份证号",
    "居民身份证",
}
_DOCUMENTS = {"ED", "RP"}
_TEXTS = {"TX", "FT"}
_NAMED_IF_EMPTY = {"PID", "OBR", "OBX", "SPM"}
_RESIDENT_LENGTHS = {15, 18}
_NULL = '""'
_NULLS = re.compile(r'(?:""[\^~&\s]*)+')
# SPM-11, HL7 table 0369, and words: a blind sample, a calibrator, a control, a proficiency test, a replicate: no person's own result.
_NO_PATIENT = {"B", "C", "E", "F", "O", "Q", "R", "V", "QC"}
_NO_PATIENT_WORDS = re.compile(
    r"质控|定标|校准|校正|标准品|空白|盲样|室间质评|\bQC\b|QUALITY CONTROL|CALIBRAT|CONTROL MATERIAL|^CONTROL$|BLIND|PROFICIENCY"
)
_PATIENT = {"P", "G", "PATIENT", "GROUP", "患者", "病人", "受检者", "常规", "普通"}
_POOL = {"L", "POOL", "混合", "混检"}
_MAX_NAME, _MAX_TEXT, _MAX_NOTE, _MAX_NOTES, _MAX_LEFT_OUT = 400, 65_536, 10_000, 200, 100
# Of one item: each is a measurement of its own that a person may have to look at; a text comes in as many lines as it has.
MOST_OF_ONE, MOST_LINES_OF_ONE = 50, 1_000
_FIRST_YEAR, _LAST_YEAR = 1800, 2199  # beyond, it is nobody's day
_ZONE = r"\s*(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?"
_CLOCK = r"(?:[ T]*(?P<hour>\d{1,2})[:时](?P<minute>\d{1,2})(?:[:分](?:(?P<second>\d{1,2})(?:\.\d{1,9})?秒?)?)?)?"
_MOMENTS = (
    re.compile(
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
        r"(?:[ T]?(?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:\.\d{1,9})?)?)?)?" + _ZONE,
        re.ASCII,
    ),
    re.compile(r"(?P<year>\d{4})(?P<s>[-/.])(?P<month>\d{1,2})(?P=s)(?P<day>\d{1,2})" + _CLOCK + _ZONE, re.ASCII),
    re.compile(r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日" + _CLOCK + _ZONE, re.ASCII),
)
_ACCEPTED = ("AA", "CA")  # CA: a peer in enhanced mode has it safe, which is all we ask


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one LIS connection; times in seconds."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    host: str
    port: int
    charset: Literal["UTF-8", "GB18030"] = "UTF-8"
    sending_application: str = "TJAPI"
    sending_facility: str = ""
    receiving_application: str = "LIS"
    receiving_facility: str = ""
    connect_timeout: float = 3.0
    ack_timeout: float = 10.0
    breaker_failures: int = 5
    breaker_seconds: float = 10.0


def client(config: Mapping[str, object]) -> "Hl7MllpLis":
    """Make a client from settings as text or numbers; raises `ValueError` for one that is unknown or wrong."""
    return Hl7MllpLis(TypeAdapter(Config).validate_python(dict(config)))


# --- the connection ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Socket:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoder: mllp.MllpDecoder = field(default_factory=mllp.MllpDecoder)


class Hl7MllpLis:
    """One socket, one message in flight, opened when needed and kept. See `adapters.lis.contract.LisClient`."""

    def __init__(self, config: Config, *, now: Callable[[], datetime] = lambda: datetime.now(_HOSPITAL)) -> None:
        """`now` gives aware datetimes in the hospital's zone."""
        self._config = config
        self._now = now
        self._breaker = Breaker(failures=config.breaker_failures, seconds=config.breaker_seconds)
        self._turn = asyncio.Lock()
        self._socket: _Socket | None = None

    async def send_order(self, order: LabOrder, *, message_id: str) -> LabOrderReceipt:
        """Send OML^O21 with ORC-1 NW."""
        return await self._exchange(order_message(order, "NW", message_id, self._now(), self._config), message_id)

    async def cancel_order(self, order: LabOrder, *, message_id: str) -> LabOrderReceipt:
        """Send OML^O21 with ORC-1 CA."""
        return await self._exchange(order_message(order, "CA", message_id, self._now(), self._config), message_id)

    async def close(self) -> None:
        """Close the socket; the next message opens a new one."""
        socket, self._socket = self._socket, None
        if socket:
            socket.writer.close()
            with contextlib.suppress(OSError):
                await socket.writer.wait_closed()

    async def _exchange(self, message: bytes, message_id: str) -> LabOrderReceipt:
        async with self._turn:
            self._breaker.check()
            try:
                answer = await self._ask(message, message_id)
            except (Unavailable, OutcomeUnknown):
                self._breaker.failed()
                raise
        self._breaker.succeeded()
        return self._receipt(answer, message_id)

    async def _ask(self, message: bytes, message_id: str) -> hl7v2.Message:
        socket = await self._connected()
        try:
            async with asyncio.timeout(self._config.ack_timeout):
                socket.writer.write(mllp.frame(message))
                await socket.writer.drain()
                return await self._answer_to(message_id, socket)
        except (OSError, EOFError, mllp.FrameTooLarge) as error:  # TimeoutError is an OSError
            # bytes have left: whatever comes on this socket now may answer the message before
            await self.close()
            raise OutcomeUnknown(message_id, type(error).__name__) from error
        except BaseException:  # a cancelled caller leaves an answer on its way
            socket.writer.close()
            self._socket = None
            raise

    async def _connected(self) -> _Socket:
        if self._socket and not self._socket.reader.at_eof():
            return self._socket
        await self.close()
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                reader, writer = await asyncio.open_connection(self._config.host, self._config.port)
        except OSError as error:
            raise Unavailable(f"{self._config.host}:{self._config.port}: {type(error).__name__}") from error
        self._socket = _Socket(reader, writer)
        return self._socket

    async def _answer_to(self, message_id: str, socket: _Socket) -> hl7v2.Message:
        """Read until an answer names our message; answers to anything else are late ones and mean nothing now."""
        while True:
            data = await socket.reader.read(65_536)
            if not data:
                raise EOFError
            for frame in socket.decoder.feed(data):
                try:
                    answer = hl7v2.decode(frame)
                except hl7v2.UndecodableMessage:
                    continue
                msa = answer.first("MSA")
                if msa and msa.text(2).strip() == message_id:
                    return answer

    def _receipt(self, answer: hl7v2.Message, message_id: str) -> LabOrderReceipt:
        msa, err = answer.first("MSA"), answer.first("ERR")
        code = msa.value(1) if msa else ""
        text = (msa.text(3) if msa else "") or (err.text(8) if err else "")
        if code not in _ACCEPTED:
            raise Rejected(code, text)
        return LabOrderReceipt(message_id=message_id, acknowledged_at=self._now(), text=text)


# --- orders out ----------------------------------------------------------------------------------------------------


def order_message(order: LabOrder, control: str, message_id: str, now: datetime, config: Config) -> bytes:
    """Map an order to OML^O21; `control` is ORC-1 (NW new, CA cancel)."""
    patient = order.patient
    header: list[hl7v2.Field] = ["MSH", config.sending_application, config.sending_facility]
    header += [config.receiving_application, config.receiving_facility, _timestamp(now), "", ("OML", "O21", "OML_O21")]
    header += [message_id, "P", "2.5.1", "", "", "AL", "NE", "CHN", _MSH_18[config.charset]]
    numbers: hl7v2.Field = [(patient.examinee_no, "", "", "TJ", "PI"), (order.exam_no, "", "", "TJ", "VN")]
    birth = patient.birth_date.strftime("%Y%m%d")
    visit: list[hl7v2.Field] = ["PV1", "1", "O", ("", "", "", order.campus_code), *[""] * 15, order.exam_no]
    segments: list[list[hl7v2.Field]] = [
        header,
        ["PID", "1", "", numbers, "", (patient.name,), "", birth, _HL7_SEX[patient.sex]],
        visit,
    ]
    sequence = 0
    for tube in order.tubes:
        for group in tube.groups:
            sequence += 1
            segments += _ordered_group(order, tube, group, control, sequence)
    return hl7v2.build(segments, charset=config.charset)


def _ordered_group(
    order: LabOrder, tube: LabTube, group: LabGroup, control: str, sequence: int
) -> list[list[hl7v2.Field]]:
    collected = _timestamp(tube.collected_at) if tube.collected_at else ""
    ordered = _timestamp(order.ordered_at)
    return [
        ["ORC", control, group.line_no, "", order.placer_no, "", "", "", "", ordered],
        ["OBR", str(sequence), group.line_no, "", (group.code, group.name, "L"), "", ordered, collected],
        # SPM-2 barcode, SPM-4 specimen, SPM-17 collected, SPM-27 container
        ["SPM", "1", (tube.barcode,), "", (tube.specimen,), *[""] * 12, collected, *[""] * 9, (tube.container,)],
    ]


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(_HOSPITAL).strftime("%Y%m%d%H%M%S%z")


# --- reports in ----------------------------------------------------------------------------------------------------


def split(raw: bytes) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Part a batch into its messages, and name what is wrong around them. A single message comes back as it is."""
    batch = hl7v2.split(raw)
    return batch.messages, batch.faults


def parse(raw: bytes, charset: str | None = None) -> LabReport:
    """Read ORU^R01. Raises `UnparsableReport`, and nothing else, whatever the bytes.

    What cannot be taken up is named in `left_out`, or refuses the whole: a date never costs a value, a value is never dropped unnamed.
    """
    batch = hl7v2.split(raw)
    if batch.faults or len(batch.messages) != 1:
        raise UnparsableReport("; ".join(batch.faults) or f"a batch of {len(batch.messages)} messages")
    try:
        message = hl7v2.decode(batch.messages[0], charset)
        bounds.check(message)
    except hl7v2.CharsetDoubtful as error:
        raise UnparsableReport(str(error), "charset-doubtful") from error
    except hl7v2.UndecodableMessage as error:
        raise UnparsableReport(str(error)) from error
    except bounds.TooMuch as excess:
        raise BeyondLimits(excess.what) from None
    return _Reading(message).report()


@dataclass(slots=True)
class _Group:
    obr: hl7v2.Segment
    place: str
    orc: hl7v2.Segment | None
    shared_spms: list[hl7v2.Segment]
    spm_place: str = "SPM"
    spms: list[hl7v2.Segment] = field(default_factory=list)
    observations: list[LabObservation] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class _Reading:
    """One message as it is read: a single walk over its segments."""

    def __init__(self, message: hl7v2.Message) -> None:
        """Nothing is read before `report`."""
        self._message = message
        self._left_out: list[str] = []
        self._of_all: list[str] = []
        """Notes behind the person, the visit, or a specimen before all orders: they speak of every order."""
        self._before_obr: list[str] = []
        """Notes behind an ORC, which speak of the order that follows."""
        self._notes = self._of_all
        """Where a note belongs that comes now."""
        self._found: list[_Group] = []
        self._orc: hl7v2.Segment | None = None
        self._shared_spms: list[hl7v2.Segment] = []
        self._shared_place = "SPM"
        self._roles: Counter[str] = Counter()
        self._observed: list[list[str]] = []
        self._counted: Counter[tuple[str, bool]] = Counter()

    def report(self) -> LabReport:
        message, header = self._message, self._message.header
        if (_line(header.value(9)).upper(), _line(header.value(9, 2)).upper()) not in (("ORU", "R01"), ("ORU", "")):
            raise UnparsableReport("MSH-9 is not ORU^R01")
        if why := message.not_production():
            raise UnparsableReport(why, "not-production")
        message_id = _short(_line(message.message_id()), "MSH-10")
        if not message_id:
            raise UnparsableReport("MSH-10 is empty")
        if message.stray_lines:
            raise UnparsableReport(f"{len(message.stray_lines)} lines are no segments: a text was broken by a line end")
        pid = self._patient()
        sent_at = self._moment(header, 7, "MSH")
        pv1 = message.first("PV1")
        numbers = _numbers(pid)
        names = _names(pid)
        results = tuple(result for group in self._groups() for result in self._results(group))
        return LabReport(
            message_id=message_id,
            sent_at=sent_at,
            sending_system=_short(_line(header.value(3)), "MSH-3"),
            exam_no=_number_of(numbers, "VN") or (_number(pv1, 19) if pv1 else None),
            patient_name=names[0] if names else "",
            patient_sex=self._sex(pid),
            patient_birth_date=self._birth(pid),
            patient_id=_number_of(numbers, "PI", "MR", "PT", ""),
            results=results,
            other_names=tuple(names[1:]),
            id_numbers=_id_numbers(numbers, pid),
            masked_id_numbers=_masked_id_numbers(numbers, pid),
            numbers=_all_numbers(numbers, pid, pv1),
            left_out=tuple(self._left_out[:_MAX_LEFT_OUT]),
        )

    def _patient(self) -> hl7v2.Segment:
        """One report, one person: guessing whose values follow is how they land on somebody else. A blank line is nobody."""
        patients = self._message.all("PID")
        told = [patient for patient in patients if not patient.blank()] or patients[:1]
        if len(told) != 1:
            raise UnparsableReport(f"{len(told)} PID segments, expected exactly 1")
        return told[0]

    def _groups(self) -> list[_Group]:
        """Gather ORC, OBR, OBX, NTE and SPM into order groups. An SPM before the first ORC/OBR speaks for all that follow."""
        seen: Counter[str] = Counter()
        for segment in self._message.segments:
            seen[segment.name] += 1
            place = f"{segment.name}[{seen[segment.name]}]"
            if segment.name in _NAMED_IF_EMPTY and segment.blank():
                self._leave(f"{place}: {'no code, no value' if segment.name == 'OBX' else 'empty'}")
                self._notes = self._found[-1].remarks if self._found else self._of_all
            else:
                self._take(segment, place)
        if not self._found:
            raise UnparsableReport("no OBR")
        self._refuse_others()
        if self._before_obr:
            self._leave("ORC: a note on an order that does not follow")
        for group in self._found:
            group.remarks[:0] = self._of_all
        return self._found

    def _take(self, segment: hl7v2.Segment, place: str) -> None:
        """Put a segment where it belongs: to the order before it, to the one that follows, or to all."""
        match segment.name:
            case "ORC":
                self._orc = segment
                self._notes = self._before_obr
            case "OBR":
                said = [*self._before_obr, *_sentences(segment, _BESIDE_OBR)]
                if self._orc is not None:
                    said += _sentences(self._orc, _BESIDE_ORC)
                self._found.append(
                    _Group(segment, place, self._orc, self._shared_spms, self._shared_place, remarks=said)
                )
                self._before_obr.clear()
                self._orc = None
                self._notes = self._found[-1].remarks
            case "SPM":
                self._notes = self._specimen(segment, place)
                self._notes += self._conditions(segment, place)
            case "OBX" if self._found:
                self._observe(self._found[-1], segment, place)
            case "OBX":
                raise UnparsableReport("OBX before any OBR")
            case "NTE":
                self._note(segment, place)
            case "PID" | "PV1":
                self._notes = self._of_all
            case _:
                self._not_read(segment, place)

    def _refuse_others(self) -> None:
        """Refuse by name what is measured of no patient's specimen, or of several people's in one."""
        if self._roles["pool"]:
            raise UnparsableReport("SPM-11 names a specimen of several people")
        if self._roles["none"] and self._roles["patient"]:
            raise UnparsableReport("SPM-11 names a control or a calibrator beside a patient's specimen")
        if self._roles["none"]:
            raise UnparsableReport("SPM names a control or a calibrator", "not-production")

    def _role(self, spm: hl7v2.Segment, place: str) -> str:
        """Return whose a specimen is ("patient", "none", "pool"), by SPM-11, or by its type where that names a control."""
        said = [word.upper() for n in range(1, max(1, _count(spm, 11)) + 1) for word in _words(spm.parts(11, n))]
        if any(word in _NO_PATIENT for word in said) or any(
            _NO_PATIENT_WORDS.search(word) for word in (*said, *(w.upper() for w in _words(spm.parts(4))))
        ):
            return "none"
        if any(word in _POOL for word in said):
            return "pool"
        if said and not any(word in _PATIENT for word in said):
            self._leave(f"{place}-11: a role that is not understood")
        return "patient"

    def _specimen(self, spm: hl7v2.Segment, place: str) -> list[str]:
        """Keep a specimen of the order before it, or of all orders; return where what is said of it belongs."""
        self._roles[self._role(spm, place)] += 1
        if not self._found:
            self._shared_spms.append(spm)
            self._shared_place = place
            return self._of_all
        group = self._found[-1]
        group.spms.append(spm)
        group.spm_place = place
        return group.remarks

    def _not_read(self, segment: hl7v2.Segment, place: str) -> None:
        """Name what nobody understands and is not empty; refuse what is only a piece of something: nobody knows what it says as a whole."""
        said = any(_content(segment.text(number)) for number in range(1, len(segment) + 1))
        if segment.name in _UNDERSTOOD or not said:
            return
        if segment.name in {"ADD", "DSC"}:
            raise UnparsableReport(f"{place}: a message or segment in pieces")
        self._leave(f"{place}: a segment that is not understood")

    def _conditions(self, spm: hl7v2.Segment, place: str) -> list[str]:
        """SPM-24: in what condition a specimen came, as remarks on what was measured of it."""
        found: list[str] = []
        for n in range(1, _count(spm, 24) + 1):
            parts = [_content(part) for part in spm.parts(24, n)] + [None] * 9
            code, *words = [part for i in _SPOKEN if (part := parts[i]) is not None] or [""]
            said = "，".join(dict.fromkeys(words or [code]))[:_MAX_NAME]
            known = _CONDITIONS.get(code.upper())
            if known is not None:
                found += [f"{known}({said})" if said != code else known] if known else []
            elif said and said.upper() not in _FINE:
                found.append(f"标本状态:{said}")
                if not _CONDITION_WORDS.search(said):
                    self._leave(f"{place}-24: a condition that is not understood")
        return found

    def _note(self, nte: hl7v2.Segment, place: str) -> None:
        text = _text("\n".join(nte.texts(3))) or _beside_note(nte)
        if not text:
            return
        if len(text) > _MAX_NOTE or len(self._notes) >= _MAX_NOTES:
            self._leave(f"{place}: a note too long, or one too many")
        else:
            self._notes.append(text)

    def _observe(self, group: _Group, obx: hl7v2.Segment, place: str) -> None:
        """Read one OBX; what belongs to it (its notes) follows, so it is completed when the group is."""
        remarks = _sentences(obx, _BESIDE_OBX)
        codes = _codes(obx, place)
        kind = _line(obx.value(2)).upper()
        value, words = ("", ()) if kind in _DOCUMENTS else _raw_value(obx, kind, remarks)
        flags, flag_words = _flags(obx, place)
        left_out = True
        if not codes and not obx.field(5).strip():
            self._leave(f"{place}: no code, no value")
        elif kind in _DOCUMENTS:
            self._leave(f"{place}-5: an embedded document ({kind}) is not read")
        elif len(value) > _MAX_TEXT:
            self._leave(f"{place}-5: longer than {_MAX_TEXT} characters")
        else:
            left_out = False
        if left_out and not flags:
            self._notes = group.remarks
            return
        if left_out:
            # What it says is lost; that the laboratory calls it critical is not.
            value, words = "", ()
            remarks.clear()
        elif not codes:
            self._leave(f"{place}-3: a value without a code")
        if not left_out:
            self._count(codes, place, is_text=kind in _TEXTS)
        group.observations.append(
            LabObservation(
                code=codes[0] if codes else "",
                name=_short(_line(obx.value(3, component=2)), f"{place}-3", _MAX_NAME),
                sub_id=_short(_line(obx.text(4)), f"{place}-4"),
                value_type=kind,
                raw_value=value,
                unit=_short(_unit(obx), f"{place}-6"),
                range_text=_short(
                    _line(obx.text(7)), f"{place}-7", _MAX_NAME
                ),  # whole: "3.5~9.5" is a range, not two repetitions
                abnormal_flags=flags,
                status=_status(obx, 11),
                observed_at=self._moment(obx, 14, place),
                other_codes=tuple(codes[1:]),
                other_words=words,
                flag_words=flag_words,
                left_out=left_out,
                deletes=kind not in _DOCUMENTS and _NULLS.fullmatch(obx.text(5).strip()) is not None,
                methods=_methods(obx),
                examined_by=_named(obx.parts(16)),
            )
        )
        # The dataclass is frozen: its notes are gathered beside it and put in when the group is closed.
        self._observed.append(remarks)
        self._notes = group.remarks if left_out else remarks

    def _count(self, codes: Sequence[str], place: str, *, is_text: bool) -> None:
        """Count what is said under each code, whichever of them leads to an item: beyond any sense, the message is nobody's report."""
        most = MOST_LINES_OF_ONE if is_text else MOST_OF_ONE
        for code in codes:
            self._counted[(code, is_text)] += 1
            if self._counted[(code, is_text)] > most:
                raise BeyondLimits(f"{place}: more than {most} observations of one item")

    def _results(self, group: _Group) -> Iterator[LabResult]:
        """Return the report on a group, and one without values for each further specimen that is named under it: what is said of none is lost."""
        spms: list[hl7v2.Segment | None] = [*group.spms] or [*group.shared_spms] or [None]
        *others, last = spms
        told = self._result(group, last)
        same = [spm for spm in others if spm is not None and _tube_of(spm) in (None, _tube_of(last))]
        refusals = [told.refused, *(_refusal(spm) for spm in same)]
        told = replace(
            told, refused=next((refused for refused in refusals if refused is not None), None), specimens=_specimens(group.obr, *same, last)
        )  # fmt: skip
        yield told
        for spm in others:
            if spm is not None and (tube := _tube_of(spm)) is not None and tube != told.barcode:
                yield replace(
                    told, barcode=tube, placer_no=None, filler_no=None, observations=(), refused=_refusal(spm), remarks=(), status="",
                    control="", order_status="", specimens=_specimens(group.obr, spm),
                )  # fmt: skip

    def _result(self, group: _Group, spm: hl7v2.Segment | None) -> LabResult:
        obr, orc = group.obr, group.orc
        placer = _number(obr, 2) or (_number(orc, 2) if orc else None)
        filler = _number(obr, 3) or (_number(orc, 3) if orc else None)
        on_tube = _tube_of(spm)
        specimen_at = self._moment(spm, 17, group.spm_place) if spm else None
        drawn_at = self._moment(obr, 7, group.place)
        codes = _codes(obr, group.place, 4)
        notes = self._observed[: len(group.observations)]
        del self._observed[: len(group.observations)]
        return LabResult(
            barcode=on_tube or _number(obr, 3) or _number(obr, 2),
            placer_no=placer,
            filler_no=filler,
            group_code=codes[0] if codes else "",
            group_name=_short(_line(obr.value(4, component=2)), f"{group.place}-4", _MAX_NAME),
            specimen_at=specimen_at or drawn_at,
            reported_at=self._moment(obr, 22, group.place),
            status=_status(obr, 25),
            observations=tuple(
                replace(seen, remarks=tuple(said)) if said else seen
                for seen, said in zip(group.observations, notes, strict=True)
            ),
            refused=_refusal(spm) if spm else None,
            control=_status(orc, 1) if orc is not None else "",
            order_status=_status(orc, 5) if orc is not None else "",
            remarks=tuple(group.remarks),
            examined_by=_named(obr.parts(34)),
            verified_by=_named(obr.parts(32)),
        )

    def _sex(self, pid: hl7v2.Segment) -> Sex:
        """PID-8 by its code, else by its words; what says something else is named: nobody compares it, so a person has to."""
        said = [content for component in (1, 2) if (content := _content(pid.value(8, component)))]
        for one in said:
            if (sex := _SEX.get(unicodedata.normalize("NFKC", one).replace(" ", "").upper())) is not None:
                return sex
        if said:
            self._leave("PID-8: a sex that is not understood")
        return "unknown"

    def _birth(self, pid: hl7v2.Segment) -> date | None:
        """PID-7 as the hospital's day: a moment with an offset may be the day before elsewhere."""
        moment = self._moment(pid, 7, "PID", "whole day")
        return moment.astimezone(_HOSPITAL).date() if moment else None

    def _moment(self, segment: hl7v2.Segment, number: int, place: str, what: str = "moment") -> datetime | None:
        text = _content(segment.value(number))
        moment = None if text is None else moment_of(text)
        if text is not None and moment is None:
            self._leave(f"{place}-{number}: not a {what}")
        return moment

    def _leave(self, what: str) -> None:
        if what not in self._left_out[-1:]:
            self._left_out.append(what)


def _tube_of(spm: hl7v2.Segment | None) -> str | None:
    """SPM-2 is EIP: the placer's identifier, else the filler's."""
    return (_number(spm, 2) or _number(spm, 2, 2)) if spm else None


def _beside_note(nte: hl7v2.Segment) -> str:
    """Return what a note says elsewhere than in its text (NTE-4, NTE-2), where that is empty and it is no mere kind of note."""
    for number in (4, 2):
        parts = [
            part for n in range(1, _count(nte, number) + 1) for part in map(_content, nte.parts(number, n)[:2]) if part
        ]
        if parts and parts[0].upper() not in _REMARK_TYPES:
            return "\n".join(dict.fromkeys(parts))
    return ""


# Fields for codes and figures into which laboratories write what their form has no other place for: a sentence there is a note.
_BESIDE_OBX = (9, 10, 12, 13)
"""Probability, nature of the abnormality, date of the range, access checks."""
_BESIDE_OBR = (39,)
"""The collector's comment. OBR-12 is none: what it says of the person (HBsAg阳性) warns whoever handles the tube."""
_BESIDE_ORC = (16, 25)
"""Why the order's state changed, and what else there is to it."""
_SENTENCE = re.compile(r"[\u3400-\u9fff]{2}|[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}")


def _sentences(segment: hl7v2.Segment, numbers: Sequence[int]) -> list[str]:
    """Return what fields for codes say in words, as remarks; a code alone says nothing that is read here."""
    said = ("，".join(_words(segment.parts(k, n))) for k in numbers for n in range(1, _count(segment, k) + 1))
    return [words for words in said if _SENTENCE.search(words)][:_MAX_NOTES]


def _words(parts: list[str]) -> tuple[str, ...]:
    """Return the words of a coded element: its codes and texts, each once."""
    said = [_content(part) for part in parts[:9]] + [None] * 9
    return tuple(dict.fromkeys(word[:_MAX_NAME] for i in _SPOKEN if (word := said[i]) is not None))


def _specimens(obr: hl7v2.Segment, *spms: hl7v2.Segment | None) -> tuple[tuple[str, ...], ...]:
    """Return what OBR-15, whose first component is a code with its text, and each SPM-4 call the specimen."""
    source = _words([obr.value(15, 1, n) for n in range(1, 6)])
    source += tuple(word for word in (_content(obr.value(15, 2)),) if word is not None and word not in source)
    named = [_words(spm.parts(4, n)) for spm in spms if spm is not None for n in range(1, _count(spm, 4) + 1)]
    return tuple(dict.fromkeys(words for words in (source, *named) if words))


def _refusal(spm: hl7v2.Segment) -> LabRefusal | None:
    """SPM-21 is coded, but a text is written into it by those who have no code; the alternate ones where there is nothing else."""
    code = _content(spm.value(21)) or _content(spm.value(21, component=4))
    text = next((said for part in (2, 5, 9) if (said := _content(spm.value(21, component=part)))), "")
    if code is None and not text:
        return None
    words = text or code or ""
    told: Refusal = next((why for word, why in _REFUSAL_WORDS.items() if word in words), "other")
    return LabRefusal(_REFUSALS.get((code or "").upper(), told), words[:_MAX_NAME])


def _codes(segment: hl7v2.Segment, place: str, number: int = 3) -> list[str]:
    """The identifiers of a coded field, the first first: of each repetition the primary, then the alternate one (OBX-3.4)."""
    count = _count(segment, number)
    codes = (
        _short(_line(segment.value(number, component, repetition=n)), f"{place}-{number}")
        for component in (1, 4)
        for n in range(1, count + 1)
    )
    found = list(dict.fromkeys(code for code in codes if code and code != _NULL))
    # Who has no code at all writes the name, and may have it mapped like one.
    name = "" if found else _short(_line(segment.value(number, 2)), f"{place}-{number}", _MAX_NAME)
    return found or ([name] if name and name != _NULL else [])


_SPOKEN = (0, 3, 1, 4, 8)
"""Of a coded element: code, alternate code, text, alternate text, original text. The others name coding systems."""


def _flags(obx: hl7v2.Segment, place: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """OBX-8, which is coded: of each repetition what is said first, code before text; and what stands beside it."""
    flags, beside = [], []
    for n in range(1, _count(obx, 8) + 1):
        parts = [_line(part) for part in obx.parts(8, n)] + [""] * 9
        said = [parts[i] for i in _SPOKEN if parts[i] not in ("", _NULL)]
        flags += [_short(flag, f"{place}-8") for flag in said[:1]]
        beside += [text[:_MAX_NAME] for text in said[1:]]
    return tuple(flags), tuple(word for word in dict.fromkeys(beside) if word not in flags)


def _status(segment: hl7v2.Segment, number: int) -> str:
    """OBX-11, OBR-25, ORC-1 and ORC-5 however they are written: `f`, ` F `, `Final`, 最终. What is none of them stays as it is, and is named by the filing."""
    said = _content(segment.value(number)) or _content(segment.value(number, 2)) or ""
    plain = unicodedata.normalize("NFKC", said).replace(" ", "").upper()
    return _short(_STATUS_WORDS.get(plain, plain), f"{segment.name}-{number}")


def _raw_value(obx: hl7v2.Segment, kind: str, remarks: list[str]) -> tuple[str, tuple[str, ...]]:
    """Read OBX-5 by its type; and what else it says of itself, if it is coded."""
    return _coded(obx, remarks) if kind in {"CE", "CWE", "CNE", "CF"} else (_plain_value(obx, kind), ())


def _plain_value(obx: hl7v2.Segment, kind: str) -> str:
    """Read what is not coded. Plain types are kept whole, since vendors do not escape "0~2" or "10^9"."""
    if kind == "SN":  # structured numeric: comparator, number, separator, number
        count = _count(obx, 5)
        return ";".join(text for n in range(1, count + 1) if (text := _structured(obx.parts(5, n))))
    if kind in _TEXTS:  # repetitions are lines
        return _content_text("\n".join(obx.texts(5)))
    text = _content_text(obx.text(5))
    if kind in {"DT", "TM", "TS", "DTM"}:
        return _dated(kind, text)
    # Nobody's number ends in a component separator: a sender that fills up its components writes "5.1^^".
    return text.rstrip("^ ") if kind == "NM" else text


def _coded(obx: hl7v2.Segment, remarks: list[str]) -> tuple[str, tuple[str, ...]]:
    """The text, else the code, else the alternate and the original text; of every repetition. Other words for it are kept as remarks.

    And whatever else it says, its codes too, for whoever knows whether it means the same.
    """
    values: list[str] = []
    others: list[str] = []
    for n in range(1, _count(obx, 5) + 1):
        parts = [_content_text(part) for part in obx.parts(5, n)] + [""] * 9
        spoken = (parts[1], parts[0], parts[4], parts[8], parts[3])
        value = next((text for text in spoken if text), "")
        values.append(value)
        figures = (i for i in (2, 5, *range(9, len(parts))) if _FIGURE.fullmatch(parts[i].strip()))
        others += [parts[i] for i in (*_SPOKEN, *figures) if parts[i] and len(parts[i]) <= _MAX_NOTE]
        remarks += [
            text
            for text in dict.fromkeys((parts[4], parts[8]))
            if text and text not in values and len(text) <= _MAX_NOTE
        ]
    words = tuple(word for word in dict.fromkeys(others) if word not in values and word != _NULL)
    return ";".join(value for value in values if value), words


_FIGURE = re.compile(r"[<>]?=?[-+]?\d{1,12}[.,]\d{1,12}")
"""A number where no version and no code stands; of a coding system's place it is a value."""
_COMPARED, _PARTED = frozenset({"", "<", ">", "<=", ">=", "=", "<>"}), frozenset({"", "-", "+", "/", ".", ":"})


def _structured(parts: list[str]) -> str:
    """A comparator, a number, a separator, a number; whatever else stands there is kept apart, so that two numbers never become one."""
    said = [_line(part) for part in parts]
    compared, number, between, other = ([*said, "", "", "", ""])[:4]
    if any(said[4:]) or compared not in _COMPARED or between not in _PARTED or (other and (not between or not number)):
        return "^".join(said).rstrip("^")
    return "".join(said[1:] if compared == "=" and any(said[1:]) else said)


def _dated(kind: str, text: str) -> str:
    """A day or a time as people write it: 20261129 is no number of anything."""
    if kind == "TM":
        found = re.fullmatch(r"(\d\d)(\d\d)(?:(\d\d)(?:\.\d+)?)?", text, re.ASCII)
        return ":".join(part for part in found.groups() if part) if found else text
    moment = moment_of(text)
    if moment is None:
        return text
    if "hour" not in (_said_of(text) or {}):
        return f"{moment:%Y-%m-%d}"  # a day is that day, whatever offset is written beside it
    here = moment.astimezone(_HOSPITAL)
    return f"{here:%Y-%m-%d}" if kind == "DT" else f"{here:%Y-%m-%d %H:%M:%S}"


def _unit(obx: hl7v2.Segment) -> str:
    """OBX-6 is coded, but "10^9/L" is written into it unescaped everywhere."""
    whole = _line(obx.text(6))
    if re.match(r"[x×*·]?\s*10\^-?\d", whole):
        return whole
    return _line(obx.value(6)) or _line(obx.value(6, component=2))


def _numbers(pid: hl7v2.Segment) -> list[tuple[str, str]]:
    """PID-3: every number with its kind (CX-5)."""
    count = _count(pid, 3)
    return [
        (number, _line(pid.value(3, 5, repetition=n)).upper())
        for n in range(1, count + 1)
        if (number := _number(pid, 3, repetition=n))
    ]


def _number_of(numbers: list[tuple[str, str]], *kinds: str) -> str | None:
    """The number of the first kind that is present."""
    return next((number for kind in kinds for number, is_of in numbers if is_of == kind), None)


def _id_numbers(numbers: list[tuple[str, str]], pid: hl7v2.Segment) -> tuple[str, ...]:
    """Whole identity numbers: what is called one, and what is one by its check digit, whatever it is called."""
    found = []
    for plain, kind in _perhaps_of_documents(numbers, pid):
        named = kind in _ID_KINDS and re.fullmatch(r"[0-9A-Z()/-]{6,30}", plain)
        if named or _is_resident_number(plain):
            found.append(plain)
    return tuple(dict.fromkeys(found))


def _masked_id_numbers(numbers: list[tuple[str, str]], pid: hl7v2.Segment) -> tuple[str, ...]:
    """Identity numbers with stars for what is not shown: what is called one, and what is as long as one."""
    found = []
    for plain, kind in _perhaps_of_documents(numbers, pid):
        shown = re.sub(r"[*•●·]", "*", plain)
        if (
            "*" in shown
            and (kind in _ID_KINDS or len(shown) in _RESIDENT_LENGTHS)
            and re.fullmatch(r"[0-9A-Z*]{4,30}", shown)
        ):
            found.append(shown)
    return tuple(dict.fromkeys(found))


def _perhaps_of_documents(numbers: list[tuple[str, str]], pid: hl7v2.Segment) -> list[tuple[str, str]]:
    """Every number of a person in one spelling, with its kind; PID-19 is an identity number by its place."""
    elsewhere = [(number, "") for place in (2, 4) if (number := _number(pid, place))]
    social = [(number, "NI") for number in (_number(pid, 19),) if number]
    return [
        (unicodedata.normalize("NFKC", number).replace(" ", "").upper(), kind)
        for number, kind in [*numbers, *elsewhere, *social]
    ]


def _all_numbers(numbers: list[tuple[str, str]], pid: hl7v2.Segment, pv1: hl7v2.Segment | None) -> tuple[str, ...]:
    """Every number that is said of the person or the visit, each once."""
    elsewhere = [_number(pid, place) for place in (2, 4, 18, 19)]
    visit = _number(pv1, 19) if pv1 else None
    return tuple(dict.fromkeys([*(number for number, _ in numbers), *(n for n in (*elsewhere, visit) if n)]))


def _is_resident_number(text: str) -> bool:
    """GB 11643-1999: seventeen digits and a check character by ISO 7064 MOD 11-2."""
    if not re.fullmatch(r"\d{17}[\dX]", text, re.ASCII):
        return False
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17]


def _names(pid: hl7v2.Segment) -> list[str]:
    """PID-5 and the alias of PID-9: every repetition, and each of two scripts in one (张三^ZHANG SAN) by itself."""
    found: list[str] = []
    turned: list[str] = []
    for number in (5, 9):
        for n in range(1, _count(pid, number) + 1):
            parts = [part for component in (1, 2, 3) if (part := _content(pid.value(number, component, repetition=n)))]
            latin = [part for part in parts if part.isascii()]
            chinese = [part for part in parts if not part.isascii()]
            found += ["".join(chinese), " ".join(latin), "".join(parts) if chinese and latin else ""]
            if len(latin) > 1 and not chinese:
                # XPN says which is the family name, and so does a comma: Smith^John is John Smith as well.
                turned.append(f"{latin[0]}, {' '.join(latin[1:])}")
    return [_short(name, "PID-5", _MAX_NAME) for name in dict.fromkeys([*found, *turned]) if name]


def _number(segment: hl7v2.Segment, field_number: int, component: int = 1, *, repetition: int = 1) -> str | None:
    return _content(
        _short(segment.value(field_number, component, repetition=repetition), f"{segment.name}-{field_number}")
    )


def _count(segment: hl7v2.Segment, number: int) -> int:
    """How often a field repeats; `bounds.check` has seen that it is not beyond any sense."""
    return len(segment.repetitions(number))


def _short(text: str, place: str, longest: int = 199) -> str:
    """A number, a code or a name, which has a length."""
    if len(text) > longest:
        raise UnparsableReport(f"{place} is longer than {longest} characters")
    return text


def _text(text: str) -> str:
    """A text of lines without anything unseen; a vertical tab is how word processors break a line."""
    # NUL before line ends: \X000D000A\ is one line end in two bytes each.
    return sieved(text.replace("\0", "").replace("\v", "\n")).strip()


def _line(text: str) -> str:
    """A text of one line, with single blanks."""
    return " ".join(_text(text).split())


def _content_text(text: str) -> str:
    said = _text(text)
    return "" if said == _NULL else said


def _content(value: str) -> str | None:
    """Nothing for an empty value and for HL7's explicit null, two quotes."""
    said = _line(value)
    return None if said in {"", _NULL} else said


def moment_of(text: str) -> datetime | None:
    """Read a TS or DTM, or what else is written for one (2026-11-29 9:30:00); None for what is no whole day.

    Without an offset it is the hospital's time. Parts of the time left out count as their beginning.
    """
    said = _said_of(text)
    if said is None:
        return None
    year, month, day = (int(said[name]) for name in ("year", "month", "day"))
    hour, minute, second = (int(said.get(name, 0)) for name in ("hour", "minute", "second"))
    try:
        zone = _offset(said["zone"]) if "zone" in said else _HOSPITAL
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    return moment if _FIRST_YEAR <= year <= _LAST_YEAR else None


def _said_of(text: str) -> dict[str, str] | None:
    """The parts of a day or moment that are said; None for what is none."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = next((match for form in _MOMENTS if (match := form.fullmatch(plain))), None)
    return None if found is None else {name: value for name, value in found.groupdict().items() if value}


def _offset(text: str) -> timezone | ZoneInfo:
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0)))


_MOST_OF_A_NAME = 40
_A_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[A-Za-z]{2,}[ .]+[A-Za-z]{2,}")
"""What tells a person's name from the number or the log-in of one: a Chinese character, or two words."""


def _named(parts: Sequence[str]) -> str:
    """Return the name in a field of a person (XCN; NDL, whose first component holds it): 检验者, 审核者. Empty where it holds a number alone."""
    first = [_line(part) for part in (parts[0].split("&") if parts else ())]
    for said in ([_line(part) for part in parts[1:3]], first[1:3], first[:1]):
        name = ("" if not any(one.isascii() and one for one in said) else " ").join(one for one in said if one)
        if len(name) <= _MOST_OF_A_NAME and _A_NAME.search(name):
            return name
    return ""


def _methods(obx: hl7v2.Segment) -> tuple[str, ...]:
    """Return the codes and texts of how a value was measured (OBX-17), each once; a name of a coding system is none."""
    words = [
        _line(part)[:_MAX_NAME]
        for repetition in range(1, len(obx.repetitions(17)) + 1)
        for at, part in enumerate(obx.parts(17, repetition))
        if at in _SAYING
    ]
    return tuple(dict.fromkeys(word for word in words if word))


_SAYING = frozenset({0, 1, 3, 4, 8})
"""The components of a coded element that say something: code, text, alternate code and text, original text."""
