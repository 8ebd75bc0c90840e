"""Page tokens: nobody makes one, nobody carries one to another list, and rows that come meanwhile neither repeat nor hide others."""

import base64
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tjapi.world import API, SignIn, World
from tjapi.kernel.paging import Pager, PageTokenInvalid
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.keys import KeyRing

KEYS = KeyRing(b"k" * 32)


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


def _token(pager: Pager, key: list[Any]) -> str:
    token = pager.page([key, key], 1, lambda row: row, lambda _: 0).next_page_token
    assert token is not None
    return token


@given(st.lists(st.text(max_size=40) | st.none(), min_size=1, max_size=4))
def test_a_token_gives_back_the_key_of_the_last_row(key: list[Any]) -> None:
    pager = Pager(KEYS, "things")
    assert pager.read(_token(pager, key)) == key


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 10_000))
def test_no_token_can_be_made_or_changed(noise: bytes, seed: int) -> None:
    pager, rng = Pager(KEYS, "things"), random.Random(seed)
    raw = bytearray(base64.urlsafe_b64decode(_token(pager, ["2026-11-23", "b"]) + "=="))
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    for forged in (bytes(raw), noise, bytes(raw[:-1])):
        with pytest.raises(PageTokenInvalid):
            pager.read(base64.urlsafe_b64encode(forged).rstrip(b"=").decode())


@pytest.mark.parametrize(
    "foreign", [Pager(KEYS, "things|2"), Pager(KEYS, "other"), Pager(KeyRing(b"x" * 32), "things")]
)
def test_a_token_belongs_to_one_list_its_filters_and_one_installation(foreign: Pager) -> None:
    with pytest.raises(PageTokenInvalid):
        Pager(KEYS, "things").read(_token(foreign, ["a"]))


@pytest.mark.parametrize("bad", ["", "x", "é", "=", "a b", "Zm9v" * 60, "../../etc"])
async def test_a_token_that_is_none_is_refused_with_422(world: World, bad: str) -> None:
    front = await world.sign_in("front")
    answer = await front.get(f"{API}/exams", params={"page_token": bad})
    assert (answer.status_code, answer.json()["code"]) == (422, "page-token-invalid")
    assert answer.json()["errors"][0]["pointer"] == "query:page_token"


async def test_pages_show_each_row_once_while_rows_are_added(world: World) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    before = [(await world.registered(examinee_id=person)).exam_no for _ in range(7)]
    seen, token, pages = [], None, 0
    while True:
        query = {"examinee_id": str(person), "page_size": "2"} | ({"page_token": token} if token else {})
        page = (await front.get(f"{API}/exams", params=query)).json()
        seen += [exam["exam_no"] for exam in page["items"]]
        pages += 1
        if (token := page["next_page_token"]) is None:
            break
        await world.registered(examinee_id=person)
    assert (seen, pages) == (before[::-1], 4)


async def test_a_token_does_not_pass_to_another_filter_or_list(world: World) -> None:
    front, (person, _) = await world.sign_in("front"), await world.person()
    for _ in range(2):
        await world.registered(examinee_id=person)
    first = await front.get(f"{API}/exams", params={"examinee_id": str(person), "page_size": 1})
    token = first.json()["next_page_token"]
    for path, query in (("exams", {}), ("exams", {"examinee_id": str(person), "state": "prepared"}), ("items", {})):
        answer = await front.get(f"{API}/{path}", params={**query, "page_token": token})
        assert answer.status_code == 422, (path, query)


@pytest.mark.parametrize("size", [0, -1, 201, 10**9])
async def test_a_page_has_between_1_and_200_rows(world: World, size: int) -> None:
    front = await world.sign_in("front")
    assert (await front.get(f"{API}/exams", params={"page_size": size})).status_code == 422
