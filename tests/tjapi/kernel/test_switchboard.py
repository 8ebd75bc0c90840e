"""The switchboard, the readers without sessions and remembered tokens: quicker ways that must find the same as the slow ones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from tjapi import demo
from tjapi.api import v1
from tjapi.kernel.db import Database
from tjapi.kernel.routing import Switchboard
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.tokens import TokenInvalidError

_SAMPLES: dict[str, Callable[[], str]] = {"UUIDConvertor": lambda: str(UUID(int=7)), "PathConvertor": lambda: "a/b"}
_NOW = datetime(2026, 11, 25, tzinfo=UTC)


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("nothing is served here")


@pytest.fixture(scope="module")
def board() -> Switchboard:
    return Switchboard(v1.PREFIX, v1.operations(), _nowhere)


def _address(route: APIRoute) -> str:
    path = route.path_format
    for name, convertor in route.param_convertors.items():
        path = path.replace(f"{{{name}}}", _SAMPLES.get(type(convertor).__name__, lambda: "7")())
    return path


def _framework(method: str, path: str) -> tuple[APIRoute | None, dict[str, Any]]:
    for route in v1.operations():
        match, child = route.matches({"type": "http", "method": method, "path": path})
        if match is Match.FULL:
            return route, child["path_params"]
    return None, {}


def test_every_operation_is_found_as_the_framework_finds_it(board: Switchboard) -> None:
    found = 0
    for asked in v1.operations():
        path = _address(asked)
        for method in asked.methods or ():
            route, params = board.find(method, v1.PREFIX + path)
            if route is None:
                assert any(
                    convertor.regex == ".*"
                    for r in v1.operations()
                    if r.path.split("/")[1] == path.split("/")[1]
                    for convertor in r.param_convertors.values()
                ), path
                continue
            expected, said = _framework(method, path)
            assert expected is not None
            assert (route.operation_id, params) == (expected.operation_id, said)
            found += 1
    assert found > 0.9 * len(v1.operations())


@pytest.mark.parametrize(
    "path",
    ["", "/", "/exams/", "/exams/not-a-uuid", "/exams/7/", "//exams", "/exams/7/8/9/10", "/nothing", "/exams:nothing"],
)
def test_what_is_no_operation_goes_the_frameworks_way(board: Switchboard, path: str) -> None:
    for method in ("GET", "POST", "BREW"):
        route, _ = board.find(method, v1.PREFIX + path)
        assert (route and route.operation_id) == ((known := _framework(method, path)[0]) and known.operation_id)


def test_another_prefix_is_none_of_ours(board: Switchboard) -> None:
    assert board.find("GET", "/api/v10/exams") == (None, {})
    assert board.find("GET", "/exams") == (None, {})


def test_a_remembered_token_still_expires(runtime: Runtime) -> None:
    token = runtime.mint.issue(kind="staff", subject=UUID(int=3), version=1, session="s", now=_NOW, seconds=60)
    first = runtime.mint.read(token, _NOW)
    assert runtime.mint.read(token, _NOW + timedelta(seconds=59)) is first
    with pytest.raises(TokenInvalidError):
        runtime.mint.read(token, _NOW + timedelta(seconds=60))
    with pytest.raises(TokenInvalidError):
        runtime.mint.read(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), _NOW)


async def test_a_broken_reader_costs_one_statement_at_most(runtime: Runtime, admin: asyncpg.Connection) -> None:
    database = Database(runtime.settings, runtime.keys, pool=1)
    async with database.bare(demo.LOADER) as connection:
        pid = connection.get_server_pid()
    await admin.execute("select pg_terminate_backend($1)", pid)
    failed = 0
    for _ in range(3):
        try:
            async with database.bare(demo.LOADER) as connection:
                assert await connection.fetchval("select cardinality(tj.campuses())") == len(demo.LOADER.campuses)
                assert connection.get_server_pid() != pid
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            failed += 1
    assert failed <= 1
    await database.close()


async def test_a_reader_changes_its_context_with_its_principal(runtime: Runtime) -> None:
    database = Database(runtime.settings, runtime.keys, pool=1)
    one = demo.LOADER.__class__("job", UUID(int=9), campuses=(2,), departments=None)
    for principal in (demo.LOADER, one, demo.LOADER):
        async with database.bare(principal) as connection:
            shown = await connection.fetchval("select tj.campuses()")
            assert tuple(shown) == principal.campuses
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("delete from exam")
    await database.close()
