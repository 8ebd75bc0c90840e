"""What card readers send: understood in their own codes, refused by name where it contradicts itself, and the same person each time."""

import secrets
from datetime import date
from typing import Any

import pytest

from tests.conftest import SignIn
from tjapi.examinee.rules import check_digit, full_years
from tjapi.kernel.clock import SystemClock, business_day

pytestmark = pytest.mark.requirement("E1.3")
API = "/api/v1"
BORN = "19900307"


def numbered(area: str = "690101", *, odd: int = 1) -> str:
    """A number of somebody born on that day; an odd one is a man's."""
    body = f"{area[:2]}{secrets.randbelow(10_000):04d}{BORN}{secrets.randbelow(499) * 2 + odd:03d}"
    body = body if area.startswith("69") else area + body[6:]
    return body + check_digit(body)


def as_read(**given: Any) -> dict[str, Any]:
    """The fields of a second-generation card as its chip holds them."""
    return {
        "name": "覃　桂兰  ", "sex": "1", "nation": "08", "birth_date": BORN, "address": "示例市示例路 1 号", "id_kind": "resident",
        "id_number": numbered(), "issuer": "示例市公安局", "valid_from": "20200101", "valid_until": "长期", **given,
    }  # fmt: skip


async def post(sign_in: SignIn, body: dict[str, Any], language: str = "zh") -> Any:
    headers = {"Idempotency-Key": secrets.token_hex(16), "Accept-Language": language}
    return await (await sign_in("front")).post(f"{API}/examinees", json={"campus_id": 1, **body}, headers=headers)


async def test_a_card_as_its_chip_holds_it_is_understood(sign_in: SignIn) -> None:
    met = (await post(sign_in, as_read())).json()
    assert (met["name"], met["sex"], met["nation"], met["birth_date"]) == ("覃桂兰", "male", "壮族", "1990-03-07")
    assert (met["id_valid_until"], met["document_expired"], met["created"]) == (None, False, True)
    assert met["age_years"] == full_years(date(1990, 3, 7), business_day(SystemClock().now()))


async def test_the_same_card_in_other_spellings_is_the_same_person_unchanged(sign_in: SignIn) -> None:
    card = as_read()
    first = (await post(sign_in, card)).json()
    others = (
        {"sex": "男", "nation": "壮", "birth_date": "1990年3月7日"},
        {
            "sex": "male",
            "nation": "壮族",
            "birth_date": "1990-03-07",
            "valid_from": "2020.01.01",
            "valid_until": "長期",
        },
        {"sex": "9", "birth_date": None, "valid_until": None, "issuer": None},
        {"id_number": card["id_number"][:6] + " " + card["id_number"][6:].lower()},
    )
    for change in others:
        again = (await post(sign_in, {**card, **change})).json()
        assert again == {**first, "created": False, "updated_at": again.get("updated_at")}, change
        assert again["version"] == 1


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("resident", "690101"), ("resident", "15"), ("hk_mo_tw_resident", "810000"), ("hk_mo_tw_resident", "820000"),
        ("hk_mo_tw_resident", "830000"), ("foreign_permanent", "911840"), ("foreign_permanent", "XXA"), ("passport", "X"),
    ],
)  # fmt: skip
async def test_every_kind_of_document_enters_one_person(sign_in: SignIn, kind: str, form: str) -> None:
    if form == "15":
        number = (new := numbered())[:6] + new[8:17]
    elif form.isdigit():
        number = numbered(form)
    else:
        number = form + "".join(secrets.choice("0123456789") for _ in range(12 if form == "XXA" else 8))
    card = as_read(id_kind=kind, id_number=number)
    one, two = [(await post(sign_in, card)) for _ in range(2)]
    assert (one.status_code, two.status_code) == (201, 201), one.text
    assert one.json()["id"] == two.json()["id"]
    assert (one.json()["id_kind"], one.json()["birth_date"], one.json()["sex"]) == (kind, "1990-03-07", "male")


async def test_what_contradicts_the_number_is_refused_by_name_in_both_languages(sign_in: SignIn) -> None:
    card = as_read(sex="2", birth_date="19900308")
    zh, en = (await post(sign_in, card)).json(), (await post(sign_in, card, "en")).json()
    assert zh["code"] == en["code"] == "id-card-contradiction"
    assert [(e["pointer"], e["message"]) for e in zh["errors"]] == [
        ("/sex", "性别与证件号码不一致"), ("/birth_date", "出生日期与证件号码不一致"),
    ]  # fmt: skip
    assert [e["message"] for e in en["errors"]] == ["the sex contradicts the ID number", "the birth date contradicts the ID number"]  # fmt: skip
    assert "19900308" not in str(zh)
    for kind, area in (("hk_mo_tw_resident", "830000"), ("foreign_permanent", "911840")):
        refused = (await post(sign_in, as_read(id_kind=kind, id_number=numbered(area), sex="女"))).json()
        assert [e["pointer"] for e in refused["errors"]] == ["/sex"], kind
    wrong_kind = (await post(sign_in, as_read(id_kind="resident", id_number=numbered("830000")))).json()
    assert [(e["pointer"], e["code"]) for e in wrong_kind["errors"]] == [("/id_number", "kind")]


async def test_every_field_that_says_nothing_is_named_at_once(sign_in: SignIn) -> None:
    card = as_read(name=" · ", sex="3", nation="57", birth_date="19900230", valid_from="gestern", valid_until="2030")
    answer = await post(sign_in, card)
    assert (answer.status_code, answer.json()["code"]) == (422, "examinee-details-invalid")
    pointers = [e["pointer"] for e in answer.json()["errors"]]
    assert pointers == ["/name", "/sex", "/nation", "/birth_date", "/valid_from", "/valid_until"]
    upside_down = await post(sign_in, as_read(valid_from="20300101", valid_until="20200101"))
    assert [e["pointer"] for e in upside_down.json()["errors"]] == ["/valid_until"]


async def test_a_card_that_has_expired_is_taken_and_says_so_and_the_renewed_one_mends_it(sign_in: SignIn) -> None:
    card = as_read(valid_from="20060101", valid_until="20160101")
    old = (await post(sign_in, card)).json()
    assert (old["id_valid_until"], old["document_expired"]) == ("2016-01-01", True)
    new = (await post(sign_in, {**card, "valid_from": "20260101", "valid_until": "20460101"})).json()
    assert (new["id"], new["id_valid_until"], new["document_expired"], new["version"]) == (
        old["id"],
        "2046-01-01",
        False,
        2,
    )
