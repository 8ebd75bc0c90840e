"""What a value is once it was read: in the item's own unit, and whether it can hardly be. For laboratories and for people alike."""

from collections.abc import Sequence
from decimal import Decimal

from tjapi.catalog.models import Item, ItemRange, ItemUnit
from tjapi.result.rules.flags import flag_of, lab_range
from tjapi.result.rules.questions import implausible, jumped, unit_in_doubt
from tjapi.result.rules.reading import Reading
from tjapi.result.rules.values import Value, converted, plain, same_unit
from tjapi.result.service.book import limits_of, range_rules

Turned = tuple[Value, str | None, dict[str, str] | None]


def in_our_unit(reading: Reading, said: str, item: Item, others: Sequence[ItemUnit]) -> Turned | None:
    """Return a value in the item's unit, that unit, and how it was converted; None: nobody knows how, or two units were said of it.

    `said` is the unit beside the value, "" if there is none; a unit inside the value goes first.
    """
    value, unit = reading.value, plain(reading.unit) or plain(said)
    if reading.unit and plain(said) and not same_unit(reading.unit, said):
        return None
    if value.numeric is None or same_unit(unit, item.unit):
        return value, unit or item.unit, None
    known = next((u for u in others if same_unit(unit, u.unit)), None)
    if known is None:
        return None
    conversion = {
        "value": value.raw, "unit": unit, "factor": f"{known.factor:f}", "addend": f"{known.addend:f}", "source": known.source,
    }  # fmt: skip
    return converted(value, known.factor, known.addend, item.decimals or 0), item.unit, conversion


def in_any_unit(value: Value, said: str, item: Item, others: Sequence[ItemUnit]) -> list[Value]:
    """Return what a number may be in the item's unit: that of the unit that is said, if it is one we know; else of each that we know."""
    ours = bool(plain(said)) and same_unit(said, item.unit)
    known = [u for u in others if plain(said) and same_unit(said, u.unit)]
    turned = [converted(value, u.factor, u.addend, item.decimals or 0) for u in known or (() if ours else others)]
    return turned if known else [value, *turned]


def unit_doubted(
    reading: Reading, said: tuple[str, str], item: Item, others: Sequence[ItemUnit], found: ItemRange | None
) -> bool:
    """Say whether a number of which no unit was said may as well be in another one. `said`: the unit beside it, and the laboratory's range."""
    unit, lab = said
    value = reading.value
    if value.numeric is None or plain(unit) or plain(reading.unit):
        return False
    normal = range_rules(found) if found is not None else None
    strange = [u for u in others if not same_unit(u.unit, item.unit)]
    turned = [converted(value, u.factor, u.addend, item.decimals or 0) for u in strange]
    flags = [(one, flag_of(item.kind, one, normal)) for one in turned]
    return unit_in_doubt((flag_of(item.kind, value, normal), normal), flags, lab_range(lab), limits_of(item))


def doubted(value: Value, item: Item, last: Decimal | None, age_years: int) -> bool:
    """Say whether a value can hardly be: beyond what is plausible, or far from the last exam's."""
    limits = limits_of(item)
    return implausible(value, limits) is not None or jumped(value, last, limits, age_years)
