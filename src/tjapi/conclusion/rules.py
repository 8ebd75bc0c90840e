"""States of a conclusion, the order of what it says, and what of it tells of a critical value."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from tjapi.knowledge.calm import says_all_normal
from tjapi.knowledge.rules import Clause, Known
from tjapi.knowledge.words import NOTHING_FOUND, chinese, forbids_calm, judgement_of, nothing_found

ConclusionState = Literal["draft", "initial_signed", "finalized"]
EntryKind = Literal["disease", "finding", "risk"]
TaskState = Literal["open", "closed"]
ReviewView = Literal["all", "abnormal", "summaries"]
STATES: tuple[ConclusionState, ...] = ("draft", "initial_signed", "finalized")
KINDS: tuple[EntryKind, ...] = ("disease", "finding", "risk")
_ORDER: dict[str, int] = {kind: i for i, kind in enumerate(KINDS)}
MOVES: dict[str, frozenset[str]] = {
    "draft": frozenset({"initial_signed"}),
    "initial_signed": frozenset({"draft", "finalized"}),
    "finalized": frozenset({"draft"}),
}


class Kinded(Protocol):
    """Anything of a kind."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - plain data


E = TypeVar("E", bound=Kinded)


def in_order(entries: Iterable[E]) -> list[E]:
    """Return entries as a report lists them: diseases, positive findings, risk factors; within a kind as the reviewer put them.

    主检报告撰写共识: disease → positive finding → risk factor.
    """
    return sorted(entries, key=lambda entry: _ORDER[entry.kind])


ALERT_ADVICE = "该结果达到危急值。请立即到急诊或相应专科就诊，并带上本报告，不要等待。"
WORDS_ADVICE = "该所见须尽快处理。请今天就与本院联系，由医师安排到相应专科就诊；出现剧烈疼痛、呼吸困难、晕厥、出血或肢体无力，请立即到急诊。"
"""What is advised of grave words of a description: a mass in the liver is no matter for tonight's emergency room, and none for next month."""
DOUBT_ADVICE = "该结果不能排除危急值。请立即到急诊或相应专科就诊，并带上本报告，不要等待。"
"""What whoever has a critical value is told where no finding advises them; of one such as ">3" that it may be."""


def alert_title(names: Iterable[str], words: Iterable[str] = (), *, only_words: bool = False) -> str:
    """Return the title of an entry about a critical value: 血钾危急值; 收缩压、近期自觉症状危急值; of a description 头颅CT危急值：脑出血.

    `only_words`: what only words call grave is no critical value: 肝脏超声：肝占位.
    """
    named, found = "、".join(dict.fromkeys(names)), "、".join(dict.fromkeys(words))
    title = named if only_words and found else f"{named}危急值"
    return f"{title}：{found}" if found else title


@dataclass(frozen=True, slots=True)
class Telling:
    """Of what an entry speaks: its keys, the results that it rests on, and the words that its findings found in descriptions.

    `grave`: a finding of it asks for action at once, or it is a critical value's own. `own`: a reviewer's own words, for no finding. `mild`:
    words of a reviewer that ask nobody to act now.
    """

    keys: frozenset[str]
    result_ids: frozenset[UUID]
    words: frozenset[str] = frozenset()
    grave: bool = False
    own: bool = False
    mild: bool = False


_ACT_NOW = re.compile(
    r"立即|立刻|马上|即刻|急诊|急救|尽快|尽早|抢救|住院|(?:当[天日]|今[天日])[^,，。;；\n]{0,6}(?:就诊|就医|到|去|复查)|\b120\b|immediately|at once|emergency|urgent",
    re.IGNORECASE,
)
_REASSURES = re.compile(
    r"(?:不必|无需|不用|勿需?|不要|无须)(?:过分|过度)?(?:担心|担忧|处理|理会|在意|紧张)|无大碍|do not worry",
    re.IGNORECASE,
)


_NOT_NOW = re.compile(
    r"(?:不必|无需|无须|不需要?|不用|勿|非|未|没有|若|如|一旦|必要时|曾|既往|去年|上次|\b(?:no|not|if|when)\b)[^,，。;；!！\n]*$",
    re.IGNORECASE,
)
_MOST_BEFORE = 30


def asks_to_act(text: str) -> bool:
    """Say whether words ask somebody to act now, and do not calm them: 无需急诊, 若胸痛请立即就医 and 曾住院治疗 ask for nothing today."""
    if _REASSURES.search(text):
        return False
    return any(not _NOT_NOW.search(text[: found.start()][-_MOST_BEFORE:]) for found in _ACT_NOW.finditer(text))


_TODAY = re.compile(
    r"(?:^|[。；;：:\n]|[,，])[^。；;：:\n,，]{0,4}?请(?:先|务必)?(?:在|于)?(?:今天|今日|当日|当天|次日前|立即|立刻|马上|即刻|24\s?小时内)"
)
_WHERE = re.compile(r"如|若|一旦|出现|发生|伴有?|时$|者$|时[,，]|者[,，]")


def asks_today(advice: str) -> bool:
    """Say whether advice asks somebody to act today or by tomorrow, whatever else happens: 请次日前到肾内科; not 出现胸痛请立即就医."""
    for found in _TODAY.finditer(advice):
        sentence = re.split(r"[。；;\n]", advice[: found.end()])[-1]
        if not _WHERE.search(sentence) and not _REASSURES.search(sentence):
            return True
    return False


_LEAVES_ALONE = re.compile(
    r"(?:不必|无需|不用|勿需?|不要|无须|毋需|不需要?)(?:特殊|进一步|过分|过度|立即)?(?:担心|担忧|处理|处置|理会|在意|紧张|治疗|就医|就诊|复查)|无大碍|no (?:treatment|action)|do not worry",
    re.IGNORECASE,
)


def leaves_alone(text: str) -> bool:
    """Say whether words say that nothing is to be done, of some people or of all, and ask nobody to act now."""
    return bool(_LEAVES_ALONE.search(text)) and not asks_to_act(text)


def tells(entry: Telling, alarm: Telling) -> bool:
    """Say whether whoever reads an entry is told of a critical value.

    By its own entry; by own words that rest on all that it names and ask to act now; or by a finding that asks for action at once, rests on all that it names,
    and found the same words. 肺结节 does not tell of the 气胸 in the same description, nor 血压升高, measure it again, of 186 with headache.
    """
    if entry.mild:
        return False
    if alarm.keys <= entry.keys:
        return True
    if not alarm.result_ids or not alarm.result_ids <= entry.result_ids:
        return False
    return entry.own or (entry.grave and alarm.words <= entry.words)


Alarmed = Mapping[UUID, frozenset[str]]
"""Results that are critical, each with the choices or words of it that are; none where all of it is."""


def alarmed(clauses: Iterable[Clause]) -> dict[UUID, frozenset[str]]:
    """Return what is critical, of the reasons for which it is: of a value of several choices, or a description, what was found in it."""
    found: dict[UUID, list[tuple[str, ...]]] = {}
    for clause in clauses:
        if clause.known is not None and clause.known.result_id is not None:
            found.setdefault(clause.known.result_id, []).append(clause.found)
    return {
        result_id: frozenset(word for words in said for word in words) if all(said) else frozenset()
        for result_id, said in found.items()
    }


def is_alarmed(clauses: Iterable[Clause], by: Alarmed) -> bool:
    """Say whether all that a finding rests on is critical itself: 预激综合征 is not for the 室性心动过速 that was chosen beside it."""
    resting = [clause for clause in clauses if clause.known is not None and clause.known.result_id is not None]
    return bool(resting) and all(_is_critical(clause, by) for clause in resting)


def _is_critical(clause: Clause, by: Alarmed) -> bool:
    known = clause.known
    words = by.get(known.result_id) if known is not None and known.result_id is not None else None
    if known is None or words is None:
        return False
    if not words:
        return True
    if known.chosen:
        return set(clause.found or known.chosen) <= words
    # In a description one word may be part of the other: 脑出血 in 左侧基底节区脑出血.
    return all(any(one in word or word in one for word in words) for one in clause.found)


def overview_of(titles: Iterable[str], values: Collection[Known] = ()) -> str:
    """Return the overview (综述) of what was concluded: a numbered list, or what may be said of the exam's values where nothing was."""
    said = [f"{i}. {title}" for i, title in enumerate(titles, 1)]
    if said:
        return "\n".join(["本次体检主要发现：", *said])
    return f"本次体检{nothing_found(values)}。"


def made_by_machine(overview: str, titles: Sequence[str]) -> bool:
    """Say whether an overview is the one that is made of these titles, and nobody's own words."""
    if titles:
        return chinese(overview) == chinese(overview_of(titles))
    return overview in {f"本次体检{sentence}。" for sentence in NOTHING_FOUND}


def calm_beside(texts: Iterable[tuple[str, str]], values: Collection[Known], found: Collection[UUID] = ()) -> list[str]:
    """Return the places of those texts that call everything, or an item that is flagged or found something of, normal.

    `found` are the results that standing findings rest on: what is within its range may be a finding all the same.
    """
    own = [known for known in values if known.flag or known.result_id in found]
    if not own and not forbids_calm([judgement_of(known) for known in values]):
        return []
    named = [(known.item_name, known.item_code) for known in own]
    return [place for place, text in texts if says_all_normal(text, flagged=named)]
