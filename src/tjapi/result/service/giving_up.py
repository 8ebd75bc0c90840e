"""No value of an item of a laboratory's line will come: a person says so, with the reason, and the line waits for it no more."""

from uuid import UUID

from tjapi.catalog.models import Item
from tjapi.exam import service as exams
from tjapi.exam.models import ExamLine
from tjapi.exam.rules import logged_item
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.errors import DepartmentNotOwn, GivingUpNotPossible, ItemNotOfLine, ResultsClosed, SignerNotStaff
from tjapi.result.models import ResultQuestion
from tjapi.result.rules.revisions import SETTLED
from tjapi.result.schemas import GiveUpIn, QuestionOut
from tjapi.result.service import questions
from tjapi.result.service.book import Book
from tjapi.result.service.computing import compute
from tjapi.result.service.judging import follow

_Place = tuple[ExamLine, Item]
_REPORTED = frozenset({"resulted", "verified"})


async def give_up(uow: UnitOfWork, exam_id: UUID, line_id: UUID, item_id: UUID, given: GiveUpIn) -> QuestionOut:
    """Say that no value of an item will come: it is settled for its line, and stands on the report without one. Twice is once.

    A preliminary value goes with it. Whatever the laboratory says of the item later takes its place again.

    Raises SignerNotStaff, ExamNotFound, ItemNotOfLine, DepartmentNotOwn, ResultsClosed, GivingUpNotPossible.
    """
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    exam = await exams.lock(uow, exam_id)
    book = await Book.read(uow, exam)
    line = book.lines.get(line_id)
    item = next((one for one in book.items_of(line) if one.id == item_id), None) if line is not None else None
    if line is None or item is None:
        raise ItemNotOfLine
    held = uow.principal.departments
    if held is not None and line.department_id not in held:
        await uow.audit("access.refused", "exam_line", line.id, campus_id=exam.campus_id)
        raise DepartmentNotOwn().kept()
    if exam.state in ("finalized", "cancelled"):
        raise ResultsClosed("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    mark = await _standing(uow, exam_id, (line, item))
    waits = line.performed_by == "lis" and line.state not in _REPORTED
    if mark is None or book.now_at(line.id, item.id) is not None or waits:
        # Of a line that has no value at all, what an answer gave up does not settle it either.
        _refuse(book, (line, item))
    if mark is None or book.now_at(line.id, item.id) is not None:
        mark = await _give_up(uow, book, (line, item), given.reason)
    return questions.question_out(mark)


async def specimens_refused(uow: UnitOfWork, exam_id: UUID) -> None:
    """Await what was given up of a specimen that is drawn again."""
    lines = await exams.lines(uow, exam_id)
    await questions.await_again(uow, exam_id, {line.id for line in lines if line.state == "specimen_rejected"})


def _refuse(book: Book, place: _Place) -> None:
    line, item = place
    now = book.now_at(line.id, item.id)
    if line.performed_by != "lis" and not _is_examined(book, line):
        raise GivingUpNotPossible(
            "「{item}」所在项目尚无任何结果:不做的项目请弃检、拒检或延期",
            "Nothing of the line of {item} has a value: waive, refuse or defer the line",
            item=item.name,
        )
    if line.performed_by != "lis" and now is None:
        return
    if now is not None and now.status in SETTLED:
        raise GivingUpNotPossible(
            "「{item}」已有结果,须由检验科室撤回或更正", "{item} has a value: the laboratory withdraws or corrects it", item=item.name
        )  # fmt: skip
    if line.state not in _REPORTED:
        raise GivingUpNotPossible(
            "「{line}」尚无任何结果:请等待结果,或拒收标本后重采、弃检或延期",
            "Nothing of {line} was reported: wait for it, or reject the specimen, and draw another or waive the line",
            line=line.name,
        )


def _is_examined(book: Book, line: ExamLine) -> bool:
    """Say whether anything of a line has a value: then one of its items may have none, as the PR interval of atrial fibrillation."""
    return any(book.now_at(line.id, one.id) is not None for one in book.items_of(line))


async def _give_up(uow: UnitOfWork, book: Book, place: _Place, reason: str) -> ResultQuestion:
    book.strike_all(uow, place, reason)
    mark = await _mark(uow, book, place, reason)
    book.touch(place[0].id)
    compute(uow, book, (one for one in book.lines.values() if one.performed_by == "lis" and book.live(one)))
    await book.close(uow)
    async with uow.for_every_department():
        await follow(uow, book.exam)
    await uow.announce(
        "result", {"exam_id": str(book.exam.id)}, campus_id=book.exam.campus_id, permission="result.read"
    )
    return mark


async def _mark(uow: UnitOfWork, book: Book, place: _Place, reason: str) -> ResultQuestion:
    """Keep that no value of an item will come, as what it is: an answer that nobody had to be asked for."""
    line, item = place
    name = await identity.staff_name(uow, uow.principal.id) or uow.principal.name
    mark = ResultQuestion(
        id=uuid7(), campus_id=book.exam.campus_id, exam_id=book.exam.id, line_id=line.id, item_id=item.id, item_code=item.code,
        item_name=item.name, department_id=line.department_id, kind="missing", key="", result_id=book.result_id(line.id, item.id),
        revision_ids=[], message_id=None, raw_value="", remarks=[], lis_flags=None, status=None, said_at=uow.now, asked_at=uow.now,
        closed_at=uow.now, closed_by=uow.principal.id, closed_name=name, how="person", answer="no_value", reason=reason, gives_up=True,
    )  # fmt: skip
    uow.session.add(mark)
    await uow.session.flush()
    await uow.audit(
        "result_item.given_up", "result_question", mark.id, campus_id=mark.campus_id,
        detail={"exam_id": str(mark.exam_id)} | logged_item(mark.item_code, private=line.private, reason=reason),
    )  # fmt: skip
    return mark


async def _standing(uow: UnitOfWork, exam_id: UUID, place: _Place) -> ResultQuestion | None:
    line, item = place
    return next(
        (
            q
            for q in await repository.questions_of(uow, exam_id)
            if q.gives_up and (q.line_id, q.item_id) == (line.id, item.id)
        ),
        None,
    )
