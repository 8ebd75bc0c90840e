"""The laboratory's own test dictionary, and plausible measurements from it."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

BUILT_IN = Path(__file__).with_name("dictionary.json")
_NORMAL_SHARE = 0.88
_BARELY_NORMAL = 0.05  # keep ordinary values off the very bounds


class Test(BaseModel):
    """One observable. `low`/`high` bound the normal range, `critical_*` what must be called in at once (unit: `unit`)."""

    __test__ = False  # pytest: a laboratory test is not a unit test
    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    name: str
    unit: str = ""
    range: str = ""
    kind: Literal["numeric", "coded"] = "numeric"
    low: float | None = None
    high: float | None = None
    decimals: int = 1
    critical_low: float | None = None
    critical_high: float | None = None
    normal: str = "阴性"
    abnormal: tuple[str, ...] = ("阳性",)


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value as the laboratory would print it, with its OBX-8 flag (empty when normal) and OBX-11 status."""

    value: str
    flag: str
    status: str = "F"


class Dictionary:
    """Group code → tests. File: `{"groups": {"CODE": [{"code", "name", "unit", "range", "kind", …}]}}`."""

    def __init__(self, groups: dict[str, list[Test]]) -> None:
        """Use `load` outside tests."""
        self.groups = groups

    @classmethod
    def load(cls, path: Path) -> "Dictionary":
        """Read a dictionary; raises `ValueError` naming what is wrong, `OSError` when there is no file."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls({code: [Test.model_validate(test) for test in tests] for code, tests in content["groups"].items()})

    def test(self, code: str) -> Test | None:
        """Find a test by its code in any group."""
        return next((test for tests in self.groups.values() for test in tests if test.code == code), None)


def measure(test: Test, barcode: str, revision: int = 0) -> Measurement:
    """Measure one tube: the same tube gives the same value each time, another `revision` another one."""
    chance = random.Random(f"{barcode}/{test.code}/{revision}")  # noqa: S311 - blood, not keys
    normal = chance.random() < _NORMAL_SHARE
    if test.kind == "coded":
        value = test.normal if normal else chance.choice(test.abnormal)
        return Measurement(value, flag_of(test, value))
    low, high = _bounds(test)
    width = (high - low) or 1.0
    if normal:
        number = chance.uniform(low + _BARELY_NORMAL * width, high - _BARELY_NORMAL * width)
    elif test.high is not None and (test.low is None or chance.random() < 0.6):  # noqa: PLR2004 - a little more often high
        number = high + chance.uniform(0.05, 0.35) * width
    else:
        number = max(0.0, low - chance.uniform(0.05, 0.2) * width)
    value = f"{number:.{test.decimals}f}"
    return Measurement(value, flag_of(test, value))


def flag_of(test: Test, value: str) -> str:
    """Return the laboratory's own OBX-8 for a value: HH, H, L, LL, A or nothing."""
    if test.kind == "coded":
        return "" if value == test.normal else "A"
    try:
        number = float(value.lstrip("<>＜＞≤≥"))
    except ValueError:
        return ""
    bounds = (
        ("HH", test.critical_high is not None and number >= test.critical_high),
        ("LL", test.critical_low is not None and number <= test.critical_low),
        ("H", test.high is not None and number > test.high),
        ("L", test.low is not None and number < test.low),
    )
    return next((flag for flag, hit in bounds if hit), "")


def _bounds(test: Test) -> tuple[float, float]:
    if test.low is not None:
        return test.low, test.high if test.high is not None else test.low * 2 + 1
    high = test.high if test.high is not None else 100.0
    return high * 0.2, high
