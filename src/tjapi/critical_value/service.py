"""The verbs of critical values: raise on a result, confirm or dismiss, tell with read-back, follow up, close; escalate by the clock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.critical_value import repository, views
from tjapi.critical_value.errors import (
    CriticalOfOthers,
    CriticalStateConflict,
    CriticalValueNotFound,
    OutcomeMissing,
    ReadBackMissing,
    ReasonMissing,
)
from tjapi.critical_value.events import CriticalDismissed, CriticalUnplaced
from tjapi.critical_value.models import CriticalStep, CriticalValue
from tjapi.critical_value.rules import (
    ENDED,
    MOVES,
    OUR_ALARM_NAME,
    UNTOLD,
    CriticalState,
    StepAction,
    asks_at_once,
    event_key,
    event_of,
    is_reason,
    is_to_conclude,
    keeps_open,
    may_be_lost,
    nth,
    shortened,
    unheard,
)
from tjapi.critical_value.schemas import CriticalStepOut, CriticalValueDetail, CriticalValueOut, NotifyIn, PhoneOut
from tjapi.exam import service as exams
from tjapi.exam.events import ExamReopened
from tjapi.exam.models import Exam
from tjapi.examinee import service as examinees
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.criticality import AS_SHIPPED, Clocks
from tjapi.knowledge.rules import Case, Known, counts
from tjapi.knowledge.service import Fired, Knowledge
from tjapi.result import service as results
from tjapi.result.errors import SignerNotStaff
from tjapi.result.events import CriticalExcluded, CriticalNotExcluded, CriticalPlaced, CriticalUnread, RevisionsAdded
from tjapi.result.rules.alarms import (
    LAB_ALARM,
    LAB_ALARM_ACTION,
    LAB_ALARM_NAME,
    NOT_EXCLUDED_ALARM,
    NOT_EXCLUDED_NAME,
    TEXT_GRAVE,
    WORDS_ALARM_ACTION,
    WORDS_ALARM_NAME,
)
from tjapi.result.rules.revisions import Stated

_BLOCK = "critical_open"
_REVIEW, _HANDLE = "conclusion.review", "critical.handle"
_AT_ONCE = 50
_BY = {True: "按本院参考范围或规则", False: "检验科标"}
_WHY = {True: "数值未能读取", False: "未能归入体检项目"}
_NOT_FILED = "报文尚未归入本次体检"
LOOK_AGAIN = "critical_value.look_again"
People = Mapping[UUID, tuple[str, str, int]]
"""Name, sex and age of whom exams are of."""
_Event = tuple[str, str]
"""What happened: a rule, and the key of the values that made it fire."""


async def look(uow: UnitOfWork, event: RevisionsAdded) -> None:
    """Look at what was just said of results, in the same transaction: raise what is critical, supersede what no longer is.

    Once per event: a rule and the values that made it fire. The same value said again of one measurement is the same event; a corrected
    value that is still critical is a new one, and so is a value that comes back after it had been corrected away. Another measurement of
    the same value is taken up by the alert of which nobody was told yet, visibly; else it is a new event: what a person said of an alert,
    that it is none or that it was told, holds for what had been measured by then. Of final values that contradict each other
    each counts: nobody knows yet which is wrong. What was corrected before it came is kept as superseded: the laboratory did say it.
    """
    exam = await exams.lock(uow, event.exam_id)
    active = await results.edition_of(uow, exam)
    if active is None:
        return
    changed = frozenset(event.item_codes)
    if not event.of_past and any(changed & rule.past for rule in active.about("critical", changed)):
        await _follow_later(uow, exam)
    held = await repository.of_exam(uow, event.exam_id)
    if not event.alarming and not active.about("critical", changed) and not any(_stands(c) for c in held):
        return
    case = await results.case_of(uow, event.exam_id)
    others = await results.values_of(uow, [*event.beside, *event.passed_over])
    now = _events(active, case, [others[r] for r in event.beside])
    each = frozenset({LAB_ALARM, *(rule.code for rule in active.rules if rule.of_every)})
    replaced: dict[tuple[str, tuple[UUID, ...]], UUID] = {}
    for value in held:
        # What was raised of a value that nobody could read stands until a person has seen to it.
        if value.revision_ids and _stands(value) and (value.rule_code, event_of(value.event_key)) not in now:
            replaced[_replaces(value, each)] = value.id
            await _correct(uow, value)
    known: dict[_Event, list[CriticalValue]] = {}
    for value in held:
        known.setdefault((value.rule_code, event_of(value.event_key)), []).append(value)
    stated = await results.stated_of(uow, exam.id) if now else {}
    for (code, key), one in now.items():
        before = known.get((code, key), [])
        news = await _news(uow, one, [c for c in before if _stands(c)], stated)
        if news is not None and one.rule.items & changed:
            value = _new(uow, exam, one, nth(key, len(before)), active)
            value.revision_ids = sorted({*value.revision_ids, *(s.revision_id for s in news)})
            value.supersedes = replaced.get(_replaces(value, each))
            await _raise(uow, exam, value)
    for happened, one in _late(active, case, [others[r] for r in event.passed_over]).items():
        if happened not in now and happened not in known:
            await _keep_late(uow, _new(uow, exam, one, happened[1], active))


def _late(active: Knowledge, case: Case, passed_over: Sequence[Known]) -> dict[_Event, Fired]:
    """Return what would have been critical of values that were corrected before they came."""
    found: dict[_Event, Fired] = {}
    for known in passed_over:
        for happened, one in _events_of(active, case, known).items():
            found.setdefault(happened, one)
    return found


async def _keep_late(uow: UnitOfWork, value: CriticalValue) -> None:
    """Keep that the laboratory said something critical, and had corrected it before it came: it alarms nobody."""
    value.state, value.corrected_at = "superseded", uow.now
    uow.session.add(value)
    await uow.session.flush()
    await _step(uow, value, "superseded", to=None, note="更正先于原值到达")


async def look_again(uow: UnitOfWork, exam_id: UUID) -> None:
    """Look at an exam whose past says something else now: its own values are what they were, and may be the first of their kind."""
    await results.past_changed(uow, exam_id)


async def to_look_at(uow: UnitOfWork, examinee_id: UUID, after_id: UUID | None) -> Sequence[UUID]:
    """Return the exams of a person that were judged, earliest first: all, or those after one of them."""
    after = await exams.get(uow, after_id) if after_id is not None else None
    return await views.judged_exams(uow, examinee_id, after)


async def _follow_later(uow: UnitOfWork, exam: Exam) -> None:
    """Have the person's later exams looked at, each under its own lock: this one's is held, and locks are taken in one order."""
    if await views.judged_exams(uow, exam.examinee_id, exam):
        payload = {"examinee_id": str(exam.examinee_id), "after_id": str(exam.id)}
        await uow.enqueue(LOOK_AGAIN, payload, campus_id=None)


async def block_again(uow: UnitOfWork, event: ExamReopened) -> None:
    """Let what asks for action at once, and of which nobody was told, block the new review: it came while the exam was finalized."""
    for value in await repository.of_exam(uow, event.exam_id):
        if _keeps_open(value):
            await exams.block(uow, event.exam_id, _BLOCK, f"critical:{value.id}")


async def alarm(uow: UnitOfWork, event: CriticalUnread) -> None:
    """Raise what the laboratory calls critical and nobody could read, or place: a person reads the message, and calls. Again changes nothing."""
    exam = await exams.lock(uow, event.exam_id)
    active = await results.edition_of(uow, exam)
    key = event_key([(None, f"{event.item_code}={event.key}")])
    held = await repository.of_exam(uow, event.exam_id)
    rule = LAB_ALARM if not event.words else TEXT_GRAVE
    if active is None or any(c.rule_code == rule and c.event_key == key for c in held):
        return
    where = _WHY[event.placed] if event.belongs else _NOT_FILED
    if event.words:
        words = f"{event.item_name}:「{shortened(event.words)}」,{where},请立即查看原始报告"
        value = _valueless(uow, exam, (rule, WORDS_ALARM_NAME), (event.department_id, words), (key, active))
        value.important_class, value.action = "B", WORDS_ALARM_ACTION
    else:
        words = f"{event.item_name}:{_BY[event.ours]}为危急,{where},请立即查看原始报告"
        name = OUR_ALARM_NAME if event.ours else LAB_ALARM_NAME
        value = _valueless(uow, exam, (rule, name), (event.department_id, words), (key, active))
    await _raise_valueless(uow, exam, value, event.item_code, private=event.private)


async def alarm_unknown(uow: UnitOfWork, event: CriticalNotExcluded) -> None:
    """Raise that a value may be critical that nobody knows; while nobody was told of one of that item, that one takes it up."""
    exam = await exams.lock(uow, event.exam_id)
    active = await results.edition_of(uow, exam)
    if active is None:
        return
    known = _of_unknown(await repository.of_exam(uow, event.exam_id), event.item_code)
    words = f"{event.item_name}:「{shortened(event.words)}」未能读取或单位待核实,不能排除危急值,请立即查看原始报告"
    waiting = [value for value in known if _stands(value) and value.state in UNTOLD]
    if waiting:
        await _step(uow, waiting[-1], "measured_again", to=None, note=words)
        return
    key = nth(_unknown_key(event.item_code), len(known))
    value = _valueless(uow, exam, (NOT_EXCLUDED_ALARM, NOT_EXCLUDED_NAME), (event.department_id, words), (key, active))
    await _raise_valueless(uow, exam, value, event.item_code)


async def _raise_valueless(
    uow: UnitOfWork, exam: Exam, value: CriticalValue, item_code: str, *, private: bool = False
) -> None:
    value.private = private or item_code in await catalog.private_codes(uow)
    await _raise(uow, exam, value)
    # No result changes with it: whoever speaks of the exam is told here.
    await uow.publish(CriticalUnplaced(campus_id=exam.campus_id, exam_id=exam.id))


async def excluded(uow: UnitOfWork, event: CriticalExcluded) -> None:
    """The value is known now: what was raised because nobody knew it has no reason any more; a critical one raises its own."""
    held = await repository.of_exam(uow, event.exam_id)
    unread = {event_key([(None, f"{event.item_code}={key}")]) for key in event.keys}
    called = [v for v in held if v.rule_code == LAB_ALARM and v.event_key in unread]
    standing = [v for v in (*_of_unknown(held, event.item_code), *called) if _stands(v)]
    for value in standing:
        await _correct(uow, value)
    if standing:
        await uow.publish(CriticalUnplaced(campus_id=standing[0].campus_id, exam_id=event.exam_id))


async def placed(uow: UnitOfWork, event: CriticalPlaced) -> None:
    """What alarmed because no line took it is on a line now: its alert ends, and says so; the value's own takes its place, told once."""
    held = await repository.of_exam(uow, event.exam_id)
    key = event_key([(None, f"{event.said_code}={event.key}")])
    own = _of_place(held, event)
    ending = [
        v for v in held if _stands(v) and v.rule_code in (LAB_ALARM, TEXT_GRAVE) and v.event_key == key and v not in own
    ]
    if not ending or (event.critical and not own):
        # Where nothing else tells of what is critical, this still does.
        return
    note = f"已归入项目「{event.item_name}」" + (",由该项目自身的危急值接续" if own else "")
    for value in ending:
        for follower in own:
            # Of another measurement of the item, or of whatever else cannot be read of it, nobody has heard.
            same = set(follower.revision_ids) & set(event.revision_ids)
            if same or (follower.rule_code == LAB_ALARM and not follower.result_ids):
                await _follow_on(uow, follower, value)
        await _correct(uow, value, note)
    await uow.publish(CriticalUnplaced(campus_id=ending[0].campus_id, exam_id=event.exam_id))


def _of_place(held: Sequence[CriticalValue], event: CriticalPlaced) -> list[CriticalValue]:
    """Return the alerts of what a line took: of its value, or of what is asked about it."""
    asked = {event_key([(None, f"{event.item_code}={key}")]) for key in event.question_keys}
    unknown = _of_unknown(held, event.item_code) if asked else []
    return [
        v
        for v in held
        if event.result_id in v.result_ids or (v.rule_code == LAB_ALARM and v.event_key in asked) or v in unknown
    ]


async def _follow_on(uow: UnitOfWork, value: CriticalValue, before: CriticalValue) -> None:
    """Let an alert that nobody has touched go on where the one that it takes the place of stood: with its clock, told if that one was."""
    alone = _stands(value) and value.supersedes is None and len(value.result_ids) <= 1
    if not alone or value.state != "detected" or value.version > 1:
        return
    value.supersedes = before.id
    told = [s for s in await repository.steps(uow, before.id) if s.action == "notified"]
    if not told:
        if before.state not in ENDED:
            value.due_at = min(value.due_at, before.due_at)
            value.escalation_level, value.escalated_at = before.escalation_level, before.escalated_at
        await uow.session.flush()
        return
    last = told[-1]
    note = f"归入项目前已由{last.by_name}通知"
    await _step(uow, value, "confirmed", to="confirmed", note=note)
    step = CriticalStep(channel=last.channel, told=last.told, read_back=last.read_back, note=note)
    await _step(uow, value, "notified", to="notified", step=step)
    await _unblock(uow, value)


def _unknown_key(item_code: str) -> str:
    return event_key([(None, item_code)])


def _of_unknown(held: Sequence[CriticalValue], item_code: str) -> list[CriticalValue]:
    key = _unknown_key(item_code)
    return [value for value in held if value.rule_code == NOT_EXCLUDED_ALARM and event_of(value.event_key) == key]


def _valueless(
    uow: UnitOfWork, exam: Exam, rule: tuple[str, str], said: tuple[int, str], kept: tuple[str, Knowledge]
) -> CriticalValue:
    """Return an alert of what stands as no value: by whose rule (its code and name), of which department, in which words, and under which key of which edition."""
    return CriticalValue(
        id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, examinee_id=exam.examinee_id, exam_no=exam.exam_no,
        department_id=said[0], rule_code=rule[0], rule_name=rule[1], important_class="A", knowledge_version_id=kept[1].version_id, event_key=kept[0],
        explanation=said[1], action=LAB_ALARM_ACTION, result_ids=[], revision_ids=[], state="detected", version=0, detected_at=uow.now,
        due_at=uow.now + kept[1].clocks.due("A"), escalation_level=0,
    )  # fmt: skip


def _stands(value: CriticalValue) -> bool:
    """Whether the reason of an alert has not been taken away, as far as was seen: also of one that was dealt with."""
    return value.corrected_at is None


def _replaces(value: CriticalValue, each: Collection[str]) -> tuple[str, tuple[UUID, ...]]:
    """Return what an alert takes the place of another by: its rule; and the values, of a rule that looks at each item by itself (`each`)."""
    return value.rule_code, tuple(sorted(value.result_ids)) if value.rule_code in each else ()


def _events(active: Knowledge, case: Case, beside: Sequence[Known]) -> dict[_Event, Fired]:
    """Return what is critical now: of every measurement of an item, and of every final value that contradicts the current one."""
    found = {_event(one): one for one in results.alarms_of(active, case)}
    for other in (*(k for many in case.repeats.values() for k in many), *beside):
        for happened, one in _events_of(active, case, other).items():
            # What counts measurements counts the same ones from wherever it starts.
            counted = one.rule.code != LAB_ALARM and other.item_code in counts(one.rule.condition)
            if not (counted and any(code == one.rule.code for code, _ in found)):
                found.setdefault(happened, one)
    return found


def _events_of(active: Knowledge, case: Case, known: Known) -> dict[_Event, Fired]:
    """Return what is critical for a value, were it the current one."""
    fired = results.alarms_of(active, case.led_by(known), frozenset({known.item_code}))
    return {_event(f): f for f in fired if any(c.known == known for c in f.verdict.clauses)}


def _said(fired: Fired, stated: Mapping[UUID, Stated]) -> list[Stated]:
    """Return what stands that says what made a rule fire: the current values, and every other statement of the same ones."""
    values = {(c.known.result_id, c.known.same) for c in fired.verdict.clauses if c.known is not None}
    current = set(_revisions(fired))
    return [s for s in stated.values() if s.revision_id in current or (s.stands and (s.result_id, s.value) in values)]


async def _news(
    uow: UnitOfWork, fired: Fired, alerts: Sequence[CriticalValue], stated: Mapping[UUID, Stated]
) -> list[Stated] | None:
    """Return what is to be raised of an event beside the alerts that stand of it; None: they stand for all that was said."""
    said = _said(fired, stated)
    fresh = unheard(said, [stated[r] for c in alerts for r in c.revision_ids if r in stated])
    if alerts and not fresh:
        _keep(alerts, said, stated)
        return None
    waiting = [c for c in alerts if c.state in UNTOLD]
    if waiting:
        await _take_up(uow, waiting[-1], said, fired.verdict.words)
        return None
    return fresh


def _keep(alerts: Sequence[CriticalValue], said: Sequence[Stated], stated: Mapping[UUID, Stated]) -> None:
    """Let alerts name what only repeats what they were raised of: what is said of them is said of it as well."""
    for value in alerts:
        news = unheard(said, [stated[r] for r in value.revision_ids if r in stated])
        again = {s.revision_id for s in said} - {s.revision_id for s in news}
        if not again <= set(value.revision_ids):
            value.revision_ids = sorted({*value.revision_ids, *again})


async def _take_up(uow: UnitOfWork, value: CriticalValue, said: Sequence[Stated], words: str) -> None:
    """Have an alert of which nobody was told yet stand for another measurement as well; whoever was about to dismiss it looks again."""
    value.revision_ids = sorted({*value.revision_ids, *(s.revision_id for s in said)})
    await _step(uow, value, "measured_again", to=None, note=words)


def _event(fired: Fired) -> _Event:
    # The same value with another remark is another event.
    said = {
        (c.known.result_id, "；".join((c.known.same, *c.said)) if c.beside else c.known.same)
        for c in fired.verdict.clauses
        if c.known is not None
    }
    return fired.rule.code, event_key(said)


async def confirm(uow: UnitOfWork, critical_id: UUID, expected: int) -> CriticalValueDetail:
    """Somebody has seen it, and it is one; the clock of telling somebody begins, and until then it escalates and blocks all the same.

    Raises CriticalValueNotFound, PreconditionFailed, CriticalStateConflict, SignerNotStaff.
    """
    value = await _open(uow, critical_id, expected)
    due = (await _clocks(uow)).due(_clock(value))
    value.due_at, value.escalation_level, value.escalated_at = uow.now + due, 0, None
    await _step(uow, value, "confirmed", to="confirmed")
    return await _detail(uow, value)


async def dismiss(uow: UnitOfWork, critical_id: UUID, reason: str, expected: int) -> CriticalValueDetail:
    """It is none, for a reason: so says who measured it, or who answers for the whole exam.

    Raises CriticalValueNotFound, PreconditionFailed, CriticalStateConflict, CriticalOfOthers, SignerNotStaff.
    """
    value = await _open(uow, critical_id, expected)
    own = uow.principal.departments is None or value.department_id in uow.principal.departments
    if not (own or uow.principal.may(_REVIEW)):
        await uow.audit("access.refused", "critical_value", value.id, campus_id=value.campus_id)
        raise CriticalOfOthers().kept()
    if not is_reason(reason):
        raise ReasonMissing(errors=[FieldError("/reason", "no-reason", "请写明具体理由", "say why, in words")])
    await _step(uow, value, "dismissed", to="dismissed", note=reason)
    await _unblock(uow, value)
    async with uow.for_every_department():
        await uow.publish(CriticalDismissed(campus_id=value.campus_id, exam_id=value.exam_id))
    return await _detail(uow, value)


async def notify(uow: UnitOfWork, critical_id: UUID, given: NotifyIn, expected: int) -> CriticalValueDetail:
    """Somebody was told, and read it back; or was not reached.

    Raises CriticalValueNotFound, PreconditionFailed, CriticalStateConflict, ReadBackMissing, SignerNotStaff.
    """
    value = await _open(uow, critical_id, expected)
    if given.reached and _at_once(value) and not given.read_back:
        raise ReadBackMissing(errors=[FieldError("/read_back", "missing", "请记录复述内容", "say what was read back")])
    action: StepAction = "notified" if given.reached else "attempt_failed"
    to: CriticalState = "notified" if given.reached else "notifying"
    step = CriticalStep(channel=given.channel, told=given.told, read_back=given.read_back, note=given.note)
    await _step(uow, value, action, to=None if value.state == to == "notifying" else to, step=step)
    await _unblock(uow, value)
    return await _detail(uow, value)


async def follow_up(uow: UnitOfWork, critical_id: UUID, note: str, expected: int) -> CriticalValueDetail:
    """Something was heard later. Raises CriticalValueNotFound, PreconditionFailed, CriticalStateConflict, SignerNotStaff."""
    value = await _open(uow, critical_id, expected)
    await _step(uow, value, "followed_up", to=None if value.state == "in_follow_up" else "in_follow_up", note=note)
    return await _detail(uow, value)


async def close(uow: UnitOfWork, critical_id: UUID, outcome: str | None, expected: int) -> CriticalValueDetail:
    """It ended: with an outcome, or with nobody reached over two channels.

    Raises CriticalValueNotFound, PreconditionFailed, CriticalStateConflict, OutcomeMissing, SignerNotStaff.
    """
    value = await _open(uow, critical_id, expected)
    steps = await repository.steps(uow, critical_id)
    lost = may_be_lost(s.channel for s in steps if s.action == "attempt_failed" and s.channel is not None)
    if (value.state in UNTOLD and not lost) or (outcome is None and not (value.state == "notifying" and lost)):
        if outcome is not None:
            raise OutcomeMissing(
                "尚未联系到任何人:联系到后再关闭,或换一种途径再联系一次",
                "Nobody was reached yet: reach somebody, or try another channel, before it closes",
            )
        raise OutcomeMissing
    value.outcome = outcome or "失访"
    await _step(uow, value, "closed", to="closed", note=value.outcome)
    await _unblock(uow, value)
    return await _detail(uow, value)


async def escalate(uow: UnitOfWork) -> int:
    """Tell again, one level higher as long as there is one, of values past due of which nobody was told; say how many. Twice at once is once."""
    clocks = await _clocks(uow)
    late = await repository.to_escalate(uow, clocks, _AT_ONCE)
    for value in late:
        value.escalation_level = min(value.escalation_level + 1, clocks.levels)
        value.escalated_at = uow.now
        await _step(uow, value, "escalated", to=None, note=f"level {value.escalation_level}")
    return len(late)


async def _clocks(uow: UnitOfWork) -> Clocks:
    """Return the clocks in force."""
    active = await knowledge.active(uow)
    return active.clocks if active is not None else AS_SHIPPED


async def get(uow: UnitOfWork, critical_id: UUID) -> CriticalValueDetail:
    """Return a critical value with what was done about it. Raises CriticalValueNotFound."""
    value = await repository.get(uow, critical_id)
    if value is None or not await _may_see(uow, value):
        raise CriticalValueNotFound
    return await _detail(uow, value)


async def _may_see(uow: UnitOfWork, value: CriticalValue) -> bool:
    """Say whether the caller sees it: who reviews, who is of no one department, and a department that has a line in the exam or is to handle it."""
    own = results.scope_of(uow.principal)
    return own is None or value.department_id in own or await exams.has_line_of(uow, value.exam_id, own)


async def phone(uow: UnitOfWork, critical_id: UUID) -> PhoneOut:
    """Return how to reach whom an open critical value is of; who asked is kept. Raises CriticalValueNotFound, CriticalStateConflict, SignerNotStaff."""
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    value = await repository.get(uow, critical_id)
    if value is None or not await _may_see(uow, value):
        raise CriticalValueNotFound
    if value.state in ENDED:
        raise CriticalStateConflict("危急值当前为「{current}」", "The critical value is {current}", current=value.state)
    exam = await exams.get(uow, value.exam_id)
    found = await examinees.unmask(uow, exam.examinee_id, f"危急值通知 {value.id}")
    return PhoneOut(name=exam.name, phone=found.phone)


async def people_of(uow: UnitOfWork, values: Sequence[CriticalValue]) -> People:
    """Return whom critical values are of, to who handles them; to anybody else nobody."""
    return await views.people_of(uow, {v.exam_id for v in values}) if uow.principal.may(_HANDLE) else {}


async def untold(uow: UnitOfWork, exam_id: UUID) -> CriticalValue | None:
    """Return an alert that keeps an exam open, the oldest: it asks for somebody at once, and nobody was told."""
    return next((value for value in await repository.of_exam(uow, exam_id) if _keeps_open(value)), None)


async def any_of(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether anything of an exam was ever critical."""
    return bool(await repository.shown_of(uow, exam_id))


async def to_conclude(uow: UnitOfWork, exam_id: UUID) -> list[CriticalValue]:
    """Return the alerts that a conclusion must speak of, oldest first: of class A or grave words, standing, not dismissed; of no stored value as well."""
    held = await repository.shown_of(uow, exam_id)
    return [c for c in held if is_to_conclude(at_once=_at_once(c), state=c.state, corrected=not _stands(c))]


async def dismissed(uow: UnitOfWork, exam_id: UUID) -> set[UUID]:
    """Return the revisions that a person has said are not critical, of class A: what is measured again is another one."""
    held = await repository.shown_of(uow, exam_id)
    return {r for c in held if _at_once(c) and c.state == "dismissed" and _stands(c) for r in c.revision_ids}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """That a person has said of values that they are not critical: who, when and why."""

    result_ids: tuple[UUID, ...]
    revision_ids: tuple[UUID, ...]
    by_name: str
    at: datetime
    reason: str


async def exclusions(uow: UnitOfWork, exam_id: UUID) -> list[Exclusion]:
    """Return what was dismissed of an exam and stands, oldest first: whatever tells of these values says by whom they were excluded, and why."""
    found = []
    for value in await repository.shown_of(uow, exam_id):
        if value.state == "dismissed" and _stands(value):
            last = next(s for s in reversed(await repository.steps(uow, value.id)) if s.action == "dismissed")
            found.append(
                Exclusion(tuple(value.result_ids), tuple(value.revision_ids), last.by_name, last.at, last.note or "")
            )
    return found


async def page(
    uow: UnitOfWork, *, state: str | None, important_class: str | None, department_id: int | None, exam_id: UUID | None,
    still_open: bool | None, overdue: bool | None, after: Sequence[str] | None, size: int,
) -> Sequence[CriticalValue]:  # fmt: skip
    """Return a page of critical values, what is due first first, one too many."""
    return await repository.page(
        uow, seen_by=results.scope_of(uow.principal), state=state, important_class=important_class, department_id=department_id, exam_id=exam_id, still_open=still_open,
        overdue=overdue, after=after, size=size,
    )  # fmt: skip


PRIVATE_RULE = "PRIVATE"
_PRIVATE = {
    "rule_code": PRIVATE_RULE, "rule_name": "私密项目危急值", "explanation": "私密项目:内容由检查科室或主检医生查看并告知本人", "action": "请立即通知检查科室或主检医生处理",
    "outcome": None,
}  # fmt: skip
"""What is shown of a private alert to who may not see the result: that it is there, and who must act."""


def _hidden(value: CriticalValue, reader: Principal) -> bool:
    return value.private and not reader.sees_private(value.department_id)


def out(value: CriticalValue, now: datetime, reader: Principal, people: People) -> CriticalValueOut:
    """Return the public shape of a critical value. What is private says to who may not see it that it is there, and who must act.

    `people`: name, sex and age, by exam, of those that may be named to the reader.
    """
    fields = {c.key: getattr(value, c.key) for c in value.__table__.columns}
    fields |= dict(zip(("name", "sex", "age_years"), people.get(value.exam_id, (None, None, None)), strict=True))
    fields |= _PRIVATE if _hidden(value, reader) else {}
    return CriticalValueOut.model_validate({**fields, "overdue": value.state not in ENDED and value.due_at < now})


def _new(uow: UnitOfWork, exam: Exam, fired: Fired, key: str, edition: Knowledge) -> CriticalValue:
    rule, verdict = fired.rule, fired.verdict
    assert rule.important_class is not None
    departments = [c.known.department_id for c in verdict.clauses if c.known and c.known.department_id is not None]
    return CriticalValue(
        id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, examinee_id=exam.examinee_id, exam_no=exam.exam_no,
        department_id=departments[0], rule_code=rule.code, rule_name=rule.name, important_class=rule.important_class,
        knowledge_version_id=edition.version_id, event_key=key, explanation=verdict.words, action=rule.action,
        result_ids=list(verdict.result_ids), revision_ids=_revisions(fired), state="detected", version=0,
        detected_at=uow.now, due_at=uow.now + edition.clocks.due("A" if asks_at_once(rule.important_class, rule.code) else "B"), escalation_level=0,
    )  # fmt: skip


async def _raise(uow: UnitOfWork, exam: Exam, value: CriticalValue) -> None:
    uow.session.add(value)
    await uow.session.flush()
    await _step(uow, value, "detected", to=None)
    if _keeps_open(value) and exam.state != "finalized":
        await exams.block(uow, exam.id, _BLOCK, f"critical:{value.id}")


async def _correct(uow: UnitOfWork, value: CriticalValue, note: str | None = None) -> None:
    """The reason is gone: what nobody had acted on is superseded; what somebody had acted on stays open, and says so."""
    value.corrected_at = uow.now
    if value.state == "detected":
        await _step(uow, value, "superseded", to="superseded", note=note)
    else:
        await _step(uow, value, "corrected", to=None, note=note)
    await _unblock(uow, value)


async def _open(uow: UnitOfWork, critical_id: UUID, expected: int) -> CriticalValue:
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    seen = await repository.get(uow, critical_id)
    if seen is None or not await _may_see(uow, seen):
        raise CriticalValueNotFound
    await exams.lock(uow, seen.exam_id)
    value = await repository.locked(uow, critical_id)
    assert value is not None
    if value.version != expected:
        raise PreconditionFailed
    return value


async def _step(
    uow: UnitOfWork, value: CriticalValue, action: StepAction, *, to: CriticalState | None, note: str | None = None,
    step: CriticalStep | None = None,
) -> None:  # fmt: skip
    """Move, and keep what was done, with its audit row and its live event."""
    if to is not None:
        if to not in MOVES[value.state]:
            raise CriticalStateConflict(
                "危急值当前为「{current}」", "The critical value is {current}", current=value.state
            )
        value.state = to
    elif action == "followed_up" and value.state != "in_follow_up":
        raise CriticalStateConflict("危急值当前为「{current}」", "The critical value is {current}", current=value.state)
    value.version += 1
    step = step or CriticalStep(note=note)
    step.critical_value_id, step.version, step.campus_id = value.id, value.version, value.campus_id
    step.action, step.by, step.at = action, uow.principal.id, uow.now
    step.by_name = await _name(uow)
    uow.session.add(step)
    await uow.session.flush()
    detail = {
        "exam_id": str(value.exam_id),
        "rule": PRIVATE_RULE if value.private else value.rule_code,
        "class": value.important_class,
    }
    await uow.audit(f"critical_value.{action}", "critical_value", value.id, campus_id=value.campus_id, detail=detail)
    told = {
        "critical_value_id": str(value.id), "exam_id": str(value.exam_id), "important_class": value.important_class, "state": value.state,
        "action": action, "escalation_level": value.escalation_level,
    }  # fmt: skip
    await uow.announce("critical_value", told, campus_id=value.campus_id, permission="critical.read")


async def _name(uow: UnitOfWork) -> str:
    if uow.principal.kind != "staff":
        return "系统"
    return await identity.staff_name(uow, uow.principal.id) or uow.principal.name


def _keeps_open(value: CriticalValue) -> bool:
    return keeps_open(at_once=_at_once(value), state=value.state, corrected=not _stands(value))


def _at_once(value: CriticalValue) -> bool:
    return asks_at_once(value.important_class, value.rule_code)


def _clock(value: CriticalValue) -> str:
    return "A" if _at_once(value) else value.important_class


async def _unblock(uow: UnitOfWork, value: CriticalValue) -> None:
    """Let the exam go on where the alert keeps it no longer: somebody was told, it is none, or its reason is gone."""
    exam = await exams.get(uow, value.exam_id)
    if _at_once(value) and exam.state != "finalized" and not _keeps_open(value):
        await exams.unblock(uow, value.exam_id, _BLOCK, f"critical:{value.id}")


async def _detail(uow: UnitOfWork, value: CriticalValue) -> CriticalValueDetail:
    steps = [CriticalStepOut.model_validate(s) for s in await repository.steps(uow, value.id)]
    if _hidden(value, uow.principal):
        steps = [s.model_copy(update={"read_back": None, "note": None, "told": None}) for s in steps]
    shown = out(value, uow.now, uow.principal, await people_of(uow, [value]))
    return CriticalValueDetail.model_validate({**shown.model_dump(), "steps": steps})


def _revisions(fired: Fired) -> list[UUID]:
    found = (c.known.revision_id for c in fired.verdict.clauses if c.known is not None)
    return sorted({r for r in found if r is not None})


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Let critical values follow a merge, and go back when it is undone."""
    await examinees.follow(
        uow, event, "critical_value", repository.repoint, repository.given_since, of_exams=repository.of_exams
    )
    # Whose past an exam has is another question now; whichever exams follow, the jobs see them all.
    people = {event.survivor_id} if isinstance(event, ExamineesMerged) else {event.survivor_id, event.merged_id}
    for person in sorted(people):
        await uow.enqueue(LOOK_AGAIN, {"examinee_id": str(person), "after_id": None}, campus_id=None)
