"""What can be asked to go wrong. A counter of 0 is a laboratory that behaves."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Faults(BaseModel):
    """Counters are used up, one per message; `late_seconds` and `charset` stay until set again."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    duplicate: int = Field(default=0, ge=0)
    """Next n messages are sent twice, byte for byte."""
    late_seconds: float = Field(default=0.0, ge=0)
    """Results wait this long before they are sent."""
    out_of_order: int = Field(default=0, ge=0)
    """The next n messages are held, then sent last first (after 3 s at the latest)."""
    drop_ack: int = Field(default=0, ge=0)
    """The next n acknowledgements count as never come: the socket is closed and the message sent again."""
    charset: Literal["UTF-8", "GB18030"] = "UTF-8"
    """What results are written in, and declared as in MSH-18."""
    garbage: int = Field(default=0, ge=0)
    """Send n frames, now, that are valid in no charset."""
    unknown_code: int = Field(default=0, ge=0)
    """The next n results carry one observation that nobody knows."""
    wrong_patient: int = Field(default=0, ge=0)
    """The next n results carry the right barcode and somebody else's identity."""
    changed_content_same_id: int = Field(default=0, ge=0)
    """The next n messages are followed by one with the same MSH-10 and other values."""

    def take(self, name: str) -> bool:
        """Use up one of a counter, if any is left."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0
