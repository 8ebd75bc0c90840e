"""What a value is once it was read: in the item's own unit, and whether it can hardly be. For laboratories and for people alike."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tjapi.catalog.models import Item, ItemRange, ItemUnit
from tjapi.result.rules.flags import flag, flag_of, lab_flag
from tjapi.result.rules.questions import Turned as Meant
from tjapi.result.rules.questions import implausible, jumped, unit_in_doubt
from tjapi.result.rules.ranges import speaks_of, told_range
from tjapi.result.rules.reading import NUMBERS, Measured, Reading
from tjapi.result.rules.values import Value, converted, is_rounded, same_unit, unit_fits, unit_said
from tjapi.result.service.book import limits_of, range_rules

Turned = tuple[Value, str | None, dict[str, str] | None]


def in_our_unit(reading: Reading, said: str, item: Item, others: Sequence[ItemUnit]) -> Turned | None:
    """Return a value in the item's unit, that unit, and how it was converted; None: nobody knows how, or two units were said of it.

    `said` is the unit beside the value, "" if there is none; a unit inside the value goes first.
    """
    value, unit = reading.value, unit_said(reading.unit) or unit_said(said)
    if reading.unit and unit_said(said) and not same_unit(reading.unit, said):
        return None
    fits = unit_fits(unit, item.unit, item.code) if item.kind in NUMBERS else same_unit(unit, item.unit)
    if value.numeric is None or fits:
        return value, unit or item.unit, None
    known = next((u for u in others if same_unit(unit, u.unit)), None)
    if known is None:
        return None
    conversion = {
        "value": value.raw, "unit": unit, "factor": f"{known.factor:f}", "addend": f"{known.addend:f}", "source": known.source,
    }  # fmt: skip
    return converted(value, known.factor, known.addend, item.decimals or 0), item.unit, conversion


def in_two_units(found: Sequence[tuple[Measured, Turned]]) -> list[tuple[Measured, Turned]]:
    """Put together what was said of one measurement in our unit and in another one: 5.5 mmol/L and 99 mg/dL are one value, as it was said in ours."""
    ours = [one for one in found if one[1][2] is None]
    absorbed: dict[int, tuple[int, ...]] = {}
    left: list[tuple[Measured, Turned]] = []
    for one in found:
        measured, turned = one
        conversion = turned[2]
        same = [
            i
            for i, (_, mine) in enumerate(ours)
            if conversion is not None
            and is_rounded(mine[0], measured.reading.value, Decimal(conversion["factor"]), turned[0])
        ]
        if len(same) == 1:
            absorbed[same[0]] = (*absorbed.get(same[0], ()), *measured.orders)
        else:
            left.append(one)
    for i, orders in absorbed.items():
        at = left.index(ours[i])
        left[at] = (replace(ours[i][0], orders=(*ours[i][0].orders, *orders)), ours[i][1])
    return left


def in_any_unit(value: Value, said: str, item: Item, others: Sequence[ItemUnit]) -> list[Value]:
    """Return what a number may be in the item's unit: that of the unit that is said, if it is one we know; else of each that we know."""
    ours = bool(unit_said(said)) and same_unit(said, item.unit)
    known = [u for u in others if unit_said(said) and same_unit(said, u.unit)]
    turned = [converted(value, u.factor, u.addend, item.decimals or 0) for u in known or (() if ours else others)]
    return turned if known else [value, *turned]


def unit_doubted(
    reading: Reading, said: tuple[str, str], item: Item, others: Sequence[ItemUnit], found: ItemRange | None, marks: Sequence[str] = ()
) -> bool:  # fmt: skip
    """Say whether a number of which no unit was said may as well be in another one. `said`: the unit beside it, and the laboratory's range."""
    unit, lab = said
    value = reading.value
    if value.numeric is None or unit_said(unit) or unit_said(reading.unit):
        return False
    normal = range_rules(found) if found is not None else None
    strange = [u for u in others if not same_unit(u.unit, item.unit)]
    told = told_range(lab)
    if told is not None and not speaks_of(told, item.unit or ""):
        # Its range says a unit, which is not ours: so does the number, whatever it comes to.
        if "/" in told.unit or "%" in told.unit or any(same_unit(told.unit, u.unit) for u in strange):
            return True
        told = None
    meant = []
    for u in strange:
        turned = converted(value, u.factor, u.addend, item.decimals or 0)
        theirs = told.turned(u.factor, u.addend, item.decimals or 0).normal if told is not None else None
        meant.append(Meant(turned, flag_of(item.kind, turned, normal), theirs))
    theirs = told.normal if told is not None else None
    verdicts = (flag(value, theirs), lab_flag(marks, reading.mark))
    return unit_in_doubt((flag_of(item.kind, value, normal), normal), meant, theirs, limits_of(item), verdicts)


def doubted(value: Value, item: Item, last: Decimal | None, age_years: int) -> bool:
    """Say whether a value can hardly be: beyond what is plausible, or far from the last exam's."""
    limits = limits_of(item)
    return implausible(value, limits) is not None or jumped(value, last, limits, age_years)
