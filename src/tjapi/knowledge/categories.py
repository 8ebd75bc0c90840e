"""Categories of imaging that a text states and that no value has: of a scheme whose item says 无, or beside no item's name (左叶结节4a类). Pure."""

import re
from collections.abc import Collection

from tjapi.knowledge.conditions import words
from tjapi.knowledge.grades import PLAIN, SCHEMED, categories, is_of, scheme_of, schemed, spoken_categories
from tjapi.knowledge.names import spoken_of
from tjapi.knowledge.rules import Known
from tjapi.knowledge.stated import is_stated


def other_grades(said: str, values: Collection[Known]) -> set[str]:
    """Return the categories of imaging of a text that no value has: of a scheme whose item says 无, or beside no item's name (左叶结节4a类)."""
    by_scheme: dict[str, set[str]] = {}
    for known in values:
        own = scheme_of(known.item_name) or words().scheme_of.get(known.item_code, "")
        if own and not known.unexamined:
            by_scheme.setdefault(own, set())
        for scheme, one in categories(known.text, own):
            by_scheme.setdefault(scheme, set()).add(one)
    if not by_scheme:
        return set()
    every = {one for some in by_scheme.values() for one in some}
    named = spoken_of(frozenset((known.item_name, known.item_code) for known in values))
    found = {
        said[start:end]
        for start, end, owners in named.beside(said, PLAIN)
        if (plain := PLAIN.match(said, start)) is not None
        and not any(scheme_of(name) for name in owners)
        and not any(is_of(one, every) for one in spoken_categories(plain))
        and is_stated(said, start, end)
        and _OF_A_LESION.search(said[:start])
        and not _OR_ANOTHER.search(said[:start])
    }
    for match in SCHEMED.finditer(said):
        scheme = schemed(match)[0]
        if (
            scheme in by_scheme
            and not any(is_of(one, by_scheme[scheme] | by_scheme.get("", set())) for one in spoken_categories(match))
            and is_stated(said, *match.span())
        ):
            found.add(match[0])
    return found


_OF_A_LESION = re.compile(r"(?:结节|肿块|占位|病灶|包块|团块|囊肿|[左右双]乳|乳腺|甲状腺|肺|附件)[^。;；\n]*$")
_OR_ANOTHER = re.compile(r"\d\s?[a-cx]?\s?类?\s?(?:或|和|及|至|到|、|[-~～])\s?$")
"""What makes a category one of several that are spoken of in general: 4 类或 5 类."""
