"""What renderer and worker say to each other over a pipe: a JSON head and raw bytes. No pickle: a head is only data."""

import json
from collections.abc import Sequence
from struct import Struct
from typing import Any

from tjapi.kernel.documents.errors import (
    DocumentError,
    RenderFailed,
    RenderTooLarge,
    TemplateInvalid,
    TemplateNotFound,
)

PREFIX = Struct(">II")
"""Lengths in bytes of the head and of the body that follow."""
MAX_BYTES = 512 * 2**20


def pack(head: dict[str, Any], *blobs: bytes) -> list[bytes]:
    """Make the pieces of one frame."""
    text = json.dumps(head, ensure_ascii=False).encode("utf-8")
    return [PREFIX.pack(len(text), sum(map(len, blobs))), text, *blobs]


def lengths(prefix: bytes) -> tuple[int, int]:
    """Read a prefix. Raises ValueError when it announces more than any honest peer sends."""
    head, body = PREFIX.unpack(prefix)
    if head > MAX_BYTES or body > MAX_BYTES:
        raise ValueError("frame too large")
    return head, body


def cut(body: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Cut a body into blobs of these sizes."""
    out, at = [], 0
    for size in sizes:
        out.append(body[at : at + size])
        at += size
    return out


def tell(error: DocumentError) -> dict[str, Any]:
    """Write an error as a frame's head."""
    return {"error": type(error).__name__, "arguments": {k: v for k, v in vars(error).items() if not k.startswith("_")}}


def told(head: dict[str, Any]) -> DocumentError:
    """Read back what `tell` wrote."""
    kinds: dict[str, type[DocumentError]] = {
        kind.__name__: kind for kind in (TemplateNotFound, TemplateInvalid, RenderTooLarge, RenderFailed)
    }
    return kinds[head["error"]](**head["arguments"])
