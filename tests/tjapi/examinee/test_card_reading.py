"""What card readers send: understood in their own codes, refused by name where it contradicts itself, and the same person each time."""

import csv
import json
import secrets
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from adapters.wire.unseen import holds_unseen
from tests.conftest import SignIn
from tests.tjapi.world import World, key
from tjapi.examinee.rules import IdNumberFault, check_digit, full_years, parse_id_number
from tjapi.kernel.clock import SystemClock, business_day
from tjapi.kernel.documents.fonts import FontSet
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("E1.3")
API = "/api/v1"
TEMPLATES = Path(__file__).parents[3] / "report_templates"
BORN = "19900307"


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


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
        digits = "".join(secrets.choice("0123456789") for _ in range(8))
        number = f"{form}{digits[:4]}900307{digits[4:6]}" if form == "XXA" else form + digits
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
    old = {"id_kind": "foreign_permanent", "id_number": "CAN110090030702"}
    refused = (await post(sign_in, as_read(**old, birth_date="19910307"))).json()
    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("/birth_date", "contradicts_id_number")]
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


CASES = Path(__file__).parents[2] / "cases"


@pytest.mark.parametrize("case", json.loads((CASES / "32-same-card-twice.json").read_text("utf-8")), ids=ascii)
async def test_the_same_card_read_twice_is_one_person_however_its_name_is_coded(
    sign_in: SignIn, case: dict[str, Any]
) -> None:
    card = as_read(name=case["first"]["name"], birth_date="19850307", id_number=_born_1985())
    first, again = await post(sign_in, card), await post(sign_in, card | {"name": case["again"]["name"]})
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert (again.json()["id"], again.json()["created"]) == (first.json()["id"], False)
    assert not holds_unseen(first.json()["name"])
    assert first.json()["name"] == again.json()["name"]


def _born_1985() -> str:
    """A number of a man born on 7 March 1985."""
    body = f"69{secrets.randbelow(10_000):04d}19850307{secrets.randbelow(499) * 2 + 1:03d}"
    return body + check_digit(body)


async def test_a_passport_read_in_pinyin_is_the_person_known_in_chinese(sign_in: SignIn) -> None:
    card = as_read(name="张三", id_kind="passport", id_number=f"E{secrets.randbelow(10**8):08d}")
    first = (await post(sign_in, card)).json()
    for spelling in ("ZHANG SAN", "Zhang, San", "san zhang"):
        assert (await post(sign_in, card | {"name": spelling})).json()["id"] == first["id"]
    other = await post(sign_in, card | {"name": "ZHANG SI"})
    assert (other.status_code, other.json()["code"]) == (409, "examinee-name-differs")


async def test_what_is_not_seen_is_kept_nowhere_and_what_turns_the_writing_is_refused_by_the_field(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    met = (await post(sign_in, as_read(name="测\u200b试\ufeff乙", address="示例路\u200d 1 号"))).json()
    assert met["name"] == "测试乙"
    front = await sign_in("front")
    seen = await front.post(f"{API}/examinees/{met['id']}:unmask", json={"purpose": "核对地址"})
    assert seen.status_code != 200 or seen.json()["address"] == "示例路 1 号"
    for field, value in (
        ("name", "测\u202e试"),
        ("id_number", "\u202d690101199003071033\u202c"),
        ("address", "示例\u2066路"),
    ):
        for language, word in (("zh", "文字方向控制符"), ("en", "direction of writing")):
            refused = await post(sign_in, as_read(**{field: value}), language)
            assert (refused.status_code, refused.json()["code"]) == (422, "forbidden-character")
            assert [error["pointer"] for error in refused.json()["errors"]] == [f"/{field}"]
            assert word in str(refused.json()["errors"])
    found = await front.get(f"{API}/items", params={"q": "血\u200b红"})
    plain = await front.get(f"{API}/items", params={"q": "血红"})
    assert (found.status_code, found.json()["items"]) == (200, plain.json()["items"])
    refused = await front.get(f"{API}/items", params={"q": "血\u202e红"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "query:q")
    refused = await front.get(f"{API}/roles/a%E2%80%AEb")
    assert (refused.status_code, refused.json()["code"]) == (422, "forbidden-character")
    headers = {b"Idempotency-Key": "甲\u202e乙".encode()}
    refused = await front.post(f"{API}/examinees", json={"campus_id": 1, **as_read()}, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "header:idempotency-key")
    assert await admin.fetchval("select count(*) from examinee where name ~ '[\u200b-\u200f\u202a-\u202e\ufeff]'") == 0


@pytest.mark.parametrize(
    ("kind", "number", "kept"),
    [
        ("hk_mo_travel_permit", "H00000001", "H00000001"), ("hk_mo_travel_permit", "h0000000102", "H00000001"),
        ("hk_mo_travel_permit", "M 0000 0001", "M00000001"), ("tw_travel_permit", "00000002", "00000002"),
        ("tw_travel_permit", "０００００００２", "00000002"), ("tw_travel_permit", "0000000002(B)", "0000000002B"),
    ],
)  # fmt: skip
def test_travel_permits_are_documents_whose_numbers_are_for_life(kind: Any, number: str, kept: str) -> None:
    read = parse_id_number(kind, number, date(2026, 11, 29))
    assert (read.kind, read.number, read.sex, read.birth_date) == (kind, kept, None, None)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("hk_mo_travel_permit", "A00000001"), ("hk_mo_travel_permit", "H0000001"), ("hk_mo_travel_permit", "H000000011"),
        ("tw_travel_permit", "H00000001"), ("tw_travel_permit", "0000002"), ("tw_travel_permit", "000000002"),
        ("hk_mo_travel_permit", "690101199003077937"), ("tw_travel_permit", ""),
    ],
)  # fmt: skip
def test_what_is_no_permit_is_refused(kind: Any, number: str) -> None:
    with pytest.raises(IdNumberFault) as refused:
        parse_id_number(kind, number, date(2026, 11, 29))
    assert refused.value.fault == "format"


async def test_holders_of_travel_permits_are_met_and_found_again(sign_in: SignIn) -> None:
    """31-travel-permits.csv, at the desk."""
    front = await sign_in("front")
    kinds = {"港澳居民来往内地通行证": ("hk_mo_travel_permit", "H"), "台湾居民来往大陆通行证": ("tw_travel_permit", "")}
    dictionaries = {one["name"]: one["entries"] for one in (await front.get(f"{API}/dictionaries")).json()["items"]}
    labels = {entry["code"]: entry["zh"] for entry in dictionaries["id_kind"]}
    with (CASES / "31-travel-permits.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            kind, letter = kinds[row["证件类型"]]
            assert labels[kind] == row["证件类型"]
            card = as_read(
                name=row["姓名"], sex=row["性别"], birth_date=row["出生日期"], id_kind=kind, id_number=f"{letter}{secrets.randbelow(10**8):08d}"
            )  # fmt: skip
            first = await post(sign_in, card)
            assert first.status_code == 201, first.text
            again = await post(sign_in, card | {"id_number": card["id_number"] + ("02" if letter else "")})
            assert again.json()["id"] == first.json()["id"]
            found = await front.post(f"{API}/examinees:search", json={"id_number": card["id_number"]})
            assert [one["id"] for one in found.json()["items"]] == [first.json()["id"]]


@pytest.mark.requirement("E1.5")
@pytest.mark.parametrize("case", json.loads((CASES / "35-names-without-glyphs.json").read_text("utf-8")), ids=ascii)
async def test_the_desk_is_told_what_of_a_name_cannot_be_printed(
    world: World, sign_in: SignIn, case: dict[str, str]
) -> None:
    card = as_read(name=case["name"], id_kind="passport", id_number=f"E{secrets.randbelow(10**8):08d}")
    met = (await post(sign_in, card)).json()
    shown = FontSet(TEMPLATES / "_shared" / "fonts").missing(met["name"])
    assert set(met["unprintable"]) == shown
    assert bool(shown) == (case["name"] == "محمد")
    front = await sign_in("front")
    exam = (await front.post(f"{API}/exams", json=await world.order(met["id"], "GLU"), headers=key())).json()
    assert exam["unprintable"] == met["unprintable"]
    arrived = (await front.post(f"{API}/exams/{exam['id']}:check-in")).json()
    assert arrived["unprintable"] == met["unprintable"]


@pytest.mark.requirement("E1.3")
async def test_two_countries_give_one_number_to_two_people_and_a_country_that_is_not_said_keeps_nobody_apart(
    sign_in: SignIn,
) -> None:
    number = "Z" + "".join(secrets.choice("0123456789") for _ in range(7))
    passport = {"id_kind": "passport", "id_number": number}
    american = as_read(**passport, issuer="USA", name="ANN OTHER")
    korean = as_read(**passport, issuer="kor", name="KIM MINSU", sex="1")
    one, two = (await post(sign_in, american)).json(), (await post(sign_in, korean)).json()
    assert one["created"]
    assert two["created"]
    assert one["id"] != two["id"]
    for card, known in ((american, one), (korean, two)):
        again = (await post(sign_in, card)).json()
        assert (again["id"], again["created"]) == (known["id"], False)
    front = await sign_in("front")
    found = (await front.post(f"{API}/examinees:search", json={"id_number": number})).json()["items"]
    assert {person["id"] for person in found} == {one["id"], two["id"]}
    late = "Y" + number[1:]
    unsaid = (await post(sign_in, as_read(id_kind="passport", id_number=late, name="ANN OTHER"))).json()
    known = await post(sign_in, as_read(id_kind="passport", id_number=late, name="ANN OTHER", issuer="USA"))
    assert known.json()["id"] == unsaid["id"]
    other = await post(sign_in, as_read(id_kind="passport", id_number=late, name="KIM MINSU", issuer="KOR"))
    assert (other.status_code, other.json()["created"]) == (201, True)
