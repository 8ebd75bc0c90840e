"""What a word says of values by itself: 贫血 of a low haemoglobin. A text that states it beside values that all deny it is wrong. Pure.

The words are data (`conditions.toml`), and so is what else words about values have to know of items and sites.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources

from tjapi.knowledge.grades import reaction_of
from tjapi.knowledge.rules import Known
from tjapi.knowledge.stated import ELSEWHEN, MOST_BEFORE, is_stated, places, plain


@dataclass(frozen=True, slots=True)
class Condition:
    """A word of values, and what it says of them: `every` one, and `one_of` them. Each is an item's code and H, L, +, -, * or a bound (>=140).

    `behind` and `ahead` are words beside a name that make it part of another. `asks`: values that say otherwise do not deny it, because it may
    be known otherwise (a diabetes that is treated): whoever signs is asked.
    """

    names: tuple[str, ...]
    one_of: tuple[tuple[str, str], ...]
    every: tuple[tuple[str, str], ...]
    behind: tuple[str, ...]
    ahead: tuple[str, ...]
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What words about values have to know beside conditions.

    Of which scheme the categories of an item are; of which items a person may know more than was chosen; which one is the electrocardiogram's
    coded diagnosis; what several sites are called together; diseases that no value shows by itself.
    """

    conditions: tuple[Condition, ...]
    scheme_of: Mapping[str, str]
    only_told: frozenset[str]
    rhythm: str
    wholes: Mapping[str, tuple[str, ...]]
    diseases: frozenset[str]


@cache
def words() -> Words:
    """Return the data of `conditions.toml`."""
    rows = tomllib.loads((resources.files("tjapi.knowledge") / "conditions.toml").read_text("utf-8"))
    return Words(
        tuple(
            Condition(
                tuple(one["names"].split()), _wanted(one.get("any", ())), _wanted(one.get("all", ())), tuple(one.get("behind", "").split()),
                tuple(one.get("ahead", "").split()), bool(one.get("asks")),
            )
            for one in rows["conditions"]
        ),
        rows["items"]["schemes"],
        frozenset(rows["items"]["only_told"].split()),
        rows["items"]["rhythm"],
        {plain(name): tuple(one["sites"].split()) for one in rows["wholes"] for name in one["names"].split()},
        frozenset(plain(name) for name in rows["items"]["diseases"].split()),
    )  # fmt: skip


def conditions() -> tuple[Condition, ...]:
    """Return the words that say something of values by themselves."""
    return words().conditions


def diseases() -> frozenset[str]:
    """Return, in plain writing, the names of diseases that no value shows by itself: a person knows of them, or nobody does."""
    return words().diseases


def words_of_sites(said: str) -> list[str]:
    """Return the sites that a text in plain writing calls together: 耳鼻喉."""
    return [site for name, sites in words().wholes.items() if name in said for site in sites]


def _wanted(rows: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((code, wanted) for code, wanted in (row.rsplit(" ", 1) for row in rows))


def false_conditions(text: str, values: Collection[Known], free: Collection[str] = ()) -> set[str]:
    """Return the conditions that a text states and that values deny: 贫血 beside a normal haemoglobin, 大三阳 beside a negative e antigen.

    What a value says in its own words (甲亢 in a history) may be repeated. `free` are texts of the knowledge base, and names of findings that hold.
    """
    said = plain(text, free)
    by_code: dict[str, list[Known]] = {}
    for known in values:
        by_code.setdefault(known.item_code, []).append(known)
    told = " ".join(plain(known.text) for known in values if known.numeric is None)
    found = set()
    for condition in conditions():
        for name in condition.names:
            if (
                name in said
                and name not in told
                and any(_states(said, at, name, condition) for at in places(said, name))
            ):
                if not condition.asks and _denied_by(condition, by_code):
                    found.add(name)
                break
    return found


_NONE_OF = re.compile(r"(?:未见|未发现|未提示|无|没有|(?<![不未])(?<![不未]能)(?:排除|除外))(?:明显|明确)?$")


def false_denials(text: str, values: Collection[Known], free: Collection[str] = ()) -> set[str]:
    """Return the conditions that a text denies and that values state: 无贫血 beside a haemoglobin of 88."""
    said = plain(text, free)
    by_code: dict[str, list[Known]] = {}
    for known in values:
        by_code.setdefault(known.item_code, []).append(known)
    return {
        name
        for condition in conditions()
        for name in condition.names
        if name in said
        and _holds(condition, by_code)
        and any(of_condition(said, at, name, condition) and is_none_of(said[:at]) for at in places(said, name))
    }


def is_none_of(before: str) -> bool:
    """Say whether words deny what follows them, today and of this person."""
    cue = _NONE_OF.search(before)
    return cue is not None and ELSEWHEN.search(before[max(cue.start() - MOST_BEFORE, 0) : cue.start()]) is None


def _holds(condition: Condition, by_code: Mapping[str, Collection[Known]]) -> bool:
    if condition.asks:
        return False
    if condition.every:
        return all(_answer(by_code.get(code, ()), wanted) is True for code, wanted in condition.every)
    first = condition.one_of[0]
    return _answer(by_code.get(first[0], ()), first[1]) is True


def _states(said: str, at: int, name: str, condition: Condition) -> bool:
    return of_condition(said, at, name, condition) and is_stated(said, at, at + len(name))


def of_condition(said: str, at: int, name: str, condition: Condition) -> bool:
    """Say whether a name at a place is the condition's, and no part of another word: 血尿 of 血尿酸."""
    behind, ahead = condition.behind or ("\0",), condition.ahead or ("\0",)
    return not said[:at].endswith(behind) and not said.startswith(ahead, at + len(name))


def _denied_by(condition: Condition, by_code: Mapping[str, Collection[Known]]) -> bool:
    if any(_answer(by_code.get(code, ()), wanted) is False for code, wanted in condition.every):
        return True
    answers = [_answer(by_code[code], wanted) for code, wanted in condition.one_of if code in by_code]
    return bool(answers) and all(answer is False for answer in answers)


def supported(condition: Condition, by_code: Mapping[str, Collection[Known]]) -> bool:
    """Say whether values say so: every one that has to, and any of those of which one has to."""
    every = all(_answer(by_code.get(code, ()), wanted) is True for code, wanted in condition.every)
    any_ = any(_answer(by_code.get(code, ()), wanted) is True for code, wanted in condition.one_of)
    return every and (any_ or not condition.one_of)


def _answer(values: Collection[Known], wanted: str) -> bool | None:
    """Say whether values are so; None where nobody measured, or nobody can say."""
    answers = {_is(known, wanted) for known in values if not known.unexamined}
    return True if True in answers else None if None in answers or not answers else False


_SIDES = {
    "H": ({"H", "HH"}, {"", "L", "LL"}),
    "L": ({"L", "LL"}, {"", "H", "HH"}),
    "*": ({"H", "HH", "L", "LL", "A"}, {""}),
}


_BOUND = re.compile(r"(?P<sign>>=|<)(?P<figure>-?\d+(?:\.\d+)?)")


def _is(known: Known, wanted: str) -> bool | None:
    if (bound := _BOUND.fullmatch(wanted)) is not None:
        if known.numeric is None:
            return None
        return (known.numeric >= Decimal(bound["figure"])) == (bound["sign"] == ">=")
    if wanted in _SIDES:
        so, other = _SIDES[wanted]
        return True if known.flag in so else False if known.flag in other and not known.undetermined else None
    reaction = reaction_of(known.text)
    if reaction is None:
        # A quantity with its range: positive is what is above it.
        return (
            None
            if known.numeric is None or known.flag in (None, "A")
            else (known.flag in ("H", "HH")) == (wanted == "+")
        )
    return reaction.positive == (wanted == "+")
