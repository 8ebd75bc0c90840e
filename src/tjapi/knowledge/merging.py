"""What becomes of a hospital's own rows when a newer shipped content arrives. Pure."""

from collections.abc import Mapping
from typing import Any

Key = tuple[str, str]
"""Which kind of row, and its code: finding, rule, critical."""
Rows = Mapping[Key, Mapping[str, Any]]


def merged(shipped_before: Rows, ours: Rows, shipped_now: Rows) -> tuple[dict[Key, Mapping[str, Any]], list[Key]]:
    """Return the newer shipped rows with the hospital's own kept, and the keys that both changed, where the hospital's stays.

    A row that the hospital wrote, changed or took out stays as it has it; any other becomes what is shipped now. A shipped rule for a
    finding that the hospital took out is left out with it; what an own rule leads to is `led_to`.
    """
    rows: dict[Key, Mapping[str, Any]] = {}
    contested = []
    for key in sorted(shipped_before.keys() | ours.keys() | shipped_now.keys()):
        before, own, now = shipped_before.get(key), ours.get(key), shipped_now.get(key)
        kept = now if own == before else own
        if own not in (before, now) and now != before:
            contested.append(key)
        if kept is not None:
            rows[key] = kept
    found = {code for kind, code in rows if kind == "finding"}
    return {
        key: row
        for key, row in rows.items()
        if key[0] != "rule" or row["finding"] in found or row != shipped_now.get(key)
    }, contested


def led_to(rows: Rows, before: Rows, ours: Rows) -> dict[Key, Mapping[str, Any]]:
    """Return the findings that the hospital's own rows lead to and that ship no more, as the hospital has them.

    Own is what is not as it shipped: its rules, and what its findings outrank.
    """
    there = {code for kind, code in rows if kind == "finding"}
    left = [row for key, row in rows.items() if row != before.get(key) and row == ours.get(key)]
    found: dict[Key, Mapping[str, Any]] = {}
    while left:
        row = left.pop()
        wanted = {*([row["finding"]] if "finding" in row else []), *row.get("outranks", ())} - there
        for code in sorted(wanted):
            key = ("finding", code)
            if key in ours:
                found[key] = ours[key]
                there.add(code)
                left.append(ours[key])
    return found
