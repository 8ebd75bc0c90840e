"""What is nearly a number: two of them in one value, a sign behind it, a unit where there is none, other scripts. A person is asked, and told at once."""

import pytest

from tests.tjapi.result.scene import OpenUnit, file, observation, report, state_of, visit
from tests.tjapi.result.wire import WHEN, alarms, asked, filed
from tjapi.result.rules.numbers import numbers_in
from tjapi.result.rules.reading import Said, put_together, read
from tjapi.result.rules.values import unit_fits

pytestmark = pytest.mark.requirement("E3.3", "E5.2")
ALARM = "CRITICAL-NOT-EXCLUDED"


def _obx(kind: str, value: str, code: str = "K", unit: str = "mmol/L") -> str:
    return f"OBX|1|{kind}|{code}^{code}||{value}|{unit}|||||F|||{WHEN}"


# --- two numbers in one value ---


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("CWE", "7.2^4.1^L"), ("CE", "7.2^4.1"), ("CWE", "^4.1^L^^7.2"), ("CWE", "4.1^^L^7.2"), ("CWE", "^4.1^L^^^^^^7.2"), ("CWE", "^4.1^7.2"),
        ("CE", "K^4.1^L^7.2^^L"), ("CWE", "^4.1^L^^^^^^^7.2"), ("CE", "^4.1~^7.2"), ("SN", "^7.2^^4.1"), ("SN", "7.2^4.1"), ("SN", "^4.1^-^7.2"),
        ("SN", "^4.1^^^7.2"), ("NR", "4.1^7.2"), ("CX", "4.1^^^7.2"), ("NM", "4.1^7.2"), ("ST", "4.1^7.2"), ("CQ", "4.1^7.2"),
        ("CWE", "^7.2 溶血^L^^4.1"),
    ],
)  # fmt: skip
async def test_of_two_numbers_in_one_value_none_is_filed_and_the_critical_one_alarms(
    unit: OpenUnit, kind: str, value: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", _obx(kind, value))
    assert "K" not in await state_of(unit, scene)
    assert await asked(unit, scene) == [("K", "unread")]
    assert await alarms(unit, scene) == [ALARM]


@pytest.mark.parametrize("value", ["7^^4", "^7^^4", "7^4", "^7^x^4", "7^", "^4^^^7"])
async def test_two_whole_numbers_of_a_structured_one_never_become_one(unit: OpenUnit, value: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", _obx("SN", value))
    now = (await state_of(unit, scene)).get("K")
    assert now is None or now[0] in ("7", "4")


@pytest.mark.parametrize(
    ("kind", "value", "read_as"),
    [
        ("SN", "<^4.1", "<4.1"), ("SN", "^4.1", "4.1"), ("SN", "=^4.1", "4.1"), ("CWE", "K^4.1^L", "4.1"), ("CWE", "^4.1^L^^4.1 mmol/L", "4.1"),
        ("CWE", "4.1^^L", "4.1"), ("CE", "2823-3^4.1^LN", "4.1"), ("CWE", "^4.1^L^^^^2.5", "4.1"), ("NM", "4.1^^", "4.1"),
    ],
)  # fmt: skip
async def test_one_number_beside_codes_and_versions_is_read(
    unit: OpenUnit, kind: str, value: str, read_as: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", _obx(kind, value))
    now = (await state_of(unit, scene))["K"]
    assert now is not None
    assert now[0] == read_as


def test_the_other_number_of_a_coded_value_is_shown_to_whoever_is_asked() -> None:
    measured, unread = put_together("numeric", [Said("4.1", "", 0, ("7.2",))], ["mmol/L"], [])
    assert measured == []
    assert unread is not None
    assert unread.raw == "4.1\n7.2"


# --- a sign behind ---


@pytest.mark.parametrize("value", ["4.1-", "-4.1-", "4.1−", "4.1–", "4.1—", "4.1 -", "4.1--", "<4.1-", "4.1/", "4.1‐"])
@pytest.mark.parametrize("column", ["-", "/", "mmol/L", "--", "", "—", "无"])
def test_what_may_be_a_sign_behind_a_number_is_a_question(value: str, column: str) -> None:
    for kind in ("numeric", "computed"):
        assert read(kind, value, [column, "mmol/L"]) is None


@pytest.mark.parametrize("value", ["4.1-", "7.2-"])
async def test_a_number_with_a_sign_behind_it_is_asked_about(unit: OpenUnit, value: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await file(unit, report(scene, "ELECTROLYTE", observation("K", value, unit="-")))
    assert "K" not in await state_of(unit, scene)


# --- a unit where an item has none ---


@pytest.mark.parametrize(
    ("said", "code", "fits"),
    [
        ("mmol/L", "INR", False), ("g/L", "USG", False), ("mg/dL", "UPH", False), ("g/cm2", "BMD-T", False), ("mmHg", "ABI-R", False),
        ("%", "WHR", False), ("s", "INR", False), ("SD", "INR", False), ("pH", "INR", False), ("cm", "WHR", False),
        ("", "INR", True), ("1", "INR", True), ("ratio", "INR", True), ("{ratio}", "ABI-L", True), ("比值", "WHR", True), ("-", "USG", True),
        ("/", "USG", True), ("SD", "BMD-T", True), ("pH", "UPH", True), ("[pH]", "UPH", True), ("{INR}", "INR", True), ("null", "ABI-R", True),
    ],
)  # fmt: skip
def test_a_unit_that_means_something_fits_no_item_without_one(said: str, code: str, fits: bool) -> None:
    assert unit_fits(said, None, code) is fits
    assert unit_fits(said, "", code) is fits


@pytest.mark.parametrize(
    ("said", "filed_as"), [("mmol/L", None), ("g/L", None), ("ratio", "1.1"), ("-", "1.1"), ("", "1.1")]
)
@pytest.mark.parametrize("inside", [False, True])
async def test_an_inr_in_a_unit_is_asked_about(unit: OpenUnit, said: str, filed_as: str | None, inside: bool) -> None:
    scene = await visit(unit, "COAG")
    value = f"1.1 {said}".strip() if inside and said == "mmol/L" else "1.1"
    await file(unit, report(scene, "COAG", observation("INR", value, unit=said)))
    now = (await state_of(unit, scene)).get("INR")
    assert (now[0] if now is not None else None) == filed_as
    assert (("INR", "unread") in await asked(unit, scene)) is (filed_as is None)


# --- other scripts ---

_SCRIPTS = {
    "٧٫٢": "7.2", "٧.٢": "7.2", "۷٫۲": "7.2", "७.२": "7.2", "๗.๒": "7.2", "𝟕.𝟐": "7.2", "七点二": "7.2", "七點二": "7.2", "柒点贰": "7.2",
    "七·二": "7.2", "七": "7", "约七": "7", "十二": "12", "七十二": "72", "一百零五": "105", "七千": "7000", "⑦": "7", "⑦.②": "7.2",
    "⁷·²": "7.2", "₇.₂": "7.2", "Ⅶ": "7", "VII": "7", "7½": "7.5", "〧.〢": "7.2", "7٬200": "7.200 7200", "4.1-": "4.1 -4.1",
    "4.1×10⁹/L": "4.1", "标本一般": "", "什么": "", "统一处理": "", "复测三次": "", "见第二页": "",
}  # fmt: skip


@pytest.mark.parametrize(("raw", "found"), _SCRIPTS.items())
def test_figures_of_every_script_are_found(raw: str, found: str) -> None:
    assert [value.text for value in numbers_in(raw)] == found.split()


@pytest.mark.parametrize("raw", [raw for raw, found in _SCRIPTS.items() if found[:1] == "7" and raw != "7½"])
def test_figures_of_other_scripts_are_read_as_no_value(raw: str) -> None:
    assert read("numeric", raw, ["mmol/L"]) is None


@pytest.mark.parametrize("raw", ["٧٫٢", "७.२", "七点二", "七", "⑦", "⁷·²", "Ⅶ", "7½", "𝟕.𝟐", "柒点贰"])
async def test_what_may_be_critical_in_any_script_alarms(unit: OpenUnit, raw: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", _obx("ST", raw))
    assert "K" not in await state_of(unit, scene)
    assert await asked(unit, scene) == [("K", "unread")]
    assert await alarms(unit, scene) == [ALARM]


@pytest.mark.parametrize("raw", ["٤٫١", "四点一", "标本一般溶血", "四"])
async def test_what_is_calm_in_any_script_alarms_of_nothing(unit: OpenUnit, raw: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", _obx("ST", raw))
    assert await asked(unit, scene) == [("K", "unread")]
    assert await alarms(unit, scene) == []
