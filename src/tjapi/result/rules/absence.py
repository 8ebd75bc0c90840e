"""Why a computed item has no value. Pure: what its inputs say, and for whom it is computed, decide; it is never missing in silence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tjapi.result.rules.values import Value

Standing = Literal[
    "exact", "censored", "text", "contested", "unread", "given_up", "refused", "waived", "deferred", "not_ordered", "awaited"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """What is known of an item that another one is computed from. `said`: its value, or why there is none; `status` is that of its value."""

    code: str
    name: str
    standing: Standing
    number: Decimal | None = None
    said: str = ""
    status: str = ""

    @property
    def exact(self) -> Decimal | None:
        """The number to compute with: one that is known exactly, and that nothing contradicts. A bound (<4.0) is none."""
        return self.number if self.standing == "exact" else None


def input_of(code: str, name: str, value: Value | None, status: str = "") -> Input:
    """Return an input by the value that stands of it; none: it is awaited."""
    if value is None:
        return Input(code, name, "awaited")
    standing: Standing = "text" if value.numeric is None else "censored" if value.comparator else "exact"
    return Input(code, name, standing, value.numeric, value.text, status)


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a computed item has no value, as the report says it, and in English."""

    zh: str
    en: str


def why_none(inputs: Sequence[Input], outside: tuple[str, str] | None) -> Absence | None:
    """Return why nothing can be computed of these inputs; None: a value is still awaited, and what hangs on it with it.

    `outside`: what of the person lies outside of the formula's domain. Called only where there is no value.
    """
    lacking = [one for one in inputs if one.exact is None]
    if any(one.standing == "awaited" for one in lacking):
        return None
    if lacking:
        found = [_lacking(one) for one in lacking]
        return Absence(";".join(zh for zh, _ in found), "; ".join(en for _, en in found))
    if outside is not None:
        return Absence(*outside)
    named = "、".join(f"{one.name} {one.said}" for one in inputs)
    codes = ", ".join(f"{one.code} {one.said}" for one in inputs)
    return Absence(f"由{named}计算,公式不适用于这些数值", f"computed from {codes}: the formula yields nothing of these")


# After 由X计算,而X, and after "computed from X, which ".
_LACKING: Mapping[Standing, tuple[str, str]] = {
    "censored": ("为{said},不是确切数值", "is {said}: a bound, no number"),
    "text": ("不是数值", "is no number"),
    "contested": ("的结果相互矛盾,尚待核实", "has values that contradict each other"),
    "unread": ("的结果未能读取,尚待核实", "could not be read"),
    "given_up": ("无结果:{said}", "has no value"),
    "refused": ("已拒检", "was refused"),
    "waived": ("已弃检", "was waived"),
    "deferred": ("已延期", "is deferred"),
    "not_ordered": ("不在本次体检项目中", "is no item of this exam"),
}


def _lacking(one: Input) -> tuple[str, str]:
    zh, en = (sentence.replace("{said}", one.said) for sentence in _LACKING[one.standing])
    return f"由{one.name}计算,而{one.name}{zh}", f"computed from {one.code}, which {en}"


WITHDRAWN = Absence("检验科已撤回该项结果", "the laboratory has withdrawn its value")
"""Of what the laboratory computes itself nothing is computed here, once it has reported it."""
