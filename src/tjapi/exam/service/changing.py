"""Lines while the exam goes on: 加项, 退项, 换项, 拒检, 弃检, 延期, and their undoing.

Four things that must not be mixed up: what is withdrawn costs nothing and is gone; what is refused (by the person, signed) or waived (by
the staff) stays on the report; what is deferred is still owed. Each command is one transaction: the lines, the tubes and orders, the
departments' signatures and the price follow in it, by whatever path it came.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignStateConflict
from tjapi.employer.service import Member
from tjapi.exam import repository
from tjapi.exam.errors import (
    DecisionInTheWay,
    DueDateNotAhead,
    ExamStateConflict,
    ItemGroupOrdered,
    LineNotOwn,
    LineNotThere,
    LineStateConflict,
    SignatureNotTheirs,
)
from tjapi.exam.events import LinesReinstated, LinesSetAside
from tjapi.exam.models import Exam, ExamLine, ExamLineStep
from tjapi.exam.rules import (
    GONE,
    LINE_MOVES,
    OPEN_FOR_LINES,
    UNCHARGED,
    LineAction,
    Repricing,
    decided,
    logged,
    may_move,
    owed,
    repricing,
    way_out,
)
from tjapi.exam.schemas import LineStepOut
from tjapi.exam.service.course import draft_lines, release
from tjapi.exam.service.holding import add, get, held_here, lock
from tjapi.exam.service.holding import lines as lines_of
from tjapi.exam.service.standing import UNSUITABLE, said_state, settle, shown_name, step, unblock
from tjapi.exam.service.suiting import misfits_of, person_of
from tjapi.examinee import service as examinees
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing
from tjapi.pricing.rules import overlaps

_EVERY_LINE = "exam.write"
ENDS: Mapping[LineAction, str] = {
    "withdrawn": "withdrawn", "substituted": "substituted", "refused": "refused", "waived": "waived", "deferred": "deferred",
}  # fmt: skip


async def add_lines(
    uow: UnitOfWork,
    exam_id: UUID,
    item_group_ids: Sequence[UUID],
    *,
    reason: str | None = None,
    payment_required: bool = False,
) -> Exam:
    """Order further item groups at their list price. An exam that was complete goes on.

    Raises ExamNotFound, ExamStateConflict, ItemGroupOrdered, and what a quote raises.
    """
    exam = await _open(uow, exam_id)
    await _add(uow, exam, item_group_ids, reason=reason, replaces=None, payment_required=payment_required)
    await _close(uow, exam)
    return exam


async def substitute_line(
    uow: UnitOfWork,
    exam_id: UUID,
    line_id: UUID,
    item_group_ids: Sequence[UUID],
    *,
    reason: str,
    payment_required: bool = False,
) -> Exam:
    """Put other item groups in the place of one that nobody has begun: its price is given back, theirs is charged.

    Raises ExamNotFound, ExamStateConflict, LineNotThere, LineStateConflict, ItemGroupOrdered, and what a quote raises.
    """
    exam = await _open(uow, exam_id)
    line = (await _chosen(uow, exam, [line_id], "substituted", "/line_id"))[0]
    await _set_aside(uow, exam, [line], "substituted", reason=reason)
    await _add(uow, exam, item_group_ids, reason=reason, replaces=line.id, payment_required=payment_required)
    await _close(uow, exam)
    return exam


@dataclass(frozen=True, slots=True)
class Repriced:
    """What pricing a member's exam anew would come to: what is offered now, and what becomes of each line."""

    quote: pricing.Quote
    lines: Sequence[ExamLine]
    moves: Repricing[UUID]

    @property
    def going(self) -> list[ExamLine]:
        """The lines that are offered no more."""
        return [line for line in self.lines if line.item_group_id in self.moves.goes]

    @property
    def same(self) -> bool:
        """Whether it changes nothing."""
        offered = {priced.item_group.id: (priced.price_fen, priced.employer_share_fen) for priced in self.quote.lines}
        stay = [line for line in self.lines if line.item_group_id in self.moves.stays]
        priced = all((line.price_fen, line.employer_share_fen) == offered[line.item_group_id] for line in stay)
        return priced and not self.moves.comes and not self.moves.goes


async def repriced(uow: UnitOfWork, exam: Exam, member: Member) -> Repriced:
    """Say what pricing an exam anew would come to, and write nothing: the one body of every door that does it.

    What was withdrawn, substituted or added for the examinee stays so. Raises DecisionInTheWay where what is offered now examines what was
    taken away or what was added, and what a member's quote raises.
    """
    rows = await lines_of(uow, exam.id)
    said = [(row.line_id, row.action, row.by_offer) for row in await repository.line_steps(uow, exam.id)]
    people = decided([(line.id, line.item_group_id, line.state) for line in rows], said)
    fits = person_of(exam)
    quote = await pricing.quote_member(uow, member, person=fits, on=exam.exam_date, apart=people.gone)
    here = [line for line in rows if line.state not in GONE]
    wanted = [priced.item_group.id for priced in quote.lines]
    moves = repricing([line.item_group_id for line in here], wanted, people)
    await _refuse_against(uow, rows, quote, moves, people.gone)
    return Repriced(quote, here, moves)


async def _refuse_against(
    uow: UnitOfWork, rows: Sequence[ExamLine], quote: pricing.Quote, moves: Repricing[UUID], gone: Collection[UUID]
) -> None:
    """Refuse what would come although it examines what was taken away, or what was added already. Raises DecisionInTheWay."""
    if not moves.comes or not (moves.kept or gone):
        return
    names = {line.item_group_id: line.name for line in rows} | {p.item_group.id: p.item_group.name for p in quote.lines}
    held = await catalog.group_items(uow, [*moves.comes, *moves.kept, *gone])
    items = {key: [one.id for one in group] for key, group in held.items()}
    errors = []
    for one in overlaps(items, moves.comes, [*moves.kept, *gone], []):
        come, other = names[one.added], names[one.other]
        if one.other in gone:
            zh, en = f"{come} 含有已为受检者退掉的 {other} 的内容", f"{come} examines what was taken away with {other}"
        else:
            zh, en = f"{come} 与已为受检者加做的 {other} 内容重复", f"{come} repeats what was added with {other}"
        errors.append(FieldError("/group_id", one.how, zh, en))
    for pair, why in (await catalog.exclusions(uow, [*moves.comes, *moves.kept])).items():
        new, kept = sorted(pair, key=lambda key: key in moves.kept)
        if new in moves.comes and kept in moves.kept:
            errors.append(
                FieldError(
                    "/group_id", "excluded", f"{names[new]} 与已加做的 {names[kept]} 互斥:{why}",
                    f"{names[new]} and {names[kept]}, which was added: {why}",
                )
            )  # fmt: skip
    if errors:
        raise DecisionInTheWay(errors=errors)


async def reprice(
    uow: UnitOfWork, exam_id: UUID, member: Member, *, reason: str, payment_required: bool = False
) -> Exam:
    """Order what a member's group orders now, at its prices: what both order stays and is priced anew, the rest comes or goes.

    What was decided for the examinee stays as it is. Only before check-in. Raises ExamNotFound, ExamStateConflict, and what `repriced` raises.
    """
    exam = await lock(uow, exam_id)
    if exam.state != "prepared":
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    rows = await lines_of(uow, exam.id)
    new = await repriced(uow, exam, member)
    if gone := new.going:
        await _set_aside(uow, exam, gone, "withdrawn", reason=reason, by_offer=True)
    wanted = {priced.item_group.id: priced for priced in new.quote.lines}
    for line in new.lines:
        if line.item_group_id in new.moves.stays:
            priced = wanted[line.item_group_id]
            line.list_price_fen, line.price_fen = priced.list_price_fen, priced.price_fen
            line.person_share_fen, line.employer_share_fen = priced.person_share_fen, priced.employer_share_fen
            line.price_reasons = priced.reasons
    further = pricing.Quote(tuple(wanted[group] for group in new.moves.comes))
    await _order(
        uow, exam, further, rows, reason=reason, replaces=None, payment_required=payment_required, by_offer=True
    )
    exam.package_id = new.quote.package.id if new.quote.package else None
    exam.package_name = new.quote.package.name if new.quote.package else None
    await uow.audit("exam.repriced", "exam", exam.id, campus_id=exam.campus_id)
    await _close(uow, exam)
    return exam


async def set_aside(
    uow: UnitOfWork,
    exam_id: UUID,
    line_ids: Sequence[UUID],
    action: LineAction,
    *,
    reason: str,
    signature: str | None = None,
    due_on: date | None = None,
) -> Exam:
    """Withdraw, refuse, waive or defer lines: all of them or none. What was collected or has results stays.

    `signature` is the name under which the examinee or the member of staff signed for it on paper. Raises ExamNotFound,
    ExamStateConflict, LineNotThere, LineNotOwn, LineStateConflict, DueDateNotAhead.
    """
    exam = await _open(uow, exam_id)
    if due_on is not None and due_on <= business_day(uow.now):
        raise DueDateNotAhead(errors=[FieldError("/due_on", "not-ahead", "延期日期须晚于今天", "must lie after today")])
    lines = await _chosen(uow, exam, line_ids, ENDS[action])
    await _set_aside(uow, exam, lines, action, reason=reason, signature=signature, due_on=due_on)
    await _close(uow, exam)
    return exam


async def reinstate(uow: UnitOfWork, exam_id: UUID, line_ids: Sequence[UUID], *, reason: str) -> Exam:
    """Take a refusal or a waiver back, or make up for what was deferred (补检): the lines may be carried out again.

    What waited for payment before waits for it again. What does not suit the person any more stays aside, unless somebody said that it
    stands. Raises ExamNotFound, ExamStateConflict, LineNotThere, LineNotOwn, LineStateConflict, ItemGroupUnsuitable, ItemGroupNotForSex.
    """
    exam = await _open(uow, exam_id)
    lines = await _chosen(uow, exam, line_ids, "ordered", undo=True)
    wrong = await misfits_of(uow, exam, lines)
    pricing.refuse_unsuited(
        [
            (f"/line_ids/{line_ids.index(line.id)}", shown_name(uow, line), kind)
            for line in lines
            for kind in wrong.get(line.id, ())
        ]
    )
    await refuse_locked(uow, exam, [line.employer_share_fen for line in lines if line.state in UNCHARGED])
    # What was deferred and then refused waits for what it waited for before it was deferred.
    before = {
        row.line_id: row.from_state
        for row in await repository.line_steps(uow, exam_id)
        if row.from_state not in (None, "refused", "waived", "deferred")
    }
    for line in lines:
        action: LineAction = "made_up" if line.state == "deferred" else "reinstated"
        _note(uow, exam, line, action, reason=reason)
        step(uow, line, "ordered")
        line.reason = line.due_on = None
    await uow.session.flush()
    await uow.audit(
        "exam.lines_reinstated",
        "exam",
        exam.id,
        campus_id=exam.campus_id,
        detail={"lines": logged(lines)},
    )
    await uow.publish(
        LinesReinstated(campus_id=exam.campus_id, exam_id=exam.id, line_ids=tuple(line.id for line in lines))
    )
    ready = [
        line.id for line in lines if before[line.id] != "ordered" or (line.person_share_fen > 0 and owed(line) == 0)
    ]
    await release(uow, exam.id, ready)
    await _close(uow, exam)
    return exam


async def keep(uow: UnitOfWork, exam_id: UUID, line_ids: Sequence[UUID], *, reason: str) -> Exam:
    """Say that lines stand although they do not suit the person as the exam has them now, or somebody else was found in their place since.

    By name and reason, for the reasons of now alone.

    Of a line that is set aside it may be said before it comes back. Raises ExamNotFound, ExamStateConflict, LineNotThere, LineNotOwn,
    LineStateConflict: of what suits, or is no part of the exam any more, nothing is to be said.
    """
    exam = await _open(uow, exam_id)
    lines = await _chosen(uow, exam, line_ids, None)
    wrong = await misfits_of(uow, exam, lines)
    if fine := [line for line in lines if line.id not in wrong and line.doubted_by is None]:
        raise LineStateConflict(
            errors=[
                FieldError(
                    f"/line_ids/{line_ids.index(line.id)}", "suits", f"{shown_name(uow, line)}:没有不适用的情况", f"{shown_name(uow, line)}: nothing is against it"
                )
                for line in fine
            ]
        )  # fmt: skip
    for line in lines:
        _note(uow, exam, line, "kept", reason=reason)
        line.kept_misfits = [*line.kept_misfits, *wrong.get(line.id, ())]
        line.doubted_by = None
        await unblock(uow, exam.id, UNSUITABLE, f"line:{line.id}")
    detail = {"lines": logged(lines)}
    await uow.audit("exam.lines_kept", "exam", exam.id, campus_id=exam.campus_id, detail=detail)
    await release(
        uow, exam.id, [line.id for line in lines if owed(line) == 0]
    )  # what was paid meanwhile waited for this alone
    await _close(uow, exam)
    return exam


async def consent(
    uow: UnitOfWork, exam_id: UUID, line_ids: Sequence[UUID], *, signature: str, payment_required: bool = False
) -> Exam:
    """Keep that the person agrees to private items (知情同意), under the name signed on paper; what waited for that alone may be carried out.

    Twice is once. Raises ExamNotFound, ExamStateConflict, LineNotThere, LineNotOwn, LineStateConflict: nobody is asked of what is not private.
    """
    exam = await _open(uow, exam_id)
    lines = await _chosen(uow, exam, line_ids, None)
    if plain := [line for line in lines if not line.private]:
        raise LineStateConflict(
            errors=[
                FieldError(
                    f"/line_ids/{line_ids.index(line.id)}", "not-private", f"{line.name}:不是私密项目,无需另行同意", f"{line.name}: is not private"
                )
                for line in plain
            ]
        )  # fmt: skip
    signature = await _signed_by(uow, exam, signature)
    asked = [line for line in lines if line.consented_at is None or line.consent_withdrawn_at is not None]
    for line in asked:
        _note(uow, exam, line, "consented", reason=None, signature=signature)
        line.consented_at, line.consent_withdrawn_at = uow.now, None
    if asked:
        await uow.audit("exam.lines_consented", "exam", exam.id, campus_id=exam.campus_id, detail={"lines": len(asked)})
        await uow.session.flush()
        await release(uow, exam.id, [line.id for line in asked if not payment_required or owed(line) == 0])
        await _close(uow, exam)
    return exam


async def withdraw_consent(
    uow: UnitOfWork, exam_id: UUID, line_ids: Sequence[UUID], *, signature: str
) -> tuple[list[UUID], list[UUID]]:
    """Keep that the person takes consent to private items back; return the lines that are refused by it, and those that were examined already.

    What was not collected or begun is refused. Of what was, no further report tells; its results stay where the right alone sees them, and
    twice is once. Raises ExamNotFound, ExamStateConflict (of a cancelled exam, and of a finalized one of which something would be refused), LineNotThere,
    LineNotOwn, LineStateConflict: of what nobody consented to nothing can be taken back.
    """
    exam = await lock(uow, exam_id)
    lines = await _chosen(uow, exam, line_ids, None)
    if never := [line for line in lines if not line.private or line.consented_at is None]:
        raise LineStateConflict(
            errors=[
                FieldError(
                    f"/line_ids/{line_ids.index(line.id)}", "not-consented", f"{shown_name(uow, line)}:没有登记过同意", f"{shown_name(uow, line)}: nobody consented to it"
                )
                for line in never
            ]
        )  # fmt: skip
    told = [line for line in lines if line.consent_withdrawn_at is None]
    left = [line for line in told if may_move(LINE_MOVES, line.state, "refused")]
    examined = [line for line in told if line not in left]
    if left or exam.state == "cancelled":
        await _open(uow, exam_id)
    for line in told:
        _note(uow, exam, line, "consent_withdrawn", reason=None, signature=signature)
    for line in examined:
        line.consent_withdrawn_at = uow.now
    for line in left:
        line.consented_at = None
    if left:
        await _set_aside(uow, exam, left, "refused", reason=_WITHDRAWN, signature=signature)
        await _close(uow, exam)
    if told:
        detail = {"refused": len(left), "examined": len(examined)}
        await uow.audit("exam.consent_withdrawn", "exam", exam.id, campus_id=exam.campus_id, detail=detail)
    return [line.id for line in left], [line.id for line in lines if line not in left]


_WITHDRAWN = "本人撤回知情同意"


async def _signed_by(uow: UnitOfWork, exam: Exam, signature: str) -> str:
    """Return a signature as it is kept: the person's own, or a guardian's with what they are to them. Raises SignatureNotTheirs."""
    person = await examinees.get(uow, exam.examinee_id)
    signed = await examinees.signed_as(uow, person.id, [exam.name, person.name], signature)
    if signed is None:
        raise SignatureNotTheirs(
            errors=[
                FieldError(
                    "/signature", "not-theirs", "须为受检者本人姓名;由监护人代签的,先登记监护人及其与受检者的关系",
                    "the examinee's own name, or that of a guardian, who is entered first with what they are to the examinee",
                )
            ]
        )  # fmt: skip
    return signed


async def refuse_locked(uow: UnitOfWork, exam: Exam, shares_fen: Iterable[int]) -> None:
    """Refuse to change what the employer owes of a campaign that is completed: it is locked until somebody opens it again.

    `shares_fen` are the employer's shares of the lines that would come or go; what the person pays alone goes on. Raises
    CampaignStateConflict.
    """
    if exam.campaign_id is None or not any(shares_fen):
        return
    campaign = await employers.campaign(uow, exam.campaign_id)
    if campaign.state == "completed":
        raise CampaignStateConflict(
            "团检任务「{name}」当前为「{current}」,单位承担的项目不能变更", "The campaign {name} is {current}: what the employer pays does not change",
            name=campaign.name, current=campaign.state,
        )  # fmt: skip


async def steps(uow: UnitOfWork, exam_id: UUID) -> list[LineStepOut]:
    """Return what was commanded on an exam's lines, in order. Raises ExamNotFound."""
    await get(uow, exam_id)
    names = {line.id: line.name for line in await lines_of(uow, exam_id)}
    return [
        LineStepOut(
            id=row.id, line_id=row.line_id, line_name=names[row.line_id], action=row.action, from_state=row.from_state, reason=row.reason,
            signature=row.signature, due_on=row.due_on, by=row.by, by_name=row.by_name, at=row.at,
        )
        for row in await repository.line_steps(uow, exam_id)
    ]  # fmt: skip


async def _open(uow: UnitOfWork, exam_id: UUID) -> Exam:
    exam = await lock(uow, exam_id)
    if exam.state not in OPEN_FOR_LINES:
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    return exam


async def _chosen(
    uow: UnitOfWork,
    exam: Exam,
    line_ids: Sequence[UUID],
    to: str | None,
    pointer: str | None = None,
    *,
    undo: bool = False,
) -> list[ExamLine]:
    """Return the lines of a command, or name every one that it cannot have; `to` None: any that is part of the exam."""
    known = {line.id: line for line in await lines_of(uow, exam.id)}
    missing, foreign, stuck = [], [], []
    for i, line_id in enumerate(line_ids):
        place = pointer or f"/line_ids/{i}"
        line = known.get(line_id)
        if line is None:
            missing.append(FieldError(place, "not-found", "这次体检没有这个项目", "the exam has no such line"))
        elif not _may(uow, line):
            foreign.append(
                FieldError(
                    place,
                    "not-own",
                    f"{shown_name(uow, line)}:不属于本科室",
                    f"{shown_name(uow, line)}: of another department",
                )
            )
        elif (line.state in GONE if to is None else not may_move(LINE_MOVES, line.state, to)) or (
            undo and line.state not in ("refused", "waived", "deferred")
        ):
            stuck.append(FieldError(place, f"line-{line.state}", *said_state(uow, line)))
    if missing:
        raise LineNotThere(errors=missing)
    if foreign:
        raise LineNotOwn(errors=foreign).kept()
    if stuck:
        raise LineStateConflict(errors=stuck)
    return [known[line_id] for line_id in dict.fromkeys(line_ids)]


def _may(uow: UnitOfWork, line: ExamLine) -> bool:
    """Say whether a caller may decide on a line: the front desk on all of them, a doctor on those of own departments."""
    who = uow.principal
    return who.kind == "job" or who.may(_EVERY_LINE) or who.departments is None or line.department_id in who.departments


async def _set_aside(
    uow: UnitOfWork,
    exam: Exam,
    lines: Sequence[ExamLine],
    action: LineAction,
    *,
    reason: str,
    signature: str | None = None,
    due_on: date | None = None,
    by_offer: bool = False,
) -> None:
    if action != "deferred":  # what is deferred is still owed
        await refuse_locked(uow, exam, [line.employer_share_fen for line in lines if line.state not in UNCHARGED])
    for line in lines:
        _note(uow, exam, line, action, reason=reason, signature=signature, due_on=due_on, by_offer=by_offer)
        step(uow, line, ENDS[action])
        line.reason, line.due_on = reason, due_on
    await uow.session.flush()
    for line in lines:
        await unblock(uow, exam.id, UNSUITABLE, f"line:{line.id}")
    codes = logged(lines)
    await uow.audit(f"exam.lines_{action}", "exam", exam.id, campus_id=exam.campus_id, detail={"lines": codes})
    ids = tuple(line.id for line in lines)
    await uow.publish(LinesSetAside(campus_id=exam.campus_id, exam_id=exam.id, line_ids=ids, action=action))


async def _add(
    uow: UnitOfWork,
    exam: Exam,
    item_group_ids: Sequence[UUID],
    *,
    reason: str | None,
    replaces: UUID | None,
    payment_required: bool,
) -> None:
    there = await lines_of(uow, exam.id)
    groups = await catalog.item_groups(uow, item_group_ids, "/item_group_ids")
    ways = {line.item_group_id: way_out(line.state) for line in there if line.state not in GONE}
    twice = [
        FieldError(f"/item_group_ids/{i}", "ordered", *_say_ordered(group.name, ways[group.id]))
        for i, group in enumerate(groups)
        if group.id in ways
    ]
    if twice:
        raise ItemGroupOrdered(errors=twice)
    quote = await pricing.quote(
        uow, None, item_group_ids, person=person_of(exam), on=exam.exam_date,
        beside=ways,
    )  # fmt: skip
    await _order(uow, exam, quote, there, reason=reason, replaces=replaces, payment_required=payment_required)


def _say_ordered(name: str, way: str) -> tuple[str, str]:
    zh, en = f"{name}:已在本次体检中", f"{name}: is part of the exam already"
    return (zh + ",可恢复该项", en + ": reinstate the line") if way == "reinstate" else (zh, en)


async def _order(
    uow: UnitOfWork,
    exam: Exam,
    quote: pricing.Quote,
    there: Sequence[ExamLine],
    *,
    reason: str | None,
    replaces: UUID | None,
    payment_required: bool,
    by_offer: bool = False,
) -> None:
    """Add the lines of a quote after those that are there; nothing to add is no error."""
    if not quote.lines:
        return
    await refuse_locked(uow, exam, [line.employer_share_fen for line in quote.lines])
    held_here(uow)[exam.id].left_out = quote.contained
    lines = draft_lines(uow, exam, quote, first=max((line.sort for line in there), default=-1) + 1)
    await add(uow, exam, lines)
    for line in lines:
        line.replaces_id = replaces
        _note(uow, exam, line, "added", reason=reason, by_offer=by_offer)
    codes = logged(lines)
    await uow.audit("exam.lines_added", "exam", exam.id, campus_id=exam.campus_id, detail={"lines": codes})
    free = [line.id for line in lines if not payment_required or line.person_share_fen == 0]
    if free:
        await release(uow, exam.id, free)


def _note(
    uow: UnitOfWork,
    exam: Exam,
    line: ExamLine,
    action: LineAction,
    *,
    reason: str | None,
    signature: str | None = None,
    due_on: date | None = None,
    by_offer: bool = False,
) -> None:
    who = uow.principal
    uow.session.add(
        ExamLineStep(
            id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, line_id=line.id, action=action,
            from_state=None if action == "added" else line.state, reason=reason, signature=signature, due_on=due_on, by=who.id,
            by_name=who.name, by_offer=by_offer, at=uow.now,
        )
    )  # fmt: skip


async def _close(uow: UnitOfWork, exam: Exam) -> None:
    """Sum up: the price is that of the lines which are part of the exam; the state follows what is outstanding."""
    lines = await lines_of(uow, exam.id)
    exam.total_fen = sum(line.price_fen for line in lines if line.state not in GONE)
    exam.version += 1
    await settle(uow, exam)
