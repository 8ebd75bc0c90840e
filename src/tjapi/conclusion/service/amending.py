"""What came after the final sign-off: a task for each value, read or not, open until somebody says what became of it. Nothing edits the report."""

from collections.abc import Collection, Sequence
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import AmendmentNeeded, AmendmentOpen, AmendmentTaskNotFound
from tjapi.conclusion.errors import AmendmentTaskClosed as AmendmentTaskIsClosed
from tjapi.conclusion.events import AmendmentTaskClosed
from tjapi.conclusion.models import AmendmentTask, TaskKind
from tjapi.conclusion.schemas import AmendmentTaskOut
from tjapi.conclusion.service.following import stands
from tjapi.critical_value import service as criticals
from tjapi.exam import service as exams
from tjapi.exam.events import ExamPersonCompared
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import service as results
from tjapi.result.events import ResultArrivedLate
from tjapi.result.rules.questions import QUESTION_LABELS


async def raise_task(uow: UnitOfWork, event: ResultArrivedLate) -> None:
    """Raise a task for what came late; again changes nothing."""
    task_id = await repository.add_task(uow, event)
    if task_id is None:
        return
    reason = {"question_id": str(event.question_id)} if event.question_id else {"result_id": str(event.result_id)}
    await _tell(uow, event.campus_id, event.exam_id, task_id, reason)


_ENDED: dict[TaskKind, str] = {"past": "所引往次结果与现有结果一致", "person": "所载受检者信息与档案一致"}


async def raise_named_task(uow: UnitOfWork, campus_id: int | None, exam_id: UUID, kind: TaskKind, words: str) -> None:
    """Raise a task that words name, of a finalized exam: what it tells of an earlier one (`past`), or of its person, holds no longer.

    While one of its kind is open, that is the one.
    """
    task_id = await repository.add_named_task(uow, campus_id, exam_id, kind, words)
    if task_id is not None:
        await _tell(uow, campus_id, exam_id, task_id, {kind: "true"})


async def end_named_task(uow: UnitOfWork, exam_id: UUID, kind: TaskKind, words: Collection[str] | None = None) -> None:
    """What is told of earlier exams, or of the person, holds: by a new version, or because it is so again; the caller holds the exam's lock.

    `words`: only tasks that say this; what a report prints of the person does not come right because its exam is in doubt no more.
    """
    for task in await repository.open_tasks(uow, exam_id):
        said = getattr(task, kind)
        if said is not None and (words is None or said in words):
            _close(uow, task, _ENDED[kind])
            await uow.audit("amendment_task.closed", "amendment_task", task.id, campus_id=task.campus_id)
            await uow.publish(AmendmentTaskClosed(campus_id=task.campus_id, exam_id=exam_id, task_id=task.id))


async def person_compared(uow: UnitOfWork, event: ExamPersonCompared) -> None:
    """A finalized exam was held against its person: a task while it is in doubt that it is theirs. The caller holds the exam's lock."""
    if event.why is not None:
        await raise_named_task(uow, event.campus_id, event.exam_id, "person", event.why)
    else:
        await end_named_task(uow, event.exam_id, "person", frozenset(exams.WHOSE.values()))


async def _tell(uow: UnitOfWork, campus_id: int | None, exam_id: UUID, task_id: UUID, reason: dict[str, str]) -> None:
    detail = {"exam_id": str(exam_id), **reason}
    await uow.audit("amendment_task.raised", "amendment_task", task_id, campus_id=campus_id, detail=detail)
    told = {"exam_id": str(exam_id), "task_id": str(task_id)}
    await uow.announce("amendment_task", told, campus_id=campus_id, permission="conclusion.read")


def _close(uow: UnitOfWork, task: AmendmentTask, outcome: str) -> None:
    task.state, task.outcome, task.closed_by, task.closed_at = "closed", outcome, uow.principal.id, uow.now


async def close_task(uow: UnitOfWork, task_id: UUID, outcome: str) -> AmendmentTaskOut:
    """Say what became of a task: nothing that was signed is another now.

    Where the results are others than those that were signed, the exam is opened again and signed anew, which closes its tasks; no word
    makes a report true. What it prints of an earlier exam, or of the person, is printed anew, which ends that task. Nor does one answer what a person is asked of the exam's results, or see to a critical value.

    Raises AmendmentTaskNotFound, AmendmentTaskClosed, AmendmentNeeded, AmendmentOpen.
    """
    exam_id = await repository.exam_of_task(uow, task_id)
    if exam_id is None:
        raise AmendmentTaskNotFound
    # The exam before its tasks, as whoever signs anew takes them.
    exam = await exams.lock(uow, exam_id)
    task = await repository.task(uow, task_id)
    assert task is not None
    if task.state != "open":
        raise AmendmentTaskIsClosed
    if exam.state == "finalized" and (task.past or task.person or not await stands(uow, exam_id)):
        raise AmendmentNeeded
    waiting = await waits_for(uow, exam_id)
    if waiting is not None:
        zh, en = waiting
        raise AmendmentOpen("{what},处理后方可结案", "{what_en}: it is dealt with first", what=zh, what_en=en)
    _close(uow, task, outcome)
    await uow.audit("amendment_task.closed", "amendment_task", task_id, campus_id=task.campus_id)
    await uow.publish(AmendmentTaskClosed(campus_id=task.campus_id, exam_id=task.exam_id, task_id=task.id))
    return await task_out(uow, task)


async def waits_for(uow: UnitOfWork, exam_id: UUID) -> tuple[str, str] | None:
    """Return what a person is asked of an exam before anybody can say that nothing changed: an open question, or a class A alert of which nobody was told."""
    async with uow.for_every_department():
        asked = await results.questions_page(
            uow, exam_id=exam_id, kind=None, department_id=None, still_open=True, after=None, size=0
        )
        if asked:
            question = asked[0]
            zh, en = QUESTION_LABELS[question.kind]  # type: ignore[index] # the database holds no other kind
            return f"「{question.item_name}」{zh},尚未答复", f"{question.item_name}: {en}, and nobody has answered"
        alert = await criticals.untold(uow, exam_id)
    if alert is None:
        return None
    return f"危急值「{alert.rule_name}」尚未通知", f"of critical value {alert.rule_name} nobody was told"


async def close_tasks(uow: UnitOfWork, exam_id: UUID, outcome: str) -> None:
    """What came late is in what two people have signed anew."""
    for task in await repository.open_tasks(uow, exam_id):
        _close(uow, task, outcome)
        await uow.audit("amendment_task.closed", "amendment_task", task.id, campus_id=task.campus_id)


async def tasks(uow: UnitOfWork, *, state: str | None, after: list[str] | None, size: int) -> Sequence[AmendmentTask]:
    """Return a page of tasks, oldest first, one too many."""
    return await repository.tasks(uow, state=state, after=after, size=size)


async def has_open_task(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether something came after the final sign-off that nobody has dealt with: the report is outdated."""
    return await repository.has_open_task(uow, exam_id)


async def task_out(uow: UnitOfWork, task: AmendmentTask) -> AmendmentTaskOut:
    """Return the public shape of a task: whose exam, which item, what it was and is; of what is private to who may see it alone."""
    exam = await exams.get(uow, task.exam_id)
    told = {"exam_no": exam.exam_no, "name_masked": exam.name[:1] + "*" * len(exam.name[1:])}
    found = await results.change_of(uow, task.result_id, task.revision_id) if task.result_id is not None else None
    change = {"item_name": found.item_name, "was": found.was, "now": found.now} if found is not None else {}
    return AmendmentTaskOut.model_validate(task).model_copy(update=told | change)
