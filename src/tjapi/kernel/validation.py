"""What is wrong with a payload, in both languages, naming the field and never repeating what was sent."""

from typing import Any

from fastapi.exceptions import RequestValidationError

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
_IN_BODY = "body"


def field_errors(error: RequestValidationError) -> list[FieldError]:
    """Return what is wrong, field by field. `pointer` is a JSON Pointer into the body, or `query:name`, `header:name`, `path:name`."""
    return [_field_error(e) for e in error.errors()[:100]]


def _field_error(error: Any) -> FieldError:
    place, *rest = error["loc"] or ("body",)
    if place == _IN_BODY and error["type"] == "json_invalid":
        pointer = ""
    elif place == _IN_BODY:
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    else:
        pointer = f"{place}:{'.'.join(map(str, rest))}"
    zh, en = _SENTENCES.get(error["type"], ("内容无效", "is not valid"))
    context = {key: value for key, value in (error.get("ctx") or {}).items() if isinstance(value, str | int | float)}
    try:
        return FieldError(pointer, error["type"], zh.format(**context), en.format(**context))
    except KeyError:
        return FieldError(pointer, error["type"], "内容无效", "is not valid")
