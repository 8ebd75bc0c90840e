"""A critical value of which no finding tells has an entry of its own, so that whoever signs has read it."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tjapi.conclusion.models import ConclusionEntry
from tjapi.conclusion.rules import ALERT_ADVICE, DOUBT_ADVICE, WORDS_ADVICE, Telling, alert_title, tells
from tjapi.critical_value import service as criticals
from tjapi.critical_value.models import CriticalValue
from tjapi.exam.models import Exam
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.mentions import Mention
from tjapi.knowledge.rules import Clause, Known, mentions_of, remarked
from tjapi.knowledge.words import told
from tjapi.result.rules.alarms import LAB_ALARM, NOT_EXCLUDED, TEXT_GRAVE
from tjapi.result.service import Found, Ground, alarms_of


@dataclass(frozen=True, slots=True)
class Alarm:
    """A critical value that stands: what raised it, and why, as far as that is known now.

    `title` is what its entry is called; `said` is told of one that stands at no result, in place of `clauses`.
    """

    rule_code: str
    telling: Telling
    clauses: tuple[Clause, ...]
    title: str
    names: frozenset[str]
    said: str = ""
    private: bool = False

    @property
    def key(self) -> str:
        """Where its entry comes from."""
        return next(iter(self.telling.keys))

    def is_of(self, entry: ConclusionEntry) -> bool:
        """Say whether an entry tells of it, whatever it is listed under: by its name, or by all the results that it rests on."""
        ids = self.telling.result_ids
        return self.title in entry.title or self.title in entry.detail or (bool(ids) and ids <= set(entry.result_ids))


def _title(clauses: Sequence[Clause], rule_code: str) -> str:
    names = [clause.known.item_name for clause in clauses if clause.known is not None]
    words = [hedged(word, clause) for clause in clauses for word in naming(clause)]
    return alert_title(names, words, only_words=rule_code == TEXT_GRAVE)


def naming(clause: Clause) -> Sequence[str]:
    """Return the words found in a description that name what is grave; those that only describe it, 毛刺 or 增厚, where nothing else does."""
    if clause.known is None or not clause.said:
        return clause.found
    named = {one.words for one in _mentions(clause.known, clause) if one.grave and one.known}
    return [word for word in clause.found if word in named] or clause.found


def _mentions(known: Known, clause: Clause) -> Sequence[Mention]:
    return remarked(known) if clause.beside else mentions_of(known)


def hedged(word: str, clause: Clause) -> str:
    """Return a word that was found in a description; one of which the description says that it may be is not told as one that is."""
    if clause.known is None or not clause.said:
        return word
    stands = {one.assertion for one in _mentions(clause.known, clause) if one.words == word}
    return f"{word}（可能）" if stands == {"possible"} else word


def telling_of(key: str, found: Found) -> Telling:
    """Return of what the entry of a finding speaks."""
    advice, fired = found
    clauses = [clause for one in fired for clause in one.verdict.clauses]
    ids = frozenset(i for one in fired for i in one.verdict.result_ids)
    words = frozenset(word for clause in clauses for word in clause.found)
    return Telling(frozenset({key}), ids, words, grave=advice.important_class == "A")


async def alarms(uow: UnitOfWork, exam: Exam, ground: Ground) -> list[Alarm]:
    """Return the critical values of an exam that a conclusion must tell of, those that name most first."""
    raised = await criticals.to_conclude(uow, exam.id)
    held = {known.result_id: known for known in ground.case.every}
    found = [_alarm(ground, alert, [held[i] for i in alert.result_ids if i in held]) for alert in raised]
    return sorted((one for one in found if one is not None), key=lambda one: -len(one.telling.result_ids))


async def calmed(uow: UnitOfWork, exam: Exam, ground: Ground, raised: Iterable[Alarm]) -> frozenset[UUID]:
    """Return the results of which a person has said that they are not critical, and that nothing else calls so."""
    none = await criticals.dismissed(uow, exam.id)
    held = {known.result_id for known in ground.case.every if known.revision_id in none and known.result_id is not None}
    return frozenset(held).difference(*(alarm.telling.result_ids for alarm in raised))


_UNCRITICAL = {"HH": "H", "LL": "L"}


def reasons_of(found: Found, calm: Collection[UUID]) -> str:
    """Return why something was found; what a person said is not critical is not called so, its value is high or low all the same."""
    clauses = (clause for one in found[1] for clause in one.verdict.clauses)
    return told(_calmly(clause, calm) for clause in clauses)


def _calmly(clause: Clause, calm: Collection[UUID]) -> Clause:
    known = clause.known
    if known is None or known.result_id not in calm or known.flag not in _UNCRITICAL:
        return clause
    return replace(clause, known=replace(known, flag=_UNCRITICAL[known.flag]))


def _alarm(ground: Ground, alert: CriticalValue, values: Sequence[Known]) -> Alarm | None:
    if ground.edition is None:
        return None
    if not values:
        return _of_no_value(alert)
    ids = {value.result_id for value in values if value.result_id is not None}
    clauses = next(
        (
            fired.verdict.clauses
            for value in values
            for fired in alarms_of(ground.edition, ground.case.led_by(value), frozenset({value.item_code}))
            if fired.rule.code == alert.rule_code and ids <= set(fired.verdict.result_ids)
        ),
        # Of values that contradict each other, or that came and went: whatever alarmed, a person has not said that it is none.
        tuple(Clause(value, "", note=NOT_EXCLUDED) for value in values),
    )
    # The laboratory's own alarm is one rule for every item, and so are grave words: the liver's and the lung's are two matters.
    of_item = f"-{values[0].item_code}" if alert.rule_code in (LAB_ALARM, TEXT_GRAVE) else ""
    words = frozenset(word for clause in clauses for word in clause.found)
    key = f"critical:{alert.rule_code}{of_item}"
    return Alarm(
        alert.rule_code,
        Telling(frozenset({key}), frozenset(ids), words, grave=True),
        clauses,
        _title(clauses, alert.rule_code),
        frozenset(clause.known.item_name for clause in clauses if clause.known is not None),
    )


def _of_no_value(alert: CriticalValue) -> Alarm:
    """Return the alarm of what nobody could read, or place, or what came and went: the person was told of it, and no result says it."""
    name, colon, why = alert.explanation.partition(":")
    if not colon:
        name, why = alert.rule_name, alert.explanation
    key = f"critical:{alert.rule_code}-{alert.event_key[:12]}"
    # What the laboratory wrote is not quoted to a patient: whose words they are nobody has read.
    why = _QUOTED.sub("", why.removesuffix(_TO_STAFF)).replace(",", "，")
    names, telling = frozenset({name}), Telling(frozenset({key}), frozenset(), grave=True)
    return Alarm(
        alert.rule_code, telling, (), alert_title([name]), names, f"{name}：{why}，未列入本次结果", alert.private
    )


_QUOTED = re.compile("「[^」]*」")
_TO_STAFF = ",请立即查看原始报告"
"""What the explanation of an alert asks of whoever works here, and no patient."""


def not_concluded(raised: Iterable[Alarm], entries: Iterable[Telling]) -> list[Alarm]:
    """Return the critical values of which none of the entries tells."""
    said = list(entries)
    return [alarm for alarm in raised if not any(tells(one, alarm.telling) for one in said)]


def entries_of(exam: Exam, raised: Iterable[Alarm], said: Iterable[Telling]) -> list[ConclusionEntry]:
    """Return an entry for each critical value of which nothing that is said tells; what one rule finds of several measurements is one."""
    by_key: dict[str, list[Alarm]] = {}
    telling = list(said)
    for alarm in raised:
        if not_concluded([alarm], telling) or alarm.key in by_key:
            by_key.setdefault(alarm.key, []).append(alarm)
            telling.append(alarm.telling)
    return [_entry(exam, key, own) for key, own in by_key.items()]


def _entry(exam: Exam, key: str, own: Sequence[Alarm]) -> ConclusionEntry:
    clauses = [clause for alarm in own for clause in alarm.clauses]
    ids: list[UUID] = list(
        dict.fromkeys(c.known.result_id for c in clauses if c.known is not None and c.known.result_id is not None)
    )
    doubtful = all(clause.note == NOT_EXCLUDED for clause in clauses)
    said = "；".join(
        dict.fromkeys([*([told(clauses)] if clauses else []), *(alarm.said for alarm in own if alarm.said)])
    )
    return ConclusionEntry(
        id=uuid7(), exam_id=exam.id, campus_id=exam.campus_id, kind="finding", title=own[0].title[:200] if not clauses else _title(clauses, own[0].rule_code)[:200], detail=said,
        advice=DOUBT_ADVICE if doubtful else WORDS_ADVICE if own[0].rule_code == TEXT_GRAVE else ALERT_ADVICE, lifestyle="", result_ids=ids, key=key, keys=[key], icd10=None,
        rule_codes=[own[0].rule_code], edited=False, stale=False, found_ids=ids, revision_ids=[],
        private=any(alarm.private for alarm in own),
    )  # fmt: skip
