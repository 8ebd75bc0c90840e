"""What no machine may decide about a result: asked of a person, blocking the final review, answered by name."""

from collections.abc import Collection, Sequence
from typing import Literal, cast
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.identity import service as identity
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.events import CriticalExcluded
from tjapi.result.models import ResultQuestion
from tjapi.result.rules.questions import JUDGED_FLAGS, UNKNOWN, QuestionKind
from tjapi.result.schemas import QuestionOut

_BLOCKS = {kind: f"result_{kind}" for kind in ("unread", "contested", "undetermined", "implausible")}

_LAPSED = "/lapsed"
_REVIEW = "conclusion.review"


def scope_of(reader: Principal) -> tuple[int, ...] | None:
    """Return of which departments somebody is shown what exams hold; None: of all."""
    return None if reader.may(_REVIEW) else reader.departments


async def kept(uow: UnitOfWork, exam_id: UUID) -> Sequence[ResultQuestion]:
    """Return the questions about an exam that are open, and those that a person has answered; the caller holds the exam's lock."""
    return await repository.questions_of(uow, exam_id)


async def ask(uow: UnitOfWork, question: ResultQuestion, *, finalized: bool) -> None:
    """Put a question to a person; it blocks the final review, unless that is over."""
    uow.session.add(question)
    await uow.session.flush()
    if not finalized:
        await exams.block(uow, question.exam_id, _BLOCKS[question.kind], f"question:{question.id}")
    detail = {"exam_id": str(question.exam_id), "kind": question.kind, "item": question.logged}
    await uow.audit(
        "result_question.asked", "result_question", question.id, campus_id=question.campus_id, detail=detail
    )
    told = {"exam_id": str(question.exam_id), "question_id": str(question.id), "kind": question.kind}
    await uow.announce("result_question", told, campus_id=question.campus_id, permission="result.read")


async def close(
    uow: UnitOfWork, question: ResultQuestion, how: Literal["person", "value", "line"], *, finalized: bool
) -> None:
    """Close a question, and let go of what it blocked."""
    question.how, question.closed_at = how, uow.now
    if how == "person":
        question.closed_by = uow.principal.id
        question.closed_name = await identity.staff_name(uow, uow.principal.id) or uow.principal.name
    await uow.session.flush()
    if not finalized:
        await exams.unblock(uow, question.exam_id, _BLOCKS[question.kind], f"question:{question.id}")


async def settle_unknown(uow: UnitOfWork, held: Sequence[ResultQuestion], stands: Collection[UUID]) -> None:
    """Say of which items a value stands that is known, though nobody knew once what it was; `stands` are the items that have a current value."""
    asked: dict[UUID, list[ResultQuestion]] = {}
    for question in held:
        if question.kind in UNKNOWN and question.item_id in stands:
            asked.setdefault(question.item_id, []).append(question)
    for own in asked.values():
        if all(question.closed_at is not None for question in own):
            await uow.publish(
                CriticalExcluded(
                    campus_id=own[0].campus_id, exam_id=own[0].exam_id, item_code=own[0].item_code,
                    keys=tuple(question.key for question in own if question.kind == "unread"),
                )
            )  # fmt: skip


async def block_open(uow: UnitOfWork, exam_id: UUID) -> None:
    """Let the open questions of an exam block its final review: it is to be reviewed again."""
    for question in await repository.questions_of(uow, exam_id):
        if question.closed_at is None:
            await exams.block(uow, exam_id, _BLOCKS[question.kind], f"question:{question.id}")


async def drop_questions(uow: UnitOfWork, exam_id: UUID, line_ids: Collection[UUID]) -> None:
    """Close the questions about lines that are not carried out any more; what was given up of them is awaited when they come again."""
    await await_again(uow, exam_id, line_ids)
    for question in await repository.questions_of(uow, exam_id):
        if question.closed_at is None and question.line_id in line_ids:
            await close(uow, question, "line", finalized=False)


async def lapse(uow: UnitOfWork, exam_id: UUID) -> None:
    """Let nobody's word on values stand that was said of the person as the exam had them before: they are asked again."""
    for question in await repository.questions_of(uow, exam_id):
        if question.answer in JUDGED_FLAGS and not question.key.endswith(_LAPSED):
            assert question.result_id is not None
            # What it was an answer to is nobody's question any more.
            question.key += _LAPSED
            await repository.judge(uow, question.result_id, None)
    await uow.session.flush()


async def await_again(uow: UnitOfWork, exam_id: UUID, line_ids: Collection[UUID]) -> None:
    """Another specimen is drawn, or none: what was given up was given up of the one before."""
    for question in await repository.questions_of(uow, exam_id):
        if question.gives_up and question.line_id in line_ids:
            question.gives_up = False
    await uow.session.flush()


async def page(
    uow: UnitOfWork, *, exam_id: UUID | None, kind: QuestionKind | None, department_id: int | None, still_open: bool | None,
    after: Sequence[str] | None, size: int,
) -> Sequence[ResultQuestion]:  # fmt: skip
    """Return a page of questions, the oldest first, one too many."""
    return await repository.questions_page(
        uow,
        seen_by=scope_of(uow.principal),
        exam_id=exam_id,
        kind=kind,
        department_id=department_id,
        still_open=still_open,
        after=after,
        size=size,
    )


def question_out(question: ResultQuestion) -> QuestionOut:
    """Return the public shape of a question."""
    return QuestionOut.model_validate(question, from_attributes=True).model_copy(
        update={"kind": cast("QuestionKind", question.kind)}
    )
