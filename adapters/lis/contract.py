"""What any laboratory system is to us, in the hospital's words. Every datetime is aware."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

Sex = Literal["male", "female", "unknown"]
Refusal = Literal[
    "haemolysed", "clotted", "lipaemic", "insufficient", "wrong_container", "unlabeled", "mislabeled", "contaminated", "broken",
    "wrong_time", "expired", "lost", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabPatient:
    """受检者, as much of them as a laboratory needs."""

    examinee_no: str
    name: str
    sex: Sex
    birth_date: date


@dataclass(frozen=True, slots=True)
class LabGroup:
    """组合项目: one thing ordered. `line_no` is our placer number, unique for ever, at most 22 characters (HL7 EI)."""

    line_no: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class LabTube:
    """试管: one barcode and what is to be done with it. `collected_at` is None before the draw."""

    barcode: str
    container: str
    specimen: str
    collected_at: datetime | None
    groups: tuple[LabGroup, ...]


@dataclass(frozen=True, slots=True)
class LabOrder:
    """申请单: what one exam asks of the laboratory. `placer_no` is the requisition's number."""

    placer_no: str
    exam_no: str
    campus_code: str
    patient: LabPatient
    tubes: tuple[LabTube, ...]
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class LabOrderReceipt:
    """The laboratory has it. `text` is in its own words, often empty."""

    message_id: str
    acknowledged_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class LabObservation:
    """明细项目 as reported, unjudged.

    `raw_value` is the text as sent ("<0.01", "1:320", "弱阳性"); `unit` and `range_text` are the laboratory's, not ours.
    `value_type` is OBX-2. `status` is OBX-11 (HL7 table 0085): P preliminary, F final, C correction, X cannot be obtained,
    W wrong (the one before was somebody else's), D deleted. `abnormal_flags` is OBX-8 (table 0078): H, L, HH, LL, A…
    `other_codes` are further codes of the same item (OBX-3.4), to be tried where `code` is unknown. `remarks` are the notes that belong to
    this value (NTE after the OBX), in order. `other_words` is what else a coded value says of itself (its codes, the alternate, the original
    text), and `flag_words` what stands beside the codes of its flags: whether they agree is for the caller to say. `left_out`: what was sent
    could not be taken up (a document, a text without end), and only its flags speak. `observed_at` is None where none was said, or none that is a moment.
    `methods` are the words of how it was measured (OBX-17), codes and texts. `examined_by` is the name of whoever did (OBX-16). `deletes`: its value is HL7's explicit null (two quotes), which takes back whatever was reported before.
    """

    code: str
    name: str
    sub_id: str
    value_type: str
    raw_value: str
    unit: str
    range_text: str
    abnormal_flags: tuple[str, ...]
    status: str
    observed_at: datetime | None
    other_codes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    other_words: tuple[str, ...] = ()
    flag_words: tuple[str, ...] = ()
    left_out: bool = False
    deletes: bool = False
    methods: tuple[str, ...] = ()
    examined_by: str = ""


@dataclass(frozen=True, slots=True)
class LabRefusal:
    """The laboratory cannot work on a specimen. `text` is in its own words, often empty."""

    reason: Refusal
    text: str


@dataclass(frozen=True, slots=True)
class LabResult:
    """The report on one ordered group. `placer_no` is our `LabGroup.line_no`, `filler_no` the laboratory's own number.

    `specimen_at` is when the specimen was taken, `reported_at` when the laboratory released it; `status` is OBR-25. `refused`: the
    specimen is refused, and whatever of it has no result needs another. `control` (ORC-1) and `order_status` (ORC-5) are what else the order says of itself, in capitals.
    `specimens`: what each field that names the specimen (SPM-4, OBR-15) calls it, in all its words. `remarks` are notes on the whole group (NTE after the OBR).
    `examined_by` (检验者, OBR-34) and `verified_by` (审核者, OBR-32) are names, as far as names were said.
    """

    barcode: str | None
    placer_no: str | None
    filler_no: str | None
    group_code: str
    group_name: str
    specimen_at: datetime | None
    reported_at: datetime | None
    status: str
    observations: tuple[LabObservation, ...]
    refused: LabRefusal | None = None
    control: str = ""
    order_status: str = ""
    specimens: tuple[tuple[str, ...], ...] = ()
    remarks: tuple[str, ...] = ()
    examined_by: str = ""
    verified_by: str = ""


@dataclass(frozen=True, slots=True)
class LabReport:
    """One inbound message about one person. Identity fields are what *they* believe; the caller compares them with ours.

    `other_names` are further spellings of the name (repetitions of PID-5: pinyin, alias). `id_numbers` are whole identity numbers that the
    message bears (PID-3, PID-19), `masked_id_numbers` those of which only a part is shown (690101********1234). `numbers` is every number
    that is said of the person or the visit, whatever it is called (PID-2, 3, 4, 18, 19, PV1-19). `patient_birth_date` is None where none was said or none that is a whole day. `left_out` names what was
    in the message and could not be taken up, by place ("OBX[2]: no code, no value"), never by content. `sent_at` is None where the message
    does not say it, or not as a moment: the time of arrival stands in.
    """

    message_id: str
    sent_at: datetime | None
    sending_system: str
    exam_no: str | None
    patient_name: str
    patient_sex: Sex
    patient_birth_date: date | None
    patient_id: str | None
    results: tuple[LabResult, ...]
    other_names: tuple[str, ...] = ()
    id_numbers: tuple[str, ...] = ()
    masked_id_numbers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


Unread = Literal["unparsable", "charset-doubtful", "not-production"]


Batch = tuple[tuple[bytes, ...], tuple[str, ...]]
"""The messages of a batch, and what is wrong around them."""


class UnparsableReport(ValueError):  # noqa: N818 - named for the finding
    """The message is no report we can file. `reason` names place and fault, never a value; `kind` says who can mend it.

    `charset-doubtful`: a person may say how the bytes are to be read. `unparsable`: only its sender can. `not-production`: nobody need; it
    is a test, a training or an analyser's own control, and no person's result.
    """

    def __init__(self, reason: str, kind: Unread = "unparsable") -> None:
        """Keep the reason for the quarantine's list."""
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class BeyondLimits(UnparsableReport):
    """The message holds more of something than may be read. `reason` names what and where."""


class LisClient(Protocol):
    """The laboratory, as a flow sees it. All verbs raise `Unavailable`, `Rejected` or `OutcomeUnknown`.

    `message_id` is our stable key for this message: after `OutcomeUnknown` the *same* order is sent again under the
    *same* key, which the laboratory recognises.
    """

    async def send_order(self, order: LabOrder, *, message_id: str) -> LabOrderReceipt:
        """Ask for the tests on every tube of the order."""
        ...

    async def cancel_order(self, order: LabOrder, *, message_id: str) -> LabOrderReceipt:
        """Withdraw exactly the groups in `order`; `Rejected` when the laboratory has already worked on one."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
