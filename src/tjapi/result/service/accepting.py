"""What a department may enter for an item: every wrong field is named, and nothing of a request with one is kept."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from uuid import UUID

from tjapi.catalog.models import Item
from tjapi.kernel.problem import FieldError
from tjapi.result.errors import ResultsInvalid
from tjapi.result.formulas import FORMULAS
from tjapi.result.rules.questions import implausible, jumped
from tjapi.result.rules.reading import chosen, read
from tjapi.result.rules.values import finding
from tjapi.result.schemas import ResultIn, ResultsIn
from tjapi.result.service.book import limits_of


def check(
    items: Mapping[UUID, Item],
    from_lis: Collection[UUID],
    given: ResultsIn,
    last: Mapping[str, Decimal],
    age_years: int,
) -> None:
    """Refuse values that the department's items do not take, and ask back those that are hardly possible.

    `last`: numbers of the last exam by item code. What is hardly possible is taken with the reason why it stands. Raises ResultsInvalid,
    naming every field.
    """
    errors: list[FieldError] = []
    seen: set[UUID] = set()
    for i, one in enumerate(given.results):
        field = f"/results/{i}/item_id"
        if one.item_id in seen:
            errors.append(FieldError(field, "duplicate", "同一项目出现两次", "the item is named twice"))
        elif one.item_id not in items and one.item_id in from_lis:
            errors.append(FieldError(field, "from-lis", "该项目由检验系统回传", "this item is reported by the LIS"))
        elif one.item_id not in items:
            errors.append(
                FieldError(field, "unknown", "不是该科室在这次体检中的项目", "no item of the department in this exam")
            )
        elif (wrong := wrong_value(items[one.item_id], one.value)) is not None:
            errors.append(FieldError(f"/results/{i}/value", *wrong))
        elif (doubt := _doubt(items[one.item_id], one, last, age_years)) is not None:
            errors.append(FieldError(f"/results/{i}/kept_because", *doubt))
        seen.add(one.item_id)
    if errors:
        raise ResultsInvalid(errors=errors)


def _doubt(item: Item, one: ResultIn, last: Mapping[str, Decimal], age_years: int) -> tuple[str, str, str] | None:
    """Return why a value is asked back that nobody has said a reason for; None: there is nothing to ask."""
    reading = read(item.kind, one.value or "", [item.unit or ""])
    if reading is None or one.kept_because:
        return None
    limits, unit = limits_of(item), f" {item.unit}" if item.unit else ""
    passed = implausible(reading.value, limits)
    if passed is not None:
        bound = getattr(limits, passed)
        sides = (
            ("低于合理下限", "below what is plausible")
            if passed == "plausible_low"
            else ("高于合理上限", "above what is plausible")
        )
        return (
            "implausible",
            f"{item.name}{sides[0]} {bound:f}{unit},如属实请填写保留理由",
            f"{item.name} is {sides[1]}, {bound:f}{unit}; say why it stands if it is right",
        )
    if jumped(reading.value, last.get(item.code), limits, age_years):
        return (
            "differs-from-last-exam",
            f"{item.name}与上次体检的 {last[item.code]:f}{unit} 相差超过 {limits.delta_percent}%,如属实请填写保留理由",
            f"{item.name} differs from the last exam's {last[item.code]:f}{unit} by more than {limits.delta_percent} %; say why it stands",
        )
    return None


def kept(item: Item, value: str | None) -> str | None:
    """Return a value as it is kept: a multi-select as its parts, in the order of the choices."""
    if value is None or item.kind != "multi_select":
        return value
    said = chosen(value)
    return ";".join(c for c in item.choices or () if c in said)


def wrong_value(item: Item, value: str | None) -> tuple[str, str, str] | None:
    """Return what is wrong with a value of an item: code, sentence in Chinese and in English."""
    if item.code in FORMULAS:
        return "computed", "该项目由系统计算", "this item is computed"
    if value is None:
        return None
    if not value:
        return "empty", "清除结果请用 null", "use null to clear a value"
    if read(item.kind, value, [item.unit or ""]) is None:
        return "not-a-number", "应为数值,可带 < ≤ > ≥", "must be a number, with < ≤ > ≥ if need be"
    return _wrong_choice(item, value)


_PLACES_TOLD = 10


def _wrong_choice(item: Item, value: str) -> tuple[str, str, str] | None:
    if not _is_choice(item, value):
        if item.kind == "multi_select":
            # The parts that are wrong may hold what somebody wrote of a person: of each its place is told.
            wrong = [i for i, part in enumerate(chosen(value), 1) if part not in (item.choices or [])]
            places = "、".join(map(str, wrong[:_PLACES_TOLD])) or "1"
            return (
                "not-a-choice",
                f"第 {places} 项不在可选值之中;多个所见之间用分号「;」隔开",
                f"part {places.replace('、', ', ')} is none of the choices; parts are separated by a semicolon (;)",
            )
        return "not-a-choice", "不在可选值之中", "is none of the choices"
    parts = chosen(value) if item.kind == "multi_select" else ()
    if len(parts) > 1 and item.normal_default in parts:
        return (
            "normal-and-other",
            f"「{item.normal_default}」不能与其他所见同选",
            f"{item.normal_default} stands beside no other choice",
        )
    return None


def _is_choice(item: Item, value: str) -> bool:
    choices = item.choices or []
    if item.kind == "enumerated":
        return value in choices
    if item.kind == "qualitative" and choices:
        # A grade that is said in another spelling is the same grade.
        return finding(value) in {finding(choice) for choice in choices}
    if item.kind == "multi_select":
        return bool(chosen(value)) and set(chosen(value)) <= set(choices)
    return True
