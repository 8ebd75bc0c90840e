"""Signed keyset paging: a page token holds the last row's sort key, signed, so a client can neither read nor forge it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from tjapi.kernel.problem import FieldError, Invalid
from tjapi.kernel.security.keys import KeyRing

Item = TypeVar("Item")
Row = TypeVar("Row")
MAX_PAGE = 200
_SIGNATURE = 16

PageSize = Annotated[int, Query(ge=1, le=MAX_PAGE, description="每页条数 · Rows per page")]
PageToken = Annotated[
    str | None,
    Query(max_length=600, description="上一页返回的 next_page_token · The next_page_token of the page before"),
]


class PageTokenInvalid(Invalid):
    """The page token is not one of ours, or belongs to another list."""

    zh, en = "page_token 无效", "The page_token is not valid"


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_page_token: str | None = Field(None, description="没有下一页时为 null · null on the last page")


class Pager:
    """Signs and reads the page tokens of one list; `scope` binds a token to its list and its filters."""

    def __init__(self, keys: KeyRing, scope: str) -> None:
        self._key = keys.of("page-token/1")
        self._scope = scope.encode()

    def read(self, token: str | None) -> list[Any] | None:
        """Return the sort key after which the page begins. Raises PageTokenInvalid."""
        if token is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError as error:
            raise _invalid() from error
        signature, body = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(body)):
            raise _invalid()
        key: list[Any] = json.loads(body)
        return key

    def page(
        self, rows: Sequence[Row], size: int, key: Callable[[Row], Sequence[Any]], shape: Callable[[Row], Item]
    ) -> Page[Item]:
        """Make a page of `size + 1` rows read: the one too many says that there is a next page."""
        token = self._token(rows, size, key)
        return Page[Item](items=[shape(row) for row in rows[:size]], next_page_token=token)

    def passed(
        self, rows: Sequence[Row], size: int, key: Callable[[Row], Sequence[Any]], content: Callable[[Row], bytes]
    ) -> bytes:
        """Make the JSON of a page of rows whose JSON the database built."""
        token = self._token(rows, size, key)
        items = b",".join([content(row) for row in rows[:size]])
        return b'{"items":[%b],"next_page_token":%b}' % (items, json.dumps(token).encode())

    def searched(self, rows: Sequence[Row], until: Sequence[Any] | None, shape: Callable[[Row], Item]) -> Page[Item]:
        """Make a page of what a search found as far as `until`, where the next one goes on; None: it came to the end."""
        return Page[Item](items=[shape(row) for row in rows], next_page_token=until and self._signed(until))

    def _token(self, rows: Sequence[Row], size: int, key: Callable[[Row], Sequence[Any]]) -> str | None:
        return self._signed(key(rows[size - 1])) if len(rows) > size else None

    def _signed(self, key: Sequence[Any]) -> str:
        body = json.dumps([str(k) if k is not None else None for k in key]).encode()
        return base64.urlsafe_b64encode(self._sign(body) + body).rstrip(b"=").decode()

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, self._scope + b"|" + body, hashlib.sha256)[:_SIGNATURE]


def _invalid() -> PageTokenInvalid:
    return PageTokenInvalid(
        errors=[FieldError("query:page_token", "invalid", "page_token 无效或不属于此列表", "not a token of this list")]
    )
