"""The child process that renders: `python -m tjapi.kernel.documents.worker <templates> <memory bytes> <parent pid>`.

It has the memory it was given, no environment to speak of, and ends with its parent: at once when idle (its pipe
closes), within a second when busy (a thread watches the parent).
"""

import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from tjapi.kernel.documents.engine import Part, render_labels, render_parts
from tjapi.kernel.documents.errors import DocumentError, RenderFailed, RenderTooLarge
from tjapi.kernel.documents.fonts import load_fonts
from tjapi.kernel.documents.frames import PREFIX, cut, lengths, pack, tell


def main() -> None:
    """Serve frames from standard input until it closes."""
    templates, memory, parent = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it closes us when it is done
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would be a patient's report on disk
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not corrupt the frames
    load_fonts(templates)
    _send(out, {"ready": True})
    while (frame := _receive(sys.stdin.buffer)) is not None:
        head, body = frame
        answer, blob = _serve(head, body, templates)
        _send(out, answer, blob)
        if answer.get("retire"):
            return


def _serve(head: dict[str, Any], body: bytes, templates: Path) -> tuple[dict[str, Any], bytes]:
    template = str(head["parts"][0]["template"])
    try:
        parts = _parts(head["parts"], body)
        if head["form"] != "pdf":
            labels = render_labels(parts, head["form"], templates=templates)
            return {"pages": labels.labels, "missing": labels.missing_glyphs}, labels.content
        made = render_parts(parts, now=datetime.fromisoformat(head["now"]), templates=templates)
    except DocumentError as error:
        return tell(error), b""
    except MemoryError:
        # the heap may be in pieces: this process ends
        return {**tell(RenderTooLarge(template, "more memory than allowed")), "retire": True}, b""
    except Exception as error:  # noqa: BLE001  # reported to the parent; the message may quote data, the frames do not
        sys.stderr.writelines(traceback.format_tb(error.__traceback__))
        return {**tell(RenderFailed(template, type(error).__name__)), "retire": True}, b""
    return {
        "pages": made.pages,
        "sha256": made.sha256,
        "missing": made.missing_glyphs,
        "seal": made.seal_place,
    }, made.pdf


def _parts(heads: list[dict[str, Any]], body: bytes) -> list[Part]:
    blobs = iter(cut(body, [size for head in heads for size in (head["data"], *(n for _, n in head["assets"]))]))
    return [
        Part(head["template"], next(blobs).decode("utf-8"), {key: next(blobs) for key, _ in head["assets"]})
        for head in heads
    ]


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _receive(pipe: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    prefix = pipe.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    head, body = lengths(prefix)
    return json.loads(pipe.read(head)), pipe.read(body)


def _send(pipe: BinaryIO, head: dict[str, Any], blob: bytes = b"") -> None:
    pipe.writelines(pack(head, blob))
    pipe.flush()


if __name__ == "__main__":
    main()
