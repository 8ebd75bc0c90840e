"""The verbs of the review, one use case per file: writing and signing, generating, claiming, reading, and what comes too late."""

from tjapi.conclusion.service.amending import (
    close_task,
    end_named_task,
    has_open_task,
    person_compared,
    raise_named_task,
    raise_task,
    task_out,
    tasks,
    waits_for,
)
from tjapi.conclusion.service.claiming import claim, release
from tjapi.conclusion.service.following import follow, stands
from tjapi.conclusion.service.generating import generate
from tjapi.conclusion.service.importing import PastConclusion, PastEntry, Signature, import_past
from tjapi.conclusion.service.reading import get, queue, queue_item, review
from tjapi.conclusion.service.writing import (
    finalize,
    give_back,
    invalidate,
    reopen,
    reopened,
    sign,
    version_of,
    write,
)

__all__ = [
    "PastConclusion",
    "PastEntry",
    "Signature",
    "claim",
    "close_task",
    "end_named_task",
    "finalize",
    "follow",
    "generate",
    "get",
    "give_back",
    "has_open_task",
    "import_past",
    "invalidate",
    "person_compared",
    "queue",
    "queue_item",
    "raise_named_task",
    "raise_task",
    "release",
    "reopen",
    "reopened",
    "review",
    "sign",
    "stands",
    "task_out",
    "tasks",
    "version_of",
    "waits_for",
    "write",
]  # fmt: skip
