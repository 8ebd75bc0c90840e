"""Any LIS that takes OML^O21 and sends ORU^R01 (HL7 v2.5.1) over MLLP: configuration, client, mapping.

Where things are, both ways:
- PID-3 repetitions: examinee number with type `PI`, exam number with type `VN` (PV1-19 is read when there is no `VN`).
- ORC-2 = OBR-2 = our placer number of one ordered group (`LabGroup.line_no`); ORC-4 = the requisition (`placer_no`).
- SPM-21 of a report = why the specimen is refused (HL7 table 0490, and the words of laboratories that write text).
- SPM-2.1 = the tube's barcode. A LIS without SPM puts it in OBR-3; one that has neither, in OBR-2.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
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

_HOSPITAL = ZoneInfo("Asia/Shanghai")
_HL7_SEX: dict[Sex, str] = {"male": "M", "female": "F", "unknown": "U"}
_SEX: dict[str, Sex] = {"M": "male", "F": "female"}
# HL7 v2.5.1, table 0490. What is not here (a missing date or phlebotomist, improper storage) is another reason, in their words.
_REFUSALS: dict[str, Refusal] = {
    "EX": "expired", "QS": "insufficient", "RA": "unlabeled", "RB": "broken", "RC": "clotted", "RE": "unlabeled", "RH": "haemolysed",
    "RI": "mislabeled", "RM": "mislabeled", "RN": "contaminated", "RS": "mislabeled",
}  # fmt: skip
_REFUSAL_WORDS: dict[str, Refusal] = {
    "溶血": "haemolysed", "凝": "clotted", "脂血": "lipaemic", "乳糜": "lipaemic", "量不足": "insufficient", "量少": "insufficient",
    "容器": "wrong_container", "试管错误": "wrong_container", "无标签": "unlabeled", "污染": "contaminated", "破": "broken", "漏": "broken",
}  # fmt: skip
_MSH_18 = {"UTF-8": "UNICODE UTF-8", "GB18030": "GB 18030-2000"}
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


def parse(raw: bytes) -> LabReport:
    """Read ORU^R01. Raises `UnparsableReport`, and nothing else, whatever the bytes."""
    try:
        message = hl7v2.decode(raw)
        bounds.check(message)
    except hl7v2.UndecodableMessage as error:
        raise UnparsableReport(str(error)) from error
    except bounds.TooMuch as excess:
        raise BeyondLimits(excess.what) from None
    if message.message_type() != "ORU^R01":
        raise UnparsableReport("MSH-9 is not ORU^R01")
    sent_at = _moment(message.header, 7)
    if not message.message_id() or not sent_at:
        raise UnparsableReport("MSH-7 or MSH-10 is empty")
    if message.stray_lines:
        raise UnparsableReport(f"{len(message.stray_lines)} lines are no segments: a text was broken by a line end")
    patients = message.all("PID")
    if len(patients) != 1:
        # one report, one person: guessing whose values follow is how they land on somebody else
        raise UnparsableReport(f"{len(patients)} PID segments, expected exactly 1")
    pid, pv1 = patients[0], message.first("PV1")
    birth = _moment(pid, 7)
    return LabReport(
        message_id=message.message_id(),
        sent_at=sent_at,
        sending_system=message.header.value(3),
        exam_no=_identifier(pid, "VN") or _content(pv1.value(19) if pv1 else ""),
        patient_name=_name(pid),
        patient_sex=_SEX.get(pid.value(8).upper(), "unknown"),
        patient_birth_date=birth.date() if birth else None,
        patient_id=_identifier(pid, "PI", "MR", "PT", ""),
        results=tuple(_result(group) for group in _groups(message)),
    )


@dataclass(slots=True)
class _Group:
    obr: hl7v2.Segment
    orc: hl7v2.Segment | None
    spm: hl7v2.Segment | None
    obx: list[hl7v2.Segment] = field(default_factory=list)


def _groups(message: hl7v2.Message) -> list[_Group]:
    """Gather ORC, OBR, OBX and SPM into order groups. An SPM before the first ORC/OBR speaks for all that follow."""
    groups: list[_Group] = []
    orc = shared_spm = None
    for segment in message.segments:
        if segment.name == "ORC":
            orc = segment
        elif segment.name == "OBR":
            groups.append(_Group(segment, orc, shared_spm))
            orc = None
        elif segment.name == "SPM" and not groups:
            shared_spm = segment
        elif segment.name == "SPM":
            groups[-1].spm = segment
        elif segment.name == "OBX" and not groups:
            raise UnparsableReport("OBX before any OBR")
        elif segment.name == "OBX":
            groups[-1].obx.append(segment)
    if not groups:
        raise UnparsableReport("no OBR")
    return groups


def _result(group: _Group) -> LabResult:
    obr, orc, spm = group.obr, group.orc, group.spm
    placer = _content(obr.value(2)) or _content(orc.value(2) if orc else "")
    filler = _content(obr.value(3)) or _content(orc.value(3) if orc else "")
    # SPM-2 is EIP: the placer's identifier, else the filler's
    on_tube = (_content(spm.value(2)) or _content(spm.value(2, component=2))) if spm else None
    specimen_at = _moment(spm, 17) if spm else None
    return LabResult(
        barcode=on_tube or _content(obr.value(3)) or _content(obr.value(2)),
        placer_no=placer,
        filler_no=filler,
        group_code=obr.value(4),
        group_name=obr.value(4, component=2),
        specimen_at=specimen_at or _moment(obr, 7),
        reported_at=_moment(obr, 22),
        status=obr.value(25),
        observations=tuple(_observation(obx) for obx in group.obx),
        refused=_refusal(spm) if spm else None,
    )


def _refusal(spm: hl7v2.Segment) -> LabRefusal | None:
    """SPM-21 is coded, but a text is written into it by those who have no code."""
    code, text = _content(spm.value(21)), _content(spm.value(21, component=2)) or ""
    if code is None and not text:
        return None
    words = text or code or ""
    told: Refusal = next((why for word, why in _REFUSAL_WORDS.items() if word in words), "other")
    return LabRefusal(_REFUSALS.get((code or "").upper(), told), words)


def _observation(obx: hl7v2.Segment) -> LabObservation:
    code = _content(obx.value(3))
    if not code:
        raise UnparsableReport("OBX-3 is empty")
    return LabObservation(
        code=code,
        name=obx.value(3, component=2),
        sub_id=obx.text(4),
        value_type=obx.value(2),
        raw_value=_raw_value(obx),
        unit=_unit(obx),
        range_text=obx.text(7),  # whole: "3.5~9.5" is a range, not two repetitions
        abnormal_flags=tuple(stripped for flag in obx.values(8) if (stripped := flag.strip())),
        status=obx.value(11),
        observed_at=_moment(obx, 14),
    )


def _raw_value(obx: hl7v2.Segment) -> str:
    """Read OBX-5 by its type. Plain types are kept whole, since vendors do not escape "0~2" or "10^9"."""
    kind = obx.value(2)
    if kind in {"CE", "CWE", "CNE", "CF"}:
        return obx.value(5, component=2) or obx.value(5)
    if kind == "SN":  # structured numeric: comparator, number, separator, number
        return "".join(obx.value(5, component=number) for number in range(1, 5))
    if kind in {"TX", "FT"}:  # repetitions are lines
        return "\n".join(obx.texts(5))
    return _content(obx.text(5)) or ""


def _unit(obx: hl7v2.Segment) -> str:
    """OBX-6 is coded, but "10^9/L" is written into it unescaped everywhere."""
    whole = obx.text(6)
    if re.match(r"[x×*·]?\s*10\^-?\d", whole):
        return whole
    return obx.value(6) or obx.value(6, component=2)


def _identifier(pid: hl7v2.Segment, *types: str) -> str | None:
    """PID-3's repetition of the first type (CX-5) that is present."""
    found = dict(zip(reversed(pid.values(3, component=5)), reversed(pid.values(3)), strict=True))
    return next((value for kind in types if (value := _content(found.get(kind, "")))), None)


def _name(pid: hl7v2.Segment) -> str:
    """PID-5. Chinese names come whole in the family part or split in two; the others need their blank."""
    family, given = (_content(pid.value(5, component=number)) or "" for number in (1, 2))
    between = " " if family.isascii() and given.isascii() else ""
    return f"{family}{between}{given}".strip()


def _content(value: str) -> str | None:
    """Nothing for an empty value and for HL7's explicit null, two quotes."""
    stripped = value.strip()
    return None if stripped in {"", '""'} else stripped


def _moment(segment: hl7v2.Segment, number: int) -> datetime | None:
    """Read a TS or DTM; without an offset it is the hospital's time. Parts left out count as their beginning."""
    text = _content(segment.value(number))
    if text is None:
        return None
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)?(\d\d)?)?(?:\.\d{1,6})?([+-]\d{4})?", text)
    try:
        if not found:
            raise ValueError  # noqa: TRY301 - one refusal for both kinds of nonsense
        parts = [int(part or 0) for part in found.groups()[:6]]
        zone = _offset(found[7]) if found[7] else _HOSPITAL
        return datetime(*parts, tzinfo=zone)  # type: ignore[arg-type, misc] # six ints, which mypy cannot count
    except ValueError:
        raise UnparsableReport(f"{segment.name}-{number} is not a date or time") from None


def _offset(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[3:5])))
