"""Names that a laboratory puts beside its codes: one that is another item's of the exam counts as a further code."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from adapters.lis.contract import LabObservation, LabReport
from tjapi.catalog.models import Item
from tjapi.result.rules.naming import names_another, plain_name
from tjapi.result.service.book import Book


def items_meant(items: Mapping[str, Item], o: LabObservation) -> tuple[Item, ...]:
    """Return the items to which the codes of an observation lead, each once."""
    codes = (o.code, *o.other_codes)
    return tuple({items[code].id: items[code] for code in codes if code in items}.values())


def with_names(book: Book, report: LabReport, items: Mapping[str, Item]) -> tuple[LabReport, Mapping[str, Item]]:
    """Return a report whose names count as codes where they name another item, and to what all its codes lead.

    Which of the two is meant nobody knows: they disagree as two codes do. Items of different specimens may well share a name.
    """
    ours: dict[str, Item] = {}
    drawn: defaultdict[UUID, set[str | None]] = defaultdict(set)
    for line in book.lines.values():
        for item in book.items_of(line) if line.performed_by == "lis" else ():
            ours[plain_name(item.name)] = item
            drawn[item.id].add(line.specimen)
    said = [(o.code, o.name) for result in report.results for o in result.observations]
    codes = dict(items)

    def named(o: LabObservation) -> LabObservation:
        meant, other = items_meant(items, o), ours.get(plain_name(o.name))
        if len(meant) != 1 or other is None or drawn[meant[0].id].isdisjoint(drawn[other.id]):
            return o
        elsewhere = [name for code, name in said if code != o.code]
        if not names_another(meant[0].name, o.name, other.name, elsewhere):
            return o
        codes[f"name:{other.code}"] = other
        return replace(o, other_codes=(*o.other_codes, f"name:{other.code}"))

    results = [replace(result, observations=tuple(named(o) for o in result.observations)) for result in report.results]
    return replace(report, results=tuple(results)), codes
