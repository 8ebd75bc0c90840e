"""A front end that knows the contract and nothing else: it sends the examples of `openapi/v1.json`, with its own ids and days put in.

An example that cannot be sent as it stands is a fault of the contract, so nothing but ids and days may be changed, and nothing added.
"""

import copy
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import httpx

from tjapi.kernel.settings import project_file

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
_DAYS = {
    "day",
    "day_from",
    "day_to",
    "due_on",
    "on",
    "exam_date",
    "starts_on",
    "ends_on",
    "signed_on",
    "valid_from",
    "valid_to",
    "year",
}
_JSON = "application/json"


@lru_cache(maxsize=1)
def contract() -> dict[str, Any]:
    """The published contract."""
    found: dict[str, Any] = json.loads((project_file("openapi") / "v1.json").read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Path, method and definition by operationId."""
    return {
        operation["operationId"]: (path, method.upper(), operation)
        for path, methods in contract()["paths"].items()
        for method, operation in methods.items()
    }


def example(operation_id: str, media_type: str = _JSON) -> Any:
    """The example of an operation's request."""
    return copy.deepcopy(operations()[operation_id][2]["requestBody"]["content"][media_type]["example"])


def filled(said: Any, given: Mapping[str, Any]) -> Any:
    """Put ids and days into an example; a list of objects is as many as are given, each like the first of the example."""
    for name, value in given.items():
        assert name in said, f"the example does not show {name}"
        if isinstance(value, list) and value and isinstance(value[0], dict):
            said[name] = [filled(copy.deepcopy(said[name][0]), one) for one in value]
        else:
            assert name.endswith(("_id", "_ids")) or name in _DAYS, f"{name} is neither an id nor a day"
            said[name] = value
    return said


class FrontEnd:
    """Calls operations by their id, as somebody."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self.called: set[str] = set()

    async def __call__(
        self, operation_id: str, who: str = "front", *, query: Mapping[str, Any] | None = None, if_match: str | None = None, refused: str = "",
        content: bytes | None = None, media_type: str = _JSON, **given: Any,
    ) -> httpx.Response:  # fmt: skip
        """Call an operation with its example; what is given goes into the path where it is named there, else into the example.

        The answer is the one that the contract promises, or the refusal of a name that it knows for this operation.
        """
        template, method, operation = operations()[operation_id]
        in_path = {name: str(given.pop(name)) for name in list(given) if f"{{{name}}}" in template}
        named = {p.get("$ref", "").rpartition("/")[2] or p["name"] for p in operation.get("parameters", ())}
        headers = {"Idempotency-Key": secrets.token_hex(16)} if "Idempotency-Key" in named else {}
        headers |= {"If-Match": if_match} if if_match is not None else {}
        if content is None and media_type in operation.get("requestBody", {}).get("content", {}):
            content = json.dumps(filled(example(operation_id), given)).encode()
        headers |= {"Content-Type": media_type} if content is not None else {}
        client = await self._sign_in(who)
        path = template.format(**in_path)
        answer = await client.request(method, path, content=content, params=query, headers=headers)
        self.called.add(operation_id)
        if refused:
            documented = operation["responses"].get(str(answer.status_code), {}).get("$ref", "").rpartition("/")[2]
            assert answer.json()["code"] == refused, answer.text
            assert refused in documented.split("_"), f"{operation_id} does not say that it refuses with {refused}"
            return answer
        promised = {status for status in operation["responses"] if status.startswith("2")}
        assert str(answer.status_code) in promised, f"{operation_id}: {answer.status_code} {answer.text}"
        _as_documented(operation["responses"][str(answer.status_code)], answer)
        return answer

    async def json(self, operation_id: str, who: str = "front", **given: Any) -> Any:
        """What an operation answers."""
        return (await self(operation_id, who, **given)).json()


def _as_documented(said: dict[str, Any], answer: httpx.Response) -> None:
    """The answer holds whatever the contract's example of it shows."""
    shown = said.get("content", {}).get(_JSON, {}).get("examples", {})
    for one in shown.values():
        where = one["$ref"].removeprefix("#/").split("/") if "$ref" in one else []
        value = contract() if where else one
        for step in where:
            value = value[step]
        missing = value["value"].keys() - answer.json().keys()
        assert not missing, f"the example shows {missing}"
