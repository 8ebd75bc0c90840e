"""HL7 v2 over MLLP, sans-I/O: bytes in, frames with their ids out, and the answers to them.

A frame is only decoded and its MSH read; what it says is the API's business.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from adapters.wire import hl7v2, mllp

HL7 = "application/hl7-v2"
OPAQUE = "application/octet-stream"

TooLarge = mllp.FrameTooLarge
_MAX_ID = 199
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "%|")


# What the API is told when the sender was answered AE (or nothing at all): it keeps such a message for a person and never files it by itself.
CHARSET_DOUBTFUL = "charset-doubtful"
UNPARSABLE = "unparsable"
NO_USABLE_ID = "no-usable-id"
BATCH_DIFFERS = "batch-differs"
FRAME_NOT_ENDED = "frame-not-ended"
OUTSIDE_A_FRAME = "outside-a-frame"
NOT_PRODUCTION = "not-production"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it arrived. `fault` says why it can never be accepted, `reason` which kind of fault; it is journalled all the same.

    `message_id` is MSH-10 in printable ASCII (what is none is percent-encoded), or `sha256:` and the body's hash where there is no usable
    one; `sender` is MSH-3 and MSH-4 likewise: two senders behind one channel may use the same numbers. `content_type` tells the API whether
    the body is HL7 at all. `silent`: nothing is answered, since its sender has gone on to the next.
    """

    body: bytes
    sha256: str
    message_id: str
    content_type: str
    fault: str | None
    message: hl7v2.Message | None
    reason: str = ""
    sender: str = ""
    silent: bool = False


class Session:
    """One connection's state."""

    def __init__(self, max_frame: int = mllp.MAX_FRAME_BYTES) -> None:
        """`max_frame` is in bytes."""
        self._decoder = mllp.MllpDecoder(max_frame)

    @property
    def mid_frame(self) -> bool:
        """Whether a frame is half here."""
        return self._decoder.mid_frame

    @property
    def skipped(self) -> int:
        """Bytes of noise between frames so far."""
        return self._decoder.skipped

    def feed(self, data: bytes) -> list[list[Frame]]:
        """Return the frames completed by `data`, each as its messages; raises `TooLarge`, after which the connection must go."""
        whole = [read_all(payload) for payload in self._decoder.feed(data)]
        return [*self._given_up(), *whole]

    def _given_up(self) -> list[list[Frame]]:
        unended = [
            _kept(body, "a frame that the next one began in the middle of", FRAME_NOT_ENDED, None, silent=True)
            for body in self._decoder.unended()
        ]
        strays = [
            _kept(body, "text behind the end of a frame", OUTSIDE_A_FRAME, None, silent=True)
            for body in self._decoder.strays()
        ]
        return [[each] for each in (*unended, *strays)]


def read_all(body: bytes) -> list[Frame]:
    """Part a frame into its messages, mostly one. What is wrong with a batch around them is a last one: the whole, for a person."""
    batch = hl7v2.split(body)
    frames = [read(each) for each in batch.messages]
    if batch.faults:
        frames.append(_kept(body, "; ".join(batch.faults), BATCH_DIFFERS, None))
    return frames


def read(body: bytes) -> Frame:
    """Look at one message, as far as needed to keep and answer it."""
    try:
        message = hl7v2.decode(body)
    except hl7v2.CharsetDoubtful as error:
        return _kept(body, str(error), CHARSET_DOUBTFUL, None)
    except hl7v2.UndecodableMessage as error:
        return _kept(body, str(error), UNPARSABLE, None)
    message_id = _printable(message.message_id())
    if not message_id or len(message_id) > _MAX_ID:  # what the API takes as X-Message-Id
        # without an id nothing can be matched to its acknowledgement, nor a repeat told from a correction
        return _kept(body, "MSH-10 is missing or unusable", NO_USABLE_ID, message)
    if why := message.not_production():
        return _kept(body, why, NOT_PRODUCTION, message)
    sha256 = hashlib.sha256(body).hexdigest()
    return Frame(body, sha256, message_id, HL7, None, message, sender=_sender(message))


def _kept(body: bytes, fault: str, reason: str, message: hl7v2.Message | None, *, silent: bool = False) -> Frame:
    sha256 = hashlib.sha256(body).hexdigest()
    sender = _sender(message) if message else ""
    return Frame(body, sha256, f"sha256:{sha256}", OPAQUE, fault, message, reason, sender, silent)


def _sender(message: hl7v2.Message) -> str:
    """MSH-3 and MSH-4 as one word; what is too long for one is its hash."""
    application, facility = (message.header.text(number).strip() for number in (3, 4))
    word = f"{_printable(application)}/{_printable(facility)}" if application or facility else ""
    return word if len(word) <= _MAX_ID else f"sha256:{hashlib.sha256(word.encode()).hexdigest()}"


def _printable(text: str) -> str:
    """Any text as printable ASCII, and no two alike: blanks, Chinese and the percent sign itself are percent-encoded."""
    return quote(text, safe=_SAFE)


def accepted(frame: Frame, now: datetime) -> bytes:
    """AA: it is durably stored here."""
    return _answer(frame, "AA", "", now)


def refused(frame: Frame, text: str, now: datetime) -> bytes:
    """AE: it is durably stored here, and a person will look at it; sending it again changes nothing."""
    return _answer(frame, "AE", text, now)


def in_one(answers: Sequence[bytes]) -> bytes:
    """The answer to a frame of several messages is one frame of their acknowledgements, in order (HL7 2.10.3; FHS and BHS are optional)."""
    if len(answers) <= 1:
        return b"".join(answers)
    return mllp.frame(b"".join(answer[len(mllp.START) : -len(mllp.END)] for answer in answers))


def _answer(frame: Frame, code: hl7v2.AckCode, text: str, now: datetime) -> bytes:
    ours = f"GW{uuid.uuid4().hex[:16].upper()}"
    if frame.message is None:
        return mllp.frame(hl7v2.nack(frame.body, code, text, now, ours))
    answer = hl7v2.ack(frame.message, code, text, now, ours)
    try:
        return mllp.frame(answer)
    except ValueError:  # what was echoed held framing bytes
        return mllp.frame(hl7v2.nack(frame.body, code, text, now, ours))
