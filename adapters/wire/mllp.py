"""MLLP framing (HL7 v2 Transport Specification, MLLP release 1): `<VT> payload <FS><CR>`."""

START = b"\x0b"
END = b"\x1c\r"
MAX_FRAME_BYTES = 10 * 1024 * 1024


class FrameTooLarge(ValueError):  # noqa: N818 - named for the finding
    """A frame passed the cap; close the connection. `frames` holds what was complete before it."""

    def __init__(self, limit: int, frames: list[bytes]) -> None:
        """Keep the frames that arrived whole in the same read, so that they can still be answered."""
        super().__init__(f"MLLP frame exceeds {limit} bytes")
        self.frames = frames


def frame(payload: bytes) -> bytes:
    """Wrap one message; raises `ValueError` if it holds the framing bytes, which no HL7 v2 text may."""
    if START in payload or END in payload:
        raise ValueError("payload contains MLLP framing bytes")
    return START + payload + END


class MllpDecoder:
    """Turns a TCP stream, cut anywhere, into frames.

    `skipped` counts bytes outside frames (line ends, keep-alives, noise). A start byte inside a frame means that the
    peer gave up on the one before: that part was never acknowledged, so it is skipped rather than glued to the next.
    """

    def __init__(self, max_frame: int = MAX_FRAME_BYTES) -> None:
        """`max_frame` is the largest payload in bytes."""
        self._max = max_frame
        self._buffer = bytearray()
        self._scanned = 0
        self._in_frame = False
        self.skipped = 0

    @property
    def mid_frame(self) -> bool:
        """Whether a frame has begun and not ended: the moment when silence is suspicious."""
        return self._in_frame

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads completed by `data`; raises `FrameTooLarge`."""
        self._buffer += data
        frames: list[bytes] = []
        while True:
            if not self._in_frame and not self._enter():
                return frames
            payload = self._leave()
            if payload is None:
                if len(self._buffer) > self._max + 1:  # one byte of the end mark may already be here
                    raise FrameTooLarge(self._max, frames)
                return frames
            if len(payload) > self._max:
                raise FrameTooLarge(self._max, frames)
            frames.append(payload)

    def _enter(self) -> bool:
        start = self._buffer.find(START)
        self._in_frame = start >= 0
        outside = start if self._in_frame else len(self._buffer)
        # the line end that some peers add after a frame is courtesy, not noise
        self.skipped += len(self._buffer[:outside].strip(b"\r\n"))
        del self._buffer[: outside + self._in_frame]
        self._scanned = 0
        return self._in_frame

    def _leave(self) -> bytes | None:
        end = self._buffer.find(END, max(0, self._scanned - 1))
        restart = self._buffer.rfind(START, self._scanned, end if end >= 0 else len(self._buffer))
        if restart >= 0:
            self.skipped += restart + 1
            del self._buffer[: restart + 1]
            end -= restart + 1 if end >= 0 else 0
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        payload = bytes(self._buffer[:end])
        del self._buffer[: end + len(END)]
        self._in_frame = False
        return payload
