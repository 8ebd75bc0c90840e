"""Strong entity tags of a version number, and If-Match on what may be edited by two (RFC 9110, 8.8.3 and 13.1.1)."""

from typing import Annotated

from fastapi import Depends, Header, Response

from tjapi.kernel.problem import FieldError, PreconditionFailed, PreconditionRequired


def etag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def set_etag(response: Response, version: int) -> None:
    """Put the version's entity tag on a response."""
    response.headers["ETag"] = etag(version)


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            max_length=40, description='读取时得到的 ETag, 例如 "3" · The ETag you read, such as "3"', examples=['"3"']
        ),
    ] = None,
) -> int:
    if if_match is None:
        raise PreconditionRequired(
            errors=[FieldError("header:If-Match", "missing", "请带上读取时得到的 ETag", "send the ETag you read")]
        )
    digits = if_match.strip().removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):  # noqa: PLR2004
        raise PreconditionFailed(
            errors=[FieldError("header:If-Match", "invalid", "不是我们发出的 ETag", "not an ETag of ours")]
        )
    return int(digits)


IfMatch = Annotated[int, Depends(_if_match)]
