"""What is wrong with a payload, in both languages, naming the field and never repeating what was sent."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

from tjapi.kernel.problem import FieldError

_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("缺少必填内容", "is required"),
    "extra_forbidden": ("不认识的字段", "is not a known field"),
    "string_too_short": ("至少 {min_length} 个字符", "needs at least {min_length} characters"),
    "string_too_long": ("最多 {max_length} 个字符", "takes at most {max_length} characters"),
    "string_pattern_mismatch": ("格式不正确", "does not have the required form"),
    "string_type": ("应为文本", "must be text"),
    "string_unicode": ("含有无效字符", "holds invalid characters"),
    "int_type": ("应为整数", "must be a whole number"),
    "int_parsing": ("应为整数", "must be a whole number"),
    "int_from_float": ("应为整数", "must be a whole number"),
    "float_type": ("应为数字", "must be a number"),
    "float_parsing": ("应为数字", "must be a number"),
    "decimal_parsing": ("应为数字", "must be a number"),
    "finite_number": ("应为有限的数", "must be a finite number"),
    "bool_type": ("应为 true 或 false", "must be true or false"),
    "bool_parsing": ("应为 true 或 false", "must be true or false"),
    "uuid_type": ("应为 UUID", "must be a UUID"),
    "uuid_parsing": ("应为 UUID", "must be a UUID"),
    "date_type": ("应为日期,如 2026-11-23", "must be a date such as 2026-11-23"),
    "date_parsing": ("应为日期,如 2026-11-23", "must be a date such as 2026-11-23"),
    "date_from_datetime_parsing": ("应为日期,如 2026-11-23", "must be a date such as 2026-11-23"),
    "date_from_datetime_inexact": ("应为日期,不含时间", "must be a date without a time"),
    "datetime_parsing": ("应为 RFC 3339 时间", "must be an RFC 3339 time"),
    "datetime_from_date_parsing": ("应为 RFC 3339 时间", "must be an RFC 3339 time"),
    "date_out_of_range": ("须在 {first} 至 {last} 之间", "must be from {first} to {last}"),
    "timezone_aware": ("时间需带时区", "needs a time zone"),
    "greater_than_equal": ("不能小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不能大于 {le}", "must be at most {le}"),
    "greater_than": ("必须大于 {gt}", "must be more than {gt}"),
    "less_than": ("必须小于 {lt}", "must be less than {lt}"),
    "literal_error": ("只能是:{expected}", "must be one of: {expected}"),
    "enum": ("只能是:{expected}", "must be one of: {expected}"),
    "list_type": ("应为数组", "must be an array"),
    "too_long": ("最多 {max_length} 项", "takes at most {max_length} items"),
    "too_short": ("至少 {min_length} 项", "needs at least {min_length} items"),
    "dict_type": ("应为对象", "must be an object"),
    "model_type": ("应为对象", "must be an object"),
    "model_attributes_type": ("应为 JSON 对象", "must be a JSON object"),
    "json_invalid": ("不是有效的 JSON", "is not valid JSON"),
}
# The same of days; what the code calls them is that they are out of range.
_DAY_BOUNDS = {
    "greater_than_equal": ("不能早于 {day}", "must not be before {day}"), "less_than_equal": ("不能晚于 {day}", "must not be after {day}"),
    "greater_than": ("须晚于 {day}", "must be after {day}"), "less_than": ("须早于 {day}", "must be before {day}"),
}  # fmt: skip
_IN_BODY = "body"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PYTHON_DAY = re.compile(r"datetime\.date(?:time)?\((\d+), (\d+), (\d+)")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
# A name that a client sends and that we repeat may be anything, a person's name too: only what looks like a field is repeated.
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_EARLIEST, _LATEST = datetime.fromisoformat("1900-01-01T00:00:00Z"), datetime.fromisoformat("9000-01-01T00:00:00Z")


def _full_date(value: Any) -> Any:
    """Let a date be nothing but an RFC 3339 full-date: pydantic alone would take seconds since 1970 as well."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "not a date")
    if isinstance(value, int | float):
        raise PydanticCustomError("date_type", "not a date")
    return value


def _full_moment(value: Any) -> Any:
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise PydanticCustomError("datetime_parsing", "not a date-time")
    if isinstance(value, int | float):
        raise PydanticCustomError("datetime_parsing", "not a date-time")
    return value


def out_of_range(first: date, last: date) -> PydanticCustomError:
    """Return the refusal of a day outside of a range; it says the range."""
    return PydanticCustomError(
        "date_out_of_range", "out of range", {"first": first.isoformat(), "last": last.isoformat()}
    )


def _in_range(value: datetime) -> datetime:
    """Keep out what the database cannot hold once it is in UTC."""
    if not _EARLIEST <= value < _LATEST:
        raise out_of_range(_EARLIEST.date(), _LATEST.date() - timedelta(days=1))
    return value


def _whole(value: Any) -> Any:
    """Let a number be nothing but a JSON number: pydantic alone would take "1" and true as well."""
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "not a number")
    return value


WHOLE = BeforeValidator(_whole)
Whole = Annotated[int, WHOLE]
"""A whole number of a JSON body."""
Day = Annotated[date, BeforeValidator(_full_date)]
"""A day, as RFC 3339 writes it."""
Moment = Annotated[AwareDatetime, BeforeValidator(_full_moment), AfterValidator(_in_range)]
"""A moment with its offset, as RFC 3339 writes it."""


def not_json(request: Request, error: RequestValidationError) -> bool:
    """Say whether a body was refused because its content type is not JSON, or is missing."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    whole_body = any(e["loc"] == (_IN_BODY,) and e["type"] == "model_attributes_type" for e in error.errors())
    return whole_body and not (
        declared == "application/json" or (declared.startswith("application/") and declared.endswith("+json"))
    )


def field_errors(error: RequestValidationError) -> list[FieldError]:
    """Return what is wrong, field by field. `pointer` is a JSON Pointer into the body, or `query:name`, `header:name`, `path:name`."""
    return [_field_error(e) for e in error.errors()[:100]]


def unknown_names(sent: Iterable[str], known: Collection[str]) -> list[FieldError]:
    """Name every query parameter that an operation does not know, and the one that was probably meant. A filter that nobody hears lies."""
    return [_unknown(name, sorted(known)) for name in dict.fromkeys(sent) if name not in known]


def repeated_names(sent: Iterable[str]) -> list[FieldError]:
    """Name every query parameter that is given more than once: each takes one value, and of two only one would be heard."""
    return [
        FieldError(f"query:{name}", "repeated", "只能给一次", "is given more than once")
        for name, times in Counter(sent).items()
        if times > 1
    ]


def scanned(raw: str) -> str:
    """Return what a scanner sent, or a hand typed from a label, in its one spelling: half-width capitals, without blanks and line ends."""
    return "".join(unicodedata.normalize("NFKC", raw).split()).upper()


Scanned = BeforeValidator(lambda raw: scanned(raw) if isinstance(raw, str) else raw)
"""Reads what was scanned, wherever it is sent."""


def _unknown(name: str, known: list[str]) -> FieldError:
    if meant := get_close_matches(name.lower()[:40], known, 1, 0.7):
        zh, en = f"是否指 {meant[0]}?", f"; did you mean {meant[0]}?"
    elif known:
        zh, en = f"可用:{'、'.join(known)}", f"; it takes {', '.join(known)}"
    else:
        zh, en = "此操作不带查询参数", "; it takes none"
    pointer = f"query:{name}" if _FIELD.fullmatch(name) else "query:"
    return FieldError(pointer, "extra_forbidden", f"没有这个查询参数,{zh}", f"is no parameter of this operation{en}")


def _day_of(bound: str | float) -> str | None:
    """Return the day that a bound is, which pydantic may write as Python does."""
    if found := _PYTHON_DAY.match(str(bound)):
        return date(*map(int, found.groups())).isoformat()
    return str(bound) if _DAY.fullmatch(str(bound)) else None


def _field_error(error: Any) -> FieldError:
    place, *rest = error["loc"] or ("body",)
    if place == _IN_BODY and error["type"] == "json_invalid":
        pointer = ""
    elif place == _IN_BODY:
        pointer = "".join(f"/{part}" for part in rest if isinstance(part, int) or _FIELD.fullmatch(part))
    else:
        pointer = f"{place}:{'.'.join(map(str, rest))}"
    context = {key: value for key, value in (error.get("ctx") or {}).items() if isinstance(value, str | int | float)}
    kind = error["type"]
    zh, en = _SENTENCES.get(kind, ("内容无效", "is not valid"))
    if kind in _DAY_BOUNDS and (day := _day_of(next(iter(context.values()), ""))) is not None:
        kind, (zh, en), context = "date_out_of_range", _DAY_BOUNDS[kind], {"day": day}
    # pydantic joins what may be chosen in English.
    chosen = (
        {"expected": str(context["expected"]).replace(" or ", "、").replace(", ", "、")}
        if "expected" in context
        else {}
    )
    try:
        return FieldError(pointer, kind, zh.format(**context | chosen), en.format(**context))
    except KeyError:
        return FieldError(pointer, kind, "内容无效", "is not valid")
