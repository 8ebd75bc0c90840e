"""What somebody has read of the sources that rows cite: the passage, where it stands, and the figures of each row as they were then. Pure but for the file.

A row is verified by a reading that names it with the very figures that it has now: whoever changes a figure takes the reading away from it,
and `tjapi content check` says so. A reading is `primary` where the text of the standard or guideline itself was read, or a table that its
publisher gives out; `secondary` where somebody else quotes it, and the row then says so too.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Grade = Literal["primary", "secondary"]


class Reading(BaseModel):
    """One source as it was read. `rows`: what it confirms, by kind and code, with its figures; `corrected`: what was wrong before."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]*$", max_length=40)
    title: str = Field(min_length=1, max_length=200)
    edition: str = Field(min_length=1, max_length=40)
    grade: Grade
    at: str = Field(min_length=1, max_length=300)
    read_on: date
    passage: Annotated[str, Field(min_length=1, max_length=400)]
    rows: dict[str, str] = Field(min_length=1)
    corrected: dict[str, str] = Field(default_factory=dict)


@cache
def readings() -> tuple[Reading, ...]:
    """Return every reading that ships, in the order of the file."""
    text = (resources.files("tjapi.catalog") / "readings.toml").read_text(encoding="utf-8")
    return tuple(Reading.model_validate(one) for one in tomllib.loads(text)["readings"])


@cache
def _read() -> Mapping[str, tuple[tuple[str, Grade], ...]]:
    held: dict[str, list[tuple[str, Grade]]] = {}
    for one in readings():
        for key, figures in one.rows.items():
            held.setdefault(key, []).append((figures, one.grade))
    return {key: tuple(sorted(said, key=lambda s: s[1])) for key, said in held.items()}


def grade_of(key: str, figures: str) -> Grade | None:
    """Return how well a row was read as it is now, the better where several have; None where nobody has, or its figures are others."""
    return next((grade for said, grade in _read().get(key, ()) if said == figures), None)


def digest(*parts: Any) -> str:
    """Return what stands for a row whose figures are no pair of numbers, a condition say: any change of it is another digest."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def between(low: Decimal | None, high: Decimal | None) -> str:
    """Return two bounds as a reading says them: `3.5..5.3`, `..26`, without noughts that say nothing."""
    return f"{_plain(low)}..{_plain(high)}"


def _plain(number: Decimal | None) -> str:
    if number is None:
        return ""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def of_range(key: str, row: Any) -> dict[str, str]:
    """Return what there is to read of a reference range: its interval, or the words that are normal; and its critical bounds, if it has any.

    A row that has no interval says only for whom none holds: of that nothing can be read.
    """
    said: dict[str, str] = {}
    if row.low is not None or row.high is not None:
        said[f"ranges/{key}"] = between(row.low, row.high)
    elif row.normal_texts:
        said[f"ranges/{key}"] = "|".join(row.normal_texts)
    if row.critical_low is not None or row.critical_high is not None:
        said[f"bounds/{key}"] = between(row.critical_low, row.critical_high)
    return said


def of_limit(row: Any) -> dict[str, str]:
    """Return what there is to read of the limits of an item; nothing where it has none."""
    if row.plausible_low is None and row.plausible_high is None and row.delta_percent is None:
        return {}
    return {f"limits/{row.item}": f"{between(row.plausible_low, row.plausible_high)} Δ{row.delta_percent or ''}"}


def of_unit(row: Any) -> dict[str, str]:
    """Return what there is to read of a conversion."""
    return {f"units/{row.item}|{row.unit}": f"{_plain(row.factor)}+{_plain(row.addend)}"}


def of_item(row: Any) -> dict[str, str]:
    """Return what there is to read of an item: its LOINC code with its unit."""
    return {f"loinc/{row.code}": f"{row.loinc} {row.ucum or ''}".strip()} if row.loinc else {}


def is_read(said: Mapping[str, str]) -> bool:
    """Say whether all there is to read of a row was read; of one of which nothing can be read, nobody has."""
    return bool(said) and all(grade_of(key, figures) for key, figures in said.items())
