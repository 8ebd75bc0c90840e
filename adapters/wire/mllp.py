"""MLLP framing (HL7 v2 Transport Specification, MLLP release 1): `<VT> payload <FS><CR>`.

Senders shorten the end: FS alone, FS LF, or FS and at once the VT of the next frame all end a frame. An FS or VT followed by anything
else is part of somebody's text (a vertical tab pasted from a word processor), and stays in it.
"""

import re

START = b"\x0b"
STOP = b"\x1c"
END = b"\x1c\r"
MAX_FRAME_BYTES = 10 * 1024 * 1024
# What ends a frame: the mark with a line end, before the next start, or as the last byte that is here. Who sends the mark alone waits for the answer.
_STOP = re.compile(rb"\x1c(?:\r|\n|(?=[ \t\0]{0,8}(?:\x0b|\Z)))")
# A start within an open frame: only before what begins a message, else it is text.
_RESTART = re.compile(rb"\x0b(?:\xef\xbb\xbf)?[ \t\r\n\0]{0,8}(?:MSH|FHS|BHS)")
_LONGEST_RESTART = 15
_COURTESY = b"\r\n\0 \t"


class FrameTooLarge(ValueError):  # noqa: N818 - named for the finding
    """A frame passed the cap; close the connection. `frames` holds what was complete before it."""

    def __init__(self, limit: int, frames: list[bytes]) -> None:
        """Keep the frames that arrived whole in the same read, so that they can still be answered."""
        super().__init__(f"MLLP frame exceeds {limit} bytes")
        self.frames = frames


def frame(payload: bytes) -> bytes:
    """Wrap one message; raises `ValueError` if it holds the framing bytes, which no HL7 v2 text may."""
    if START in payload or STOP in payload:
        raise ValueError("payload contains MLLP framing bytes")
    return START + payload + END


class MllpDecoder:
    """Turns a TCP stream, cut anywhere, into frames.

    `skipped` counts bytes outside frames (keep-alives, noise). A start within an open frame means that the peer ended the one before
    without its end mark, or gave up on it: what was there is kept in `unended`, neither glued to the next nor dropped. What follows an end
    mark that came alone, and is no courtesy, belonged to that frame after all: it is kept in `strays`.
    """

    def __init__(self, max_frame: int = MAX_FRAME_BYTES) -> None:
        """`max_frame` is the largest payload in bytes."""
        self._max = max_frame
        self._buffer = bytearray()
        self._scanned = 0
        self._in_frame = False
        self._bare_end = False
        self._stray = bytearray()
        self._unended: list[bytes] = []
        self._strays: list[bytes] = []
        self.skipped = 0

    @property
    def mid_frame(self) -> bool:
        """Whether a frame has begun and not ended: the moment when silence is suspicious."""
        return self._in_frame

    def unended(self) -> list[bytes]:
        """Hand over the frames that the next one began in the middle of. They were never acknowledged."""
        found, self._unended = self._unended, []
        return found

    def strays(self) -> list[bytes]:
        """Hand over what followed a bare end mark and was not the start of a frame."""
        found, self._strays = self._strays, []
        return found

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
        outside = bytes(self._buffer[: start if self._in_frame else len(self._buffer)])
        # the line end that some peers add after a frame is courtesy, not noise
        self.skipped += len(outside.strip(_COURTESY))
        if self._bare_end and len(self._stray) <= self._max:
            self._stray += outside
        if self._in_frame:
            if self._stray.strip(_COURTESY):
                self._strays.append(bytes(self._stray))
            self._stray.clear()
            self._bare_end = False
        del self._buffer[: len(outside) + self._in_frame]
        self._scanned = 0
        return self._in_frame

    def _leave(self) -> bytes | None:
        stop = _STOP.search(self._buffer, self._scanned)
        here = stop.start() if stop else len(self._buffer)
        begun = 0
        for restart in _RESTART.finditer(self._buffer, max(0, self._scanned - _LONGEST_RESTART), here):
            if self._buffer[begun : restart.start()].strip(_COURTESY):
                self._unended.append(bytes(self._buffer[begun : restart.start()]))
            begun = restart.start() + 1
        payload = bytes(self._buffer[begun:here]) if stop else None
        if stop:
            self._bare_end = stop.end() == here + 1
            self._in_frame = False
        del self._buffer[: stop.end() if stop else begun]
        self._scanned = len(self._buffer) if stop is None else 0
        return payload
