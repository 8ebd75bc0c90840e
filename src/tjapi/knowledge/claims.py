"""What a text claims of results in words: a coded value that was, a finding that is none any more, a side of a range, that something is critical. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.names import Spoken
from tjapi.knowledge.rules import Known

_PUNCTUATION = re.compile(r"[\W_]+")


def rewritten(was: str, text: str) -> bool:
    """Say whether words were written anew: a full stop that was added rewrites nothing."""
    return _PUNCTUATION.sub("", was) != _PUNCTUATION.sub("", text)


# --- words that a result said once ---

_USUAL = re.compile(r"(?:参考|正常)(?:值|范围|区间)?[为是:：]?\s*(?:阴性|阳性|未检出|[-–—±+]+|\(-\)|（-）)")
_APART = re.compile(r"[,，.。;；:：、\n]")
_LONG = 4
"""From so many characters on a phrase is a result's own, whatever stands before it."""
_CODED = 8
_MOST_PHRASES = 200


def outdated_words(text: str, earlier: Iterable[Known], now: Mapping[UUID | None, Known]) -> set[str]:
    """Return the words of a text that results said once and that nothing says any more: 阳性 beside an item that is 阴性 now, TI-RADS 5类.

    `earlier` is whatever was said of the exam's results, `now` the current values by result. A short word is told of the item whose name
    stands last before it; a phrase of a description is its own. What stands beside the new words of the same item tells of a change.
    """
    olds = {
        (old.result_id, old.text): old
        for old in earlier
        if old.numeric is None and ((one := now.get(old.result_id)) is None or one.same != old.same)
    }
    if not olds:
        return set()
    said = _plain(_USUAL.sub(lambda found: " " * len(found[0]), text))
    spoken = Spoken((known.item_name, known.item_code) for known in (*olds.values(), *now.values()))
    by_name: dict[str, list[str]] = {}
    for known in now.values():
        by_name.setdefault(known.item_name, []).append(_plain(known.text))
    found = set()
    for old in olds.values():
        current = now.get(old.result_id)
        held = [phrase for phrase in _phrases(old) if _told_of(said, phrase, old.item_name, spoken, by_name)]
        new = _phrases(current) if current is not None and current.numeric is None else ()
        if held and not any(_told_of(said, phrase, old.item_name, spoken, {}) for phrase in new):
            found |= set(held)
    return found


def _told_of(said: str, phrase: str, item: str, spoken: Spoken, now: Mapping[str, Iterable[str]]) -> bool:
    """Say whether a text tells a phrase of an item, and none of the items of which it tells it says so now."""
    for _, _, owners in spoken.beside(
        said, re.compile(rf"(?<![^\W\d_]){re.escape(phrase)}" if phrase.isascii() else re.escape(phrase))
    ):
        if item not in owners and len(phrase) < _LONG:
            continue
        if not any(phrase in text for owner in owners | {item} for text in now.get(owner, ())):
            return True
    return False


def _phrases(known: Known) -> list[str]:
    """Return what a value says in words: each of several choices, a coded word, the clauses of a description."""
    if known.chosen:
        return [_plain(part) for part in known.chosen]
    text = _plain(known.text).strip()
    if len(text) <= _CODED:
        return [text] if text else []
    parts = [part.strip() for part in _APART.split(text)[:_MOST_PHRASES]]
    return [part for part in parts if len(part) >= _LONG]


def _plain(text: str) -> str:
    return simplified(text).lower()


# --- findings that are none any more ---

_DENIED_BEFORE = re.compile(r"(?:无|未见|未发现|排除|除外|不支持|不是|非|没有)[^,，。;；\n]{0,3}$")
_DENIED_AFTER = re.compile(r"[^,，。;；\n]{0,3}(?:已?(?:更正|排除|撤销|除外|解除|恢复)|不成立|作废)")


def gone_names(text: str, once: Iterable[str], now: Iterable[str]) -> set[str]:
    """Return the names of findings that results gave rise to once, that do not hold now, and that a text states all the same.

    A name that is part of one which holds now (血压升高 in 血压升高（2级）) is that one's. 已排除, 已更正 beside a name deny it.
    """
    said = _plain(text)
    for name in sorted(map(_plain, now), key=len, reverse=True):
        said = said.replace(name, " " * len(name))
    return {name for name in once if name and _states(said, _plain(name))}


def _states(said: str, name: str) -> bool:
    return any(
        not _DENIED_BEFORE.search(said[max(found.start() - 8, 0) : found.start()])
        and not _DENIED_AFTER.match(said, found.end())
        for found in re.finditer(re.escape(name), said)
    )


# --- sides of a range, and what is critical ---

_SIDE = re.compile(r"(?P<H>[高超]于(?:正常)?参考|超过参考|偏高)|(?P<L>低于(?:正常)?参考|偏低)")
_CRITICAL = re.compile(r"(?<![非未无])(?<!未达)(?<!不属)危急(?!值?(?:已?(?:解除|排除|更正|撤销)|参考|范围))")


def false_claims(
    text: str, values: Collection[Known], critical: Collection[str], own: Collection[str] = ()
) -> set[str]:
    """Return the words of a text that claim of items what their values do not say: 高于参考范围 of one that is not high, 危急值 of none.

    `critical` are the names of items that are critical now; `own` those of the items that the text rests on: of them it speaks where it names
    none (该结果达到危急值). What was not judged is not contradicted.
    """
    said, found = _plain(text), set()
    spoken = Spoken((known.item_name, known.item_code) for known in values)
    flags: dict[str, set[str | None]] = {}
    for known in values:
        flags.setdefault(known.item_name, set()).add(known.flag)
    for start, end, owners in spoken.beside(said, _SIDE):
        side = next(name for name, group in _SIDE.match(said, start, end).groupdict().items() if group)  # type: ignore[union-attr]
        told = {flag for name in owners for flag in flags.get(name, ())}
        if told and told <= _NOT[side]:
            found.add(text[start:end])
    for start, end, owners in spoken.beside(said, _CRITICAL):
        of = owners or frozenset(own)
        if (of and not of & set(critical)) or (not of and not critical):
            found.add(text[start:end])
    return found


_NOT: Mapping[str, frozenset[str]] = {"H": frozenset({"", "L", "LL"}), "L": frozenset({"", "H", "HH"})}
"""Flags that contradict a side; of what is only abnormal, or was not judged, nobody knows the side."""
