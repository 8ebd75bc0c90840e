"""What stands behind the question mark: a name that an operation does not know is refused, wherever it is sent; pages for people are not operations."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SignIn
from tests.contract.test_problems import NOBODY, told
from tjapi.api import v1
from tjapi.kernel.routing import OperationRoute, query_names
from tjapi.kernel.validation import unknown_names

STRANGE = "no_such_filter"


def _address(route: OperationRoute) -> str:
    path = route.path
    for name, convertor in route.param_convertors.items():
        value = NOBODY if "UUID" in type(convertor).__name__ else "1"
        path = path.replace(f"{{{name}:uuid}}", value).replace(f"{{{name}:int}}", value).replace(f"{{{name}}}", value)
    return v1.PREFIX + path.replace(":path}", "}").replace("{", "").replace("}", "")


@pytest.mark.requirement("P4", "E1.7")
async def test_an_unknown_query_parameter_is_refused_by_every_operation(sign_in: SignIn) -> None:
    admin = await sign_in("admin")
    silent = []
    for route in v1.operations():
        method = next(iter(route.methods or ()))
        answer = await admin.request(method, _address(route), params={STRANGE: "x"})
        said = answer.json() if answer.status_code == 422 else {}
        if [(e["pointer"], e["code"]) for e in said.get("errors", [])] != [(f"query:{STRANGE}", "extra_forbidden")]:
            silent.append((method, route.path, answer.status_code))
    assert silent == []


@pytest.mark.requirement("E1.7")
async def test_a_filter_with_a_slip_is_told_which_one_was_meant(sign_in: SignIn) -> None:
    front = await sign_in("front")

    async def refused(**query: Any) -> list[dict[str, str]]:
        errors: list[dict[str, str]] = told(await front.get(f"{v1.PREFIX}/exams", params=query), 422, "invalid")[
            "errors"
        ]
        return errors

    [slip] = await refused(exam_dat="2026-11-29")
    assert (slip["pointer"], slip["message"]) == ("query:exam_dat", "没有这个查询参数,是否指 exam_date?")
    [strange] = await refused(colour="red")
    assert strange["message"].startswith("没有这个查询参数,可用:")
    assert "employer_code" in strange["message"]
    assert [e["pointer"] for e in await refused(colour="red", exam_date="2026-11-29", statE="prepared")] == [
        "query:colour", "query:statE",
    ]  # fmt: skip
    english = await front.get(f"{v1.PREFIX}/exams?exam_dat=1", headers={"Accept-Language": "en"})
    assert english.json()["errors"][0]["message"] == "is no parameter of this operation; did you mean exam_date?"
    # Whatever does not look like a name of ours may be a person's: it is not repeated.
    assert (await refused(张三="1"))[0]["pointer"] == "query:"
    none = told(await front.post(f"{v1.PREFIX}/exams/{NOBODY}:check-in?force=true"), 422, "invalid")["errors"][0]
    assert none["message"] == "没有这个查询参数,此操作不带查询参数"


async def test_pages_for_people_open_whatever_a_messenger_adds_to_their_link(anonymous: httpx.AsyncClient) -> None:
    """WeChat adds `from=singlemessage&isappinstalled=0`; a link on paper or in a message opens all the same. So do the probes of a monitor."""
    added = urlencode({"from": "singlemessage", "isappinstalled": "0"})
    for page in ("/", "/docs", "/redoc", "/problems", "/openapi.json", "/healthz", "/readyz", "/metrics"):
        assert (await anonymous.get(f"{page}?{added}")).status_code == 200, page
    for page in ("/verify/ABCDEFGH", "/r/none"):
        plain, with_more = await anonymous.get(page), await anonymous.get(f"{page}?{added}")
        assert (with_more.status_code, with_more.text) == (plain.status_code, plain.text)
        assert with_more.headers["content-type"].startswith("text/html")


@given(st.lists(st.text(max_size=12), max_size=6), st.frozensets(st.sampled_from(["state", "exam_date", "page_size"])))
@settings(max_examples=300, deadline=None)
def test_what_is_refused_is_exactly_what_is_not_known(sent: list[str], known: frozenset[str]) -> None:
    found = unknown_names([*sent, *known], known)
    assert len(found) == len({name for name in sent if name not in known})
    assert all(error.code == "extra_forbidden" and error.pointer.startswith("query:") for error in found)


def test_the_names_that_an_operation_knows_are_those_of_its_contract() -> None:
    for route in v1.operations():
        assert all(name.isidentifier() for name in query_names(route.dependant)), route.path


@pytest.mark.requirement("E1.7")
async def test_a_parameter_that_is_given_twice_is_refused_by_name(sign_in: SignIn) -> None:
    front = await sign_in("front")
    answer = await front.get(f"{v1.PREFIX}/exams?state=prepared&state=finalized&campus_id=1")
    [error] = told(answer, 422, "invalid")["errors"]
    assert (error["pointer"], error["code"], error["message"]) == ("query:state", "repeated", "只能给一次")
