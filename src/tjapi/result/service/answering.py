"""A person answers what no machine may decide about a result; what follows from the answer follows in the same transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item, ItemUnit
from tjapi.exam import service as exams
from tjapi.exam.models import ExamLine
from tjapi.exam.rules import logged_item
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.rules import Case
from tjapi.result import repository, views
from tjapi.result.errors import (
    AnswerInvalid,
    DepartmentNotOwn,
    QuestionClosed,
    QuestionNotFound,
    ResultsClosed,
    SignerNotStaff,
)
from tjapi.result.events import ResultArrivedLate, ResultsRecorded
from tjapi.result.models import HeldRevision, ResultQuestion
from tjapi.result.rules.answers import Against, against
from tjapi.result.rules.flags import lab_critical, lab_flag
from tjapi.result.rules.numbers import numbers_in
from tjapi.result.rules.questions import ANSWERS, CALM, JUDGED_FLAGS
from tjapi.result.rules.reading import NUMBERS, Reading, read
from tjapi.result.rules.revisions import SETTLED, ResultStatus
from tjapi.result.schemas import AnswerIn, QuestionOut, QuestionValueOut
from tjapi.result.service import questions
from tjapi.result.service.alarming import alarms_of, judge_for
from tjapi.result.service.book import TRANSCRIBED, Book, Entry, value_of
from tjapi.result.service.case import case_of, edition_of
from tjapi.result.service.computing import compute
from tjapi.result.service.judging import follow
from tjapi.result.service.measuring import Turned, doubted, in_any_unit, in_our_unit
from tjapi.result.service.reading import shown_value

_Place = tuple[ExamLine, Item]


async def answer(uow: UnitOfWork, question_id: UUID, given: AnswerIn) -> QuestionOut:
    """Answer a question.

    `normal`, `abnormal`, `not_judged` say so of the value as it stands, until another comes or the person is another one;
    what a rule finds something of by itself is not called normal. `keep` strikes the values that contradict
    the one named; `value` records what a person read, in place of all that contradict each other; `wrong` strikes the value, or all of
    these; `confirmed` leaves things as they are. Of what could not be read, `keep` says that what stands holds all the same, and `no_value`
    that nothing does: whatever stands is struck, and none will come. What is against what was said, or ends calmly what may be critical, is
    taken with the reason why (`kept_because`), which stays with the answer and its value.

    Raises SignerNotStaff, QuestionNotFound, DepartmentNotOwn, QuestionClosed, AnswerInvalid, ResultsClosed.
    """
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    seen = await repository.question(uow, question_id)
    if seen is None:
        raise QuestionNotFound
    await _only_own(uow, seen)
    book = await Book.open(uow, seen.exam_id)
    question = await repository.question(uow, question_id)
    assert question is not None
    if question.closed_at is not None:
        raise QuestionClosed
    if given.answer not in ANSWERS[question.kind]:  # type: ignore[index] # the database holds no other kind
        raise _wrong("answer", "不适用于这类问题", "does not answer a question of this kind")
    finalized = book.exam.state == "finalized"
    if book.exam.state == "cancelled":
        raise ResultsClosed("体检当前为「{current}」", "The exam is {current}", current=book.exam.state)
    line = book.lines[question.line_id]
    item = next(item for item in book.items_of(line) if item.id == question.item_id)
    if given.answer in CALM:
        await _refuse_calm(uow, book, question, given.answer)
    if given.kept_because is None:
        await _ask_back(uow, book, question, item, given)
    judged = await _do(uow, book, question, (line, item), given)
    question.answer, question.reason, question.kept_because = given.answer, given.reason, given.kept_because
    question.gives_up = given.answer == "no_value"
    await questions.close(uow, question, "person", finalized=finalized)
    because = {"kept_because": given.kept_because} if given.kept_because is not None else {}
    await uow.audit(
        "result_question.answered", "result_question", question.id, campus_id=question.campus_id,
        detail={"exam_id": str(question.exam_id), "kind": question.kind, "answer": given.answer}
        | logged_item(question.item_code, private=line.private or question.private, **because),
    )  # fmt: skip
    book.touch(line.id)
    compute(uow, book, (one for one in book.lines.values() if one.performed_by == line.performed_by and book.live(one)))
    await book.close(uow)
    if judged is not None:
        await uow.publish(ResultsRecorded(campus_id=book.exam.campus_id, exam_id=book.exam.id, result_ids=(judged,)))
    if judged is not None and finalized:
        # What was signed says that nobody had judged it.
        await uow.publish(
            ResultArrivedLate(
                campus_id=book.exam.campus_id, exam_id=book.exam.id, result_id=judged, question_id=question.id
            )
        )
    if not finalized:
        async with uow.for_every_department():
            await follow(uow, book.exam)
    await uow.announce(
        "result", {"exam_id": str(book.exam.id)}, campus_id=book.exam.campus_id, permission="result.read"
    )
    return (await shown(uow, [question]))[0]


async def get(uow: UnitOfWork, question_id: UUID) -> QuestionOut:
    """Return a question. Raises QuestionNotFound."""
    question = await repository.question(uow, question_id)
    own = questions.scope_of(uow.principal)
    if question is None or not (
        own is None or question.department_id in own or await exams.has_line_of(uow, question.exam_id, own)
    ):
        raise QuestionNotFound
    return (await shown(uow, [question]))[0]


async def shown(uow: UnitOfWork, rows: Sequence[ResultQuestion]) -> list[QuestionOut]:
    """Return the public shape of questions, each with the values that it is about."""
    wanted = {revision_id for row in rows for revision_id in row.revision_ids}
    found = {r.id: r for r in await repository.revisions_by_id(uow, wanted)} if wanted else {}
    return [
        questions.question_out(row).model_copy(
            update={
                "values": [
                    QuestionValueOut(
                        revision_id=r.id, value=shown_value(r), unit=r.unit, flag=r.flag, observed_at=r.observed_at
                    )
                    for r in (found[i] for i in row.revision_ids if i in found)
                ]
            }
        )
        for row in rows
    ]  # fmt: skip


async def _refuse_calm(uow: UnitOfWork, book: Book, question: ResultQuestion, answer: str) -> None:
    """Nobody calls a value normal, or leaves it without a mark, of which by itself a rule finds something: the report would say both.

    Nor does anybody call normal what alarms, by our rules, by the laboratory's word, or because it cannot be excluded; that has its mark.
    That a value has changed since the last exam, or is one of several that a rule names, says nothing of it alone. Raises AnswerInvalid.
    """
    now = book.now_at(question.line_id, question.item_id)
    marks = (now.lis_flags or "").split() if now is not None else []
    if answer == "normal" and (lab_flag(marks) or lab_critical(marks)):
        raise _wrong(
            "answer", "检验科标为异常:请判为异常或不作判断,或由检验科更正结果", "the laboratory flags it: call it abnormal, do not judge it, or have it corrected"
        )  # fmt: skip
    edition, whole = await edition_of(uow, book.exam), await case_of(uow, book.exam.id)
    value = next((known for known in whole.every if known.result_id == question.result_id), None)
    if edition is None or value is None:
        return
    alone = Case(whole.sex, whole.age_years, {value.item_code: value}, pregnant=whole.pregnant, age_days=whole.age_days)
    found = edition.fired("finding", alone, frozenset(alone.values))
    if answer == "normal":
        found += alarms_of(edition, alone)
    # What holds of the person alone names no value.
    name = next((fired.rule.name for fired in found if value.result_id in fired.verdict.result_ids), None)
    if name is not None:
        zh, en = (
            f"该结果符合规则「{name}」,请判为异常,或更正结果",
            f"rule {name} finds it: call it abnormal, or have it corrected",
        )
        raise _wrong("answer", zh, en)


async def _ask_back(uow: UnitOfWork, book: Book, question: ResultQuestion, item: Item, given: AnswerIn) -> None:
    """Ask back an answer that nobody has said a reason for against what was said. Raises AnswerInvalid."""
    if question.kind not in ("unread", "contested") or item.kind not in NUMBERS:
        return
    others = (await catalog.units(uow, {item.id})).get(item.id, ())
    standing = [r for r in _all(book, question) if r.id in question.revision_ids]
    texts = [(question.raw_value, "")] if question.kind == "unread" else [(r.text, r.unit or "") for r in standing]
    said = {one.numeric for text, unit in texts for n in numbers_in(text) for one in in_any_unit(n, unit, item, others)}
    typed = _typed(item, given, others)
    marks = (question.lis_flags or "").split() + [m for r in standing for m in (r.lis_flags or "").split()]
    critical = given.answer != "value" and (
        lab_critical(marks) or (await judge_for(uow, book.exam, [item])).may_be_critical(item, texts)
    )
    numbers = [None, None] if typed is None else [typed[0].value.numeric, typed[1][0].numeric]
    why = against(question.kind, given.answer, {n for n in said if n is not None}, numbers, critical=critical)
    if typed is None and given.answer == "value":
        return  # it is no value, which is refused by itself
    if why is not None:
        # What was said is in the question; a refusal, which is kept by whoever asked, does not quote it.
        raise AnswerInvalid(errors=[FieldError("/kept_because", why, *(s.format(item.name) for s in _AGAINST[why]))])


_SHOWN_WORDS = 200
_AGAINST: Mapping[Against, tuple[str, str]] = {
    "differs-from-original": (
        "「{}」所录数值与原文不符,如经核实仍以所录为准,请填写理由", "the value of {} is none that stands in what was said; say why it stands all the same",
    ),
    "may-be-critical": (
        "「{}」的原文不能排除危急值,如经核实仍如此作答,请填写理由", "what was said of {} may be critical; say why this answer stands all the same",
    ),
}  # fmt: skip


def _typed(item: Item, given: AnswerIn, others: Sequence[ItemUnit]) -> tuple[Reading, Turned] | None:
    """Return what a person read, as it was typed and in the item's unit; None: it is no value of the item."""
    reading = read(item.kind, given.value or "", [unit for unit in (item.unit, *(u.unit for u in others)) if unit])
    turned = in_our_unit(reading, "", item, others) if reading is not None else None
    return (reading, turned) if reading is not None and turned is not None else None


def _reason(question: ResultQuestion, given: AnswerIn) -> str:
    """Return the reason that is kept beside a value: with what was said, where the value is against it."""
    if given.kept_because is None:
        return given.reason
    words = f"原文「{question.raw_value[:_SHOWN_WORDS]}」" if question.kind == "unread" else "结果相互矛盾"
    return f"{given.reason};{words},仍以所录为准:{given.kept_because}"


async def _do(uow: UnitOfWork, book: Book, question: ResultQuestion, place: _Place, given: AnswerIn) -> UUID | None:
    """Do what the answer says; return the result that was judged, if one was."""
    if given.answer in JUDGED_FLAGS:
        assert question.result_id is not None
        flag = JUDGED_FLAGS[given.answer]
        result = book.result_of(question.result_id)
        assert result is not None
        result.judged_flag = flag
        await repository.judge(uow, result.id, flag)
        return result.id
    if given.answer == "keep" and question.kind == "unread":
        if book.now_at(question.line_id, question.item_id) is None:
            raise _wrong("answer", "该项目没有可沿用的结果", "nothing stands of the item that could hold")
    elif given.answer == "no_value":
        book.strike_all(uow, place, given.reason)
    elif given.answer == "keep":
        _keep(uow, book, question, place, given)
    elif given.answer == "value":
        await _transcribe(uow, book, question, place, given)
    elif given.answer == "wrong" and question.kind == "contested":
        book.strike_all(uow, place, given.reason)
    elif given.answer == "wrong":
        wrong = next(r for r in _all(book, question) if str(r.id) == question.key)
        book.strike(uow, place, wrong, given.reason)
    return None


def _keep(uow: UnitOfWork, book: Book, question: ResultQuestion, place: _Place, given: AnswerIn) -> None:
    said = {r.id: r for r in _all(book, question)}
    now = book.now_at(question.line_id, question.item_id)
    assert question.result_id is not None
    standing = [*([now.id] if now is not None else []), *book.rivals_of(question.result_id)]
    if given.revision_id not in standing:
        raise _wrong("revision_id", "须为相互矛盾的结果之一", "must be one of the values that contradict each other")
    for revision_id in standing:
        if value_of(said[revision_id]).same != value_of(said[given.revision_id]).same:
            book.strike(uow, place, said[revision_id], given.reason)


async def _transcribe(uow: UnitOfWork, book: Book, question: ResultQuestion, place: _Place, given: AnswerIn) -> None:
    """Record what a person read, in any unit that the item is said in; what can hardly be is asked back as it is of a laboratory."""
    line, item = place
    others = (await catalog.units(uow, {item.id})).get(item.id, ())
    typed = _typed(item, given, others)
    if typed is None:
        raise _wrong("value", "应为该项目可读的数值", "must be a value that the item takes")
    value, unit, conversion = typed[1]
    last = await views.last_numbers(uow, book.exam, {item.code}) if item.delta_percent is not None else {}
    now = book.now_at(line.id, item.id)
    settled = now is not None and now.status in SETTLED
    # It takes the place of what could not be read, said when that was said: a later word of the laboratory, seen or not, is later still.
    status: ResultStatus = "corrected" if settled else "final"
    observed_at = now.observed_at if now is not None else question.said_at
    said_at, marks = question.said_at, tuple((question.lis_flags or "").split())
    if question.kind == "contested":
        # None of them holds, nor what the laboratory flagged them with; what it says after the last of them is later still.
        said_at, marks = max(said_at, *(r.issued_at for r in _all(book, question))), ()
        book.strike_all(uow, place, given.reason)
    book.add(
        uow,
        Entry(
            line=line, item=item, status=status, value=value, unit=unit, conversion=conversion, observed_at=observed_at,
            issued_at=said_at, source=TRANSCRIBED, reason=_reason(question, given), doubt=doubted(value, item, last.get(item.code), book.exam.age_years), remarks=tuple(question.remarks), message_id=question.message_id,
            lis_marks=marks,
        ),
    )  # fmt: skip


def _all(book: Book, question: ResultQuestion) -> Sequence[HeldRevision]:
    return book.revisions_of(question.result_id) if question.result_id is not None else ()


def _wrong(field: str, zh: str, en: str) -> AnswerInvalid:
    return AnswerInvalid(errors=[FieldError(f"/{field}", "invalid", zh, en)])


async def _only_own(uow: UnitOfWork, question: ResultQuestion) -> None:
    held = uow.principal.departments
    if held is None or question.department_id in held:
        return
    await uow.audit("access.refused", "result_question", question.id, campus_id=question.campus_id)
    raise DepartmentNotOwn().kept()
