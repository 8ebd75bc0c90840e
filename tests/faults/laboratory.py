"""A laboratory that repeats the same bytes until it is told AA: what it says, and what must be on file when it has said it."""

import asyncio
import contextlib
import hashlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from adapters.wire import hl7v2, mllp
from tjapi.visit import Actor, invented_person

Kind = Literal["report", "copy", "stranger", "garbage"]
CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=CHINA)
_MSH_18 = {"utf-8": "UNICODE UTF-8", "gb18030": "GB 18030-2000"}
_SEX = {"male": "M", "female": "F"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Patient:
    """A checked-in exam: who it is, and which barcode is for which group."""

    exam_id: str
    exam_no: str
    name: str
    sex: str
    birth_date: str
    barcodes: dict[str, str]


@dataclass(frozen=True)
class Said:
    """One observation as it must be on file: the meaning of a message, without the message."""

    exam_no: str
    item: str
    status: str
    value: str
    observed_at: datetime


@dataclass(frozen=True)
class Message:
    """One message; `says` is empty for what can never be filed. Copies say the same under an id of their own."""

    control_id: str
    kind: Kind
    payload: bytes
    says: tuple[Said, ...] = ()
    parts: tuple[Any, ...] = field(default=(), compare=False)

    @property
    def inbox_id(self) -> str:
        """What the inbox knows it by: what cannot be decoded has no id but its hash."""
        return self.control_id if self.kind != "garbage" else f"sha256:{hashlib.sha256(self.payload).hexdigest()}"

    @property
    def answer(self) -> str:
        return "AE" if self.kind == "garbage" else "AA"


async def admit(front: Actor, groups: dict[str, dict[str, str]]) -> Patient:
    """Register somebody who does not exist for these groups (code → item group), and check them in."""
    card = invented_person()
    key = {"Idempotency-Key": f"faults-{next(_numbers)}-{card['id_number']}"}
    person = (await front("POST", "/examinees", expect=201, json={"campus_id": 1, **card}, headers=key)).json()
    order = {"campus_id": 1, "examinee_id": person["id"], "item_group_ids": [g["id"] for g in groups.values()]}
    exam = (await front("POST", "/exams", expect=201, json=order, headers=key)).json()
    desk = (await front("POST", f"/exams/{exam['id']}:check-in", headers=key)).json()
    named = {group["name"]: code for code, group in groups.items()}
    barcodes = {named[name]: tube["barcode"] for tube in desk["tubes"] for name in tube["groups"]}
    assert barcodes.keys() == groups.keys()
    return Patient(exam["id"], exam["exam_no"], card["name"], card["sex"], card["birth_date"], barcodes)


def report(patient: Patient, group: str, tests: Sequence[dict[str, Any]], turn: int, *, charset: str, copy: bool = False) -> Message:  # fmt: skip
    """Report a group for the n-th time: final first, then a correction each minute, no value said twice."""
    status, moment = ("F" if turn == 0 else "C"), NOON + timedelta(minutes=turn)
    said = "final" if turn == 0 else "corrected"
    values = {test["code"]: f"{20 * number}.{turn:03d}" for number, test in enumerate(tests, 1)}
    control = f"FT{next(_numbers):08d}"
    barcode, when = patient.barcodes[group], moment.strftime("%Y%m%d%H%M%S%z")
    payload = _oru(patient, control, barcode, group, status, when, charset, [
        ["OBX", str(n), "NM", (t["code"], t["name"], "L"), "", values[t["code"]], t["unit"], "", "", "", "", status, "", "", when]
        for n, t in enumerate(tests, 1)
    ])  # fmt: skip
    says = tuple(Said(patient.exam_no, code, said, value, moment) for code, value in values.items())
    parts = (patient, group, tests, turn)
    return Message(control, "copy" if copy else "report", payload, says, parts)


def copy_of(message: Message) -> Message:
    """Say the same once more under another message id."""
    patient, group, tests, turn = message.parts
    return report(patient, group, tests, turn, charset="utf-8", copy=True)


def stranger(patient: Patient) -> Message:
    """A report on a tube that nobody knows."""
    control = f"FT{next(_numbers):08d}"
    obx: list[hl7v2.Field] = ["OBX", "1", "NM", ("GLU", "GLU", "L"), "", "5.0", "mmol/L", "", "", "", "", "F"]
    payload = _oru(patient, control, f"99{control[2:]}99", "GLU", "F", "20261123120000+0800", "utf-8", [obx])
    return Message(control, "stranger", payload)


def garbage() -> Message:
    """Text in no charset."""
    control = f"FT{next(_numbers):08d}"
    return Message(
        control, "garbage", f"MSH|^~\\&|LIS|LAB|||||ORU^R01|{control}|P|2.5.1\rPID|".encode() + b"\xff\xfe\r"
    )


def _oru(
    patient: Patient, control: str, barcode: str, group: str, status: str, when: str, charset: str, obx: list[list[hl7v2.Field]]
) -> bytes:  # fmt: skip
    numbers: hl7v2.Field = [("E1", "", "", "TJ", "PI"), (patient.exam_no, "", "", "TJ", "VN")]
    birth = patient.birth_date.replace("-", "")
    header: list[hl7v2.Field] = ["MSH", "LIS", "LAB", "TJAPI", "", when, "", ("ORU", "R01", "ORU_R01"), control, "P"]
    segments: list[list[hl7v2.Field]] = [
        [*header, "2.5.1", "", "", "", "", "CHN", _MSH_18[charset]],
        ["PID", "1", "", numbers, "", (patient.name,), "", birth, _SEX[patient.sex]],
        ["OBR", "1", "", f"L{barcode}-{group}", (group, group, "L"), "", "", "", *[""] * 14, when, "", "LAB", status],
        *obx,
        ["SPM", "1", (barcode,), "", ("blood",)],
    ]
    return hl7v2.build(segments, charset=charset)


def day(patients: Sequence[Patient], tests: dict[str, list[dict[str, Any]]], count: int, dice: random.Random) -> list[Message]:  # fmt: skip
    """Return a day of so many messages in an order of chance: reports, and among 20 a copy, now and then a stranger or garbage."""
    messages: list[Message] = []
    turns: dict[tuple[str, str], int] = {}
    while len(messages) < count:
        lot = dice.random()
        if lot < 0.05 and (known := [m for m in messages if m.kind == "report"]):
            messages.append(copy_of(dice.choice(known)))
        elif lot < 0.065:
            messages.append(stranger(dice.choice(patients)) if dice.random() < 0.5 else garbage())
        else:
            patient = dice.choice(patients)
            group = dice.choice(sorted(patient.barcodes))
            turn = turns.get((patient.exam_no, group), 0)
            turns[patient.exam_no, group] = turn + 1
            charset = "gb18030" if dice.random() < 0.4 else "utf-8"
            messages.append(report(patient, group, tests[group], turn, charset=charset))
    dice.shuffle(messages)
    return messages


class Line:
    """One connection of the laboratory: a message is repeated, the same bytes, until the answer to it has come."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: tuple[asyncio.StreamReader, asyncio.StreamWriter, mllp.MllpDecoder] | None = None
        self.repeats = 0

    async def deliver(self, message: Message) -> str:
        """Send until it is answered; return the code of the answer."""
        while True:
            try:
                async with asyncio.timeout(5):
                    return await self._exchange(message)
            except (OSError, EOFError, TimeoutError):
                self.repeats += 1
                self.close()
                await asyncio.sleep(0.1)

    async def _exchange(self, message: Message) -> str:
        if self._socket is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._socket = reader, writer, mllp.MllpDecoder()
        reader, writer, decoder = self._socket
        writer.write(mllp.frame(message.payload))
        await writer.drain()
        while data := await reader.read(65_536):
            for answer in map(hl7v2.decode, decoder.feed(data)):
                msa = answer.first("MSA")
                if msa is not None and msa.value(2) == message.control_id:
                    return msa.value(1)
        raise EOFError

    def close(self) -> None:
        if self._socket is not None:
            self._socket[1].close()
            self._socket = None


@contextlib.asynccontextmanager
async def lines(port: int, count: int) -> AsyncIterator[list[Line]]:
    opened = [Line(port) for _ in range(count)]
    yield opened
    for line in opened:
        line.close()


def expected(messages: Iterable[Message]) -> dict[str, Any]:
    """Return what must be on file, computed from what was said and nothing else: neither order nor repetition counts."""
    revisions = {said for message in messages for said in message.says}
    latest: dict[tuple[str, str], Said] = {}
    for said in sorted(revisions, key=lambda s: (s.status == "corrected", s.observed_at)):
        latest[said.exam_no, said.item] = (
            said  # a correction before a final value, and of corrections the last observed
        )
    return fingerprint(revisions, latest.values())


def fingerprint(revisions: Iterable[Said], current: Iterable[Said]) -> dict[str, Any]:
    """Return the state as comparable values and its hash."""
    state = {"revisions": sorted(map(_plain, revisions)), "current": sorted(map(_plain, current))}
    return {**state, "sha256": hashlib.sha256(json.dumps(state, ensure_ascii=False).encode()).hexdigest()}


def _plain(said: Said) -> list[str]:
    return [said.exam_no, said.item, said.status, said.value, said.observed_at.astimezone(CHINA).isoformat()]
