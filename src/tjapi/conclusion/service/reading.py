"""What a reviewer reads: the queue, the conclusion, and everything of one exam in one answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tjapi.conclusion import views
from tjapi.conclusion.rules import ReviewView
from tjapi.conclusion.schemas import ConclusionOut, QueueItem, UnreadOut
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamNotFound
from tjapi.kernel.db import Built, Look
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.descriptions import read
from tjapi.result.rules.notes import listed


async def get(uow: UnitOfWork, exam_id: UUID) -> ConclusionOut:
    """Return an exam's conclusion; nothing written yet is version 0. Raises ExamNotFound.

    What is signed stays as it was signed; where something came after it, it says which of it rests on other results.
    """
    said = await views.conclusion(uow, exam_id)
    if said is None:
        raise ExamNotFound
    return ConclusionOut.model_validate_json(said)


async def review(look: Look, exam_id: UUID, view: ReviewView, department_id: int | None) -> Built:
    """Return everything of an exam: all results, the flagged ones, or the departments' summaries alone; one department, or all.

    Three views of the same rows, read in one statement. Raises ExamNotFound.
    """
    row = await views.review(look, exam_id, view, department_id)
    if row is None:
        raise ExamNotFound
    version, exam, departments, conclusion, claim, unsigned, described, *why_not = row
    found = exams.outstanding(*why_not)
    outstanding = ",".join(one.model_dump_json() for one in found).encode()
    unread = ",".join(one.model_dump_json() for one in _unread(described or ())).encode()
    parts = (
        exam, b"false" if found else b"true", outstanding, departments, unread, conclusion, claim or b"null", b"true" if unsigned else b"false",
    )  # fmt: skip
    shape = b'{"exam":%b,"complete":%b,"outstanding":[%b],"departments":%b,"unread":[%b],"conclusion":%b,"claim":%b,"unsigned":%b}'
    return Built(version, shape % parts)


def _unread(described: Sequence[Sequence[str]]) -> list[UnreadOut]:
    """Return the sentences of descriptions, and of words beside values, that are neither understood nor known as normal, each with its item."""
    return [
        UnreadOut(result_id=UUID(result_id), item_code=code, item_name=name, text=said)
        for result_id, code, name, words, what in described
        for said in (listed(words, code, name) if what == "remark" else read(words, code, name).unread)
    ]


async def queue(
    uow: UnitOfWork, *, campus_id: int | None, unclaimed: bool, after: list[str] | None, size: int
) -> Sequence[Any]:
    """Return a page of the exams that wait for a reviewer, first ready first, one row too many."""
    return await views.queue(uow, campus_id=campus_id, unclaimed=unclaimed, after=after, size=size)


def queue_item(row: Any) -> QueueItem:
    """Return the public shape of a row of the queue."""
    return QueueItem.model_validate({**row._mapping, "conclusion_state": row.conclusion_state or "draft"})  # noqa: SLF001 - SQLAlchemy's public name
