"""Where the calm advice of a finding gives way: to a critical value that it rests on, or to what cannot wait on the same organ. Pure."""

import re
from collections.abc import Iterable, Iterator

from tjapi.knowledge.lexicon import dictionary
from tjapi.knowledge.rules import Case, Clause, Known, Verdict, mentions_of

GIVES_WAY = "同一部位的描述中有需要医生尽快确认的内容,请不要按一般的复查间隔等待:请今天就与本院联系,由医师一并判断。"
"""What is advised instead of a recheck in half a year: nobody is told to come at once and to wait, of one organ."""

SEE_ALERT = "该结果达到危急值,请先按危急值的建议立即就医。"
"""What a finding that is not grave by itself advises where a value that it rests on is critical: the words of a conclusion."""

_AT_ONCE = re.compile("不要离开|不得离开|当场|请立即|立即拨打")


def asks_at_once(advice: str) -> bool:
    """Say whether advice itself asks to act at once: it knows better than the alert what is not to be done meanwhile."""
    return bool(_AT_ONCE.search(advice))


def rests_on_alarm(verdict: Verdict, alarming: Iterable[Clause]) -> bool:
    """Say whether something that a finding rests on is why an alert asks to act at once: a pulse of 150 beside the fibrillation, not it alone.

    Of a choice or a description only the same words are: 预激综合征 is not for the 室性心动过速 that was chosen beside it.
    """
    grave: dict[str, list[tuple[str, ...]]] = {}
    for clause in alarming:
        if clause.known is not None:
            grave.setdefault(clause.known.item_code, []).append(clause.found)
    return any(
        clause.known is not None and any(_same(clause, words) for words in grave.get(clause.known.item_code, ()))
        for clause in verdict.clauses
    )


def _same(clause: Clause, words: tuple[str, ...]) -> bool:
    if not words or clause.known is None or clause.known.numeric is not None:
        return True
    return all(any(one in word or word in one for word in words) for one in clause.found or clause.known.chosen)


def gives_way(verdict: Verdict, case: Case) -> bool:
    """Say whether grave words stand, in whatever description, on an organ of which a finding speaks: 甲状腺结节 beside its 微钙化."""
    organs = {
        organ
        for clause in verdict.clauses
        if clause.known is not None
        for organ in _organs_of(clause.known, clause.found)
    }
    return bool(organs) and not organs.isdisjoint(_grave_organs(case))


def _organs_of(known: Known, found: Iterable[str]) -> Iterator[str]:
    """Yield the organs of the words that were found in a value; of words that name none, that of its item."""
    if known.numeric is not None:
        return
    words = set(found)
    sites = {one.site for one in mentions_of(known) if one.words in words} if words else set()
    yield from (_organ(site) for site in (sites - {""}) or {dictionary().of_item.get(known.item_code, "")} - {""})


def _grave_organs(case: Case) -> Iterator[str]:
    for known in case.every:
        if known.numeric is None and not known.unexamined:
            own = dictionary().of_item.get(known.item_code, "")
            yield from (_organ(one.site or own) for one in mentions_of(known) if one.grave and one.stands)


def _organ(site: str) -> str:
    return dictionary().region_of.get(site, site)
