"""States of a conclusion, and the order of what it says."""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from tjapi.knowledge.rules import Known
from tjapi.knowledge.words import NOTHING_FOUND, chinese, forbids_calm, judgement_of, nothing_found, says_all_normal

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
"""What whoever has a critical value is told where no finding advises them."""


def alert_title(names: Iterable[str]) -> str:
    """Return the title of an entry about a critical value of which no finding speaks: 血钾危急值; of a rule over several items 收缩压、伴随症状危急值."""
    return f"{'、'.join(dict.fromkeys(names))}危急值"


def left_unsaid(alerts: Sequence[Collection[UUID]], cited: Collection[UUID]) -> list[int]:
    """Return the places of the alerts, each the results that it names, that are to be told where entries speak of `cited` already.

    The widest first: what names several results tells of each of them, so that an alert of one of these alone is not told again.
    """
    said = set(cited)
    places = []
    for place in sorted(range(len(alerts)), key=lambda place: -len(alerts[place])):
        if said.isdisjoint(alerts[place]):
            places.append(place)
            said.update(alerts[place])
    return places


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


def calm_beside(texts: Iterable[tuple[str, str]], values: Collection[Known]) -> list[str]:
    """Return the places of those texts that call everything, or a flagged item, normal, where something is flagged or not judged."""
    if not forbids_calm([judgement_of(known) for known in values]):
        return []
    flagged = [known.item_name for known in values if known.flag]
    return [place for place, text in texts if says_all_normal(text, flagged=flagged)]
