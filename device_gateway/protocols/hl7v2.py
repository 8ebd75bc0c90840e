"""HL7 v2 over MLLP, sans-I/O: bytes in, frames with their ids out, and the answers to them.

A frame is only decoded and its MSH read; what it says is the API's business.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from adapters.wire import hl7v2, mllp

HL7 = "application/hl7-v2"
OPAQUE = "application/octet-stream"

TooLarge = mllp.FrameTooLarge


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it arrived. `fault` says why it can never be accepted; it is journalled all the same.

    `message_id` is MSH-10, or `sha256:` and the body's hash where there is no usable one. `content_type` tells the API
    whether the body is HL7 at all.
    """

    body: bytes
    sha256: str
    message_id: str
    content_type: str
    fault: str | None
    message: hl7v2.Message | None


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

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames completed by `data`; raises `TooLarge`, after which the connection must go."""
        return [read(payload) for payload in self._decoder.feed(data)]


def read(body: bytes) -> Frame:
    """Look at one frame, as far as needed to keep and answer it."""
    sha256 = hashlib.sha256(body).hexdigest()
    try:
        message = hl7v2.decode(body)
    except hl7v2.UndecodableMessage as error:
        return Frame(body, sha256, f"sha256:{sha256}", OPAQUE, str(error), None)
    message_id = message.message_id()
    if not re.fullmatch(r"[\x21-\x7e]{1,199}", message_id):  # what the API takes as X-Message-Id
        # without an id nothing can be matched to its acknowledgement, nor a repeat told from a correction
        return Frame(body, sha256, f"sha256:{sha256}", OPAQUE, "MSH-10 is missing or unusable", message)
    return Frame(body, sha256, message_id, HL7, None, message)


def accepted(frame: Frame, now: datetime) -> bytes:
    """AA: it is durably stored here."""
    return _answer(frame, "AA", "", now)


def refused(frame: Frame, text: str, now: datetime) -> bytes:
    """AE: it is durably stored here, and a person will look at it; sending it again changes nothing."""
    return _answer(frame, "AE", text, now)


def _answer(frame: Frame, code: hl7v2.AckCode, text: str, now: datetime) -> bytes:
    ours = f"GW{uuid.uuid4().hex[:16].upper()}"
    if frame.message is None:
        return mllp.frame(hl7v2.nack(frame.body, code, text, now, ours))
    answer = hl7v2.ack(frame.message, code, text, now, ours)
    try:
        return mllp.frame(answer)
    except ValueError:  # what was echoed held framing bytes
        return mllp.frame(hl7v2.nack(frame.body, code, text, now, ours))
