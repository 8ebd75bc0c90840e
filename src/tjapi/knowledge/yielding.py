"""Where the calm advice of a finding gives way: something that cannot wait stands on the same organ. Pure."""

from collections.abc import Iterable, Iterator

from tjapi.knowledge.lexicon import dictionary
from tjapi.knowledge.rules import Case, Known, Verdict, mentions_of

GIVES_WAY = "同一部位的描述中有需要医生尽快确认的内容,请不要按一般的复查间隔等待:请今天就与本院联系,由医师一并判断。"
"""What is advised instead of a recheck in half a year: nobody is told to come at once and to wait, of one organ."""


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
