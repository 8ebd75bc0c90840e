"""What a text states of descriptions that none of them says: a finding that was once, another size, side or rhythm, what one of them denies. Pure.

The words are read as descriptions are (`descriptions.read`), so that every synonym of the dictionary counts: 房颤 of 心房颤动.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from tjapi.knowledge.categories import other_grades
from tjapi.knowledge.conditions import words
from tjapi.knowledge.descriptions import Mention, read
from tjapi.knowledge.rules import Known
from tjapi.knowledge.stated import is_stated, plain


def _read(known: Known) -> Iterable[Mention]:
    for part in known.chosen or (known.text,):
        yield from read(part, known.item_code, known.item_name).mentions


def _worded(values: Iterable[Known]) -> list[Known]:
    return [known for known in values if known.numeric is None and not known.unexamined and len(known.text) > 1]


def standing_in(values: Iterable[Known]) -> list[tuple[Mention, Known]]:
    """Return what descriptions say that there is, or may be, each with its value."""
    return [(one, known) for known in _worded(values) for one in _read(known) if one.stands]


def false_readings(
    text: str, earlier: Iterable[Known], now: Mapping[UUID | None, Known], free: Collection[str] = ()
) -> set[str]:
    """Return what a text states of descriptions that none of them says.

    A finding of an earlier value alone (房颤 of a corrected 心房颤动), another size (8 mm of 5 mm), a category that nothing has (4a类).
    """
    # Millimoles are no millimetres.
    said = plain(text, free).replace("mmol", "    ")
    stated = [one for one in read(said).mentions if one.assertion == "present"]
    found = other_grades(said, [known for known in now.values() if known.numeric is None])
    standing = standing_in(now.values())
    olds = [old for old in _worded(earlier) if (new := now.get(old.result_id)) is None or new.same != old.same]
    gone = {one.concept for old in olds for one in _read(old) if one.stands} - {one.concept for one, _ in standing}
    for one in stated:
        at = said.find(one.words.lower())
        if at < 0 or not is_stated(said, at, at + len(one.words)):
            continue
        if one.concept in gone:
            found.add(one.words)
        elif one.size_mm is not None and not one.compared and _is_other_size(one, standing):
            found.add(f"{one.size_mm:f}mm")
        elif _is_other_side(one, standing):
            found.add(one.words)
    return found | _denied(said, standing) | _other_rhythm(stated, said, now.values())


_SIDE_BEFORE = re.compile(r"[左右双两](?=[^左右双两,，。;；]*$)")


def side_of(one: Mention) -> str:
    """Return the side that stands last before what is named, in its clause; empty where none does."""
    said = plain(one.said)
    at = said.find(plain(one.words))
    clause = re.split(r"[,，。;；]", said[: max(at, 0) + len(one.words)])[-1]
    found = _SIDE_BEFORE.search(clause)
    return {"两": "双"}.get(found[0], found[0]) if found is not None else ""


def _is_other_side(one: Mention, standing: Collection[tuple[Mention, Known]]) -> bool:
    """Say whether what is stated of one side is described on the other alone."""
    side = side_of(one)
    sides = {side_of(other) for other, _ in standing if other.concept == one.concept}
    return side in ("左", "右") and bool(sides) and sides == {"左" if side == "右" else "右"}


_NOT_SEEN = re.compile(r"(?:未见|未发现|未提示|未显示|无|没有)[^,，。;；]*$")
_REMAINDER = re.compile(r"余|其他|其它|新发|新增|活动性|明显增")


def _denied(said: str, standing: Collection[tuple[Mention, Known]]) -> set[str]:
    """Return what a text denies and a description states: 颈动脉未见斑块 beside a plaque."""
    there = {one.concept for one, _ in standing if one.assertion == "present" and one.known}
    return {
        one.words
        for one in read(said).mentions
        if one.assertion == "absent"
        and one.known
        and one.concept in there
        and not _REMAINDER.search(one.said)
        and _NOT_SEEN.search(plain(one.said).split(plain(one.words))[0])
    }


_NEAR = 12
"""So many characters before a finding at most say that it is the electrocardiogram's."""


def _other_rhythm(stated: Collection[Mention], said: str, values: Iterable[Known]) -> set[str]:
    """Return what a text states of the electrocardiogram that its coded diagnosis does not say."""
    coded = [known for known in values if known.item_code == words().rhythm and known.chosen and not known.unexamined]
    if not coded:
        return set()
    held = {one.concept for known in coded for one in _read(known)}
    said_there = "".join(plain(known.text) for known in coded)
    return {
        one.words
        for one in stated
        if "心电" in plain(one.said).split(plain(one.words))[0][-_NEAR:]
        and one.concept not in held
        and plain(one.words) not in said_there
        and (at := said.find(one.words.lower())) >= 0
        and is_stated(said, at, at + len(one.words))
    }


def _is_other_size(one: Mention, standing: Collection[tuple[Mention, Known]]) -> bool:
    """Say whether descriptions give a size to what is stated, each time, and never this one."""
    same = [(other, known) for other, known in standing if other.concept == one.concept]
    sizes = {other.size_mm for other, _ in same} or {None}
    told = one.size_mm
    if not same or told is None or told in sizes:
        return False
    if None in sizes and not all(_MEASURED.search(plain(known.text)) for _, known in same):
        return False
    figures = {_normal(str(told)), _normal(str(told / 10))}
    figure = f"(?:{'|'.join(map(re.escape, figures))})"
    if re.search(rf"{figure}\s?(?:mm|cm|毫米|厘米)\s?(?:及|或)?以[上下内]", one.said) or re.search(
        rf"(?:[<>≤≥＜＞‹›]|小于|大于|超过|不足|低于|达到|至少)\s?{figure}", one.said
    ):
        return False
    said = {_normal(one) for _, known in same for one in re.findall(r"\d+(?:\.\d+)?", plain(known.text))}
    return not figures & said


_MEASURED = re.compile(r"\d\s?(?:mm|cm|毫米|厘米)")


def _normal(figure: str) -> str:
    return f"{Decimal(figure).normalize():f}"
