"""What words about an exam's results are held against, at every door at which they are written, confirmed or signed."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.exam.rules import LIVE_FOR_RESULTS
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.calm import calls_unexamined_normal
from tjapi.knowledge.choosing import false_choices
from tjapi.knowledge.claims import false_claims, gone_names, outdated_words
from tjapi.knowledge.conditions import false_conditions, false_denials
from tjapi.knowledge.figures import Earlier, outdated_figures, stray_figures, unsaid_figures
from tjapi.knowledge.grounding import Standing, groundless
from tjapi.knowledge.retelling import false_readings
from tjapi.knowledge.rules import Known
from tjapi.result.service.alarming import every_alarm
from tjapi.result.service.case import Ground, earlier_of, past_of
from tjapi.result.service.findings import found_in


@dataclass(frozen=True)
class Truth:
    """What an exam's results say now, and what they said before.

    `once`: names of findings that they gave rise to and that do not hold any more; `names`: those that hold; `critical`: names of items that
    are critical now; `past`: what the same items were in earlier exams; `all_known`: what is critical without a stored value is among `critical`;
    `dismissed`: names of items of which a person has said that they are not critical; `unexamined`: name and code of what nobody examined.
    """

    current: Mapping[UUID | None, Known]
    earlier: Sequence[Known]
    once: frozenset[str]
    names: frozenset[str]
    critical: frozenset[str]
    past: Sequence[Known] = ()
    all_known: bool = False
    dismissed: frozenset[str] = frozenset()
    unexamined: frozenset[tuple[str, str]] = frozenset()

    def contradicts(
        self,
        text: str,
        *,
        written_on: Iterable[Known] = (),
        rests_on: Collection[UUID] = (),
        gone: Collection[str] = (),
        free: Collection[str] = (),
    ) -> bool:
        """Say whether a text tells of results what none of them says any more, or what their values do not say.

        `written_on` are the values that it was written on, `rests_on` the results it is linked to, `gone` names of findings that it stood
        for; `free` texts whose figures are nobody's results.
        """
        own = [known.item_name for known in self.current.values() if known.result_id in rests_on]
        return bool(
            outdated_figures(text, written_on, self.current)
            or stray_figures(text, self.earlier, self.current, free)
            or unsaid_figures(text, Earlier(self.earlier, self.past), self.current, free)
            or outdated_words(text, self.earlier, self.current)
            or gone_names(text, self.once | set(gone), self.names)
            or false_claims(
                text,
                list(self.current.values()),
                self.critical,
                own,
                all_known=self.all_known,
                dismissed=self.dismissed,
                stated=self.names,
            )
            or false_conditions(text, list(self.current.values()), [*free, *self.names])
            or false_choices(text, list(self.current.values()), [*free, *self.names])
            or false_denials(text, list(self.current.values()), free)
            or false_readings(text, self.earlier, self.current, free)
        )

    @cached_property
    def standing(self) -> Standing:
        """What stands, as words are held against it."""
        return Standing(tuple(self.current.values()), self.names, self.unexamined)

    @cached_property
    def ground(self) -> str:
        """The digest of what words are held against: a confirmation of words holds while it is this one."""
        said = sorted(
            f"{known.result_id}|{known.item_code}|{known.text}|{known.flag}|{known.unexamined}"
            for known in self.current.values()
        )
        idle = sorted(f"{name}|{code}" for name, code in self.unexamined)
        return hashlib.sha256("\n".join([*said, "", *sorted(self.names), "", *idle]).encode()).hexdigest()

    def asked(self, text: str, free: Collection[str] = ()) -> list[str]:
        """Return the words of a text that state what nothing of the exam supports: whoever signs confirms them, or takes them out."""
        return groundless(text, self.standing, free)

    def calls_unexamined_normal(self, text: str) -> bool:
        """Say whether a text calls normal what nobody examined."""
        done = {(known.item_name, known.item_code) for known in self.current.values() if not known.unexamined}
        return calls_unexamined_normal(text, self.unexamined, done, self.standing.seen_words)


async def truth_of(uow: UnitOfWork, exam_id: UUID, ground: Ground) -> Truth:
    """Return what words about an exam are held against now: made once for every question about the same values."""
    kept = uow.session.info.setdefault("truths", {})
    case, truth = kept.get(exam_id, (None, None))
    if truth is None or case is not ground.case:
        truth = await _truth(uow, exam_id, ground)
        kept[exam_id] = ground.case, truth
    made: Truth = truth
    return made


async def _truth(uow: UnitOfWork, exam_id: UUID, ground: Ground) -> Truth:
    current = {known.result_id: known for known in ground.case.every}
    earlier = await earlier_of(uow, exam_id)
    past = await past_of(uow, exam_id, {known.item_code for known in earlier})
    unexamined = await _unexamined(uow, exam_id, current.values())
    if ground.edition is None:
        return Truth(
            current, earlier, frozenset(), frozenset(), _flagged(current.values()), past, unexamined=unexamined
        )
    held = {advice.name for advice, _ in found_in(ground.edition, ground.case)}
    once = {
        advice.name
        for old in earlier
        if (one := current.get(old.result_id)) is None or one.same != old.same
        for advice, fired in found_in(ground.edition, ground.case.led_by(old), frozenset({old.item_code}))
        if any(old.result_id in verdict.verdict.result_ids for verdict in fired)
    }
    alarms = {
        clause.known.item_name
        for fired in every_alarm(ground.edition, ground.case)
        for clause in fired.verdict.clauses
        if clause.known is not None
    }
    critical = _flagged(current.values()) | alarms
    return Truth(current, earlier, frozenset(once - held), frozenset(held), critical, past, unexamined=unexamined)


async def _unexamined(uow: UnitOfWork, exam_id: UUID, values: Iterable[Known]) -> frozenset[tuple[str, str]]:
    """Return what nobody examined: lines that were set aside, values that say so, and what no laboratory was asked for. What is awaited is none."""
    lines = await exams.lines(uow, exam_id)
    live = {line.item_group_id for line in lines if line.state in LIVE_FOR_RESULTS or line.state == "ordered"}
    left_out = await catalog.left_out_items(uow, live, {line.item_group_id for line in lines} - live)
    return frozenset(left_out) | {(known.item_name, known.item_code) for known in values if known.unexamined}


def _flagged(values: Iterable[Known]) -> frozenset[str]:
    return frozenset(known.item_name for known in values if known.flag in ("HH", "LL") or known.alarm)
