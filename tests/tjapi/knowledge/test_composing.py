"""What is clicked is what is written and what is read: every finding of the dictionary, and nothing beside it."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import pytest

from tjapi.catalog import service as catalog
from tjapi.knowledge import service
from tjapi.knowledge.composing import (
    Click,
    NotComposableError,
    codes,
    compose,
    expected,
    faults,
    grades_at,
    options,
    read_keys,
    settled,
    sites_of,
    terms_of,
)
from tjapi.knowledge.composing import asks_size as sized
from tjapi.knowledge.descriptions import ASSERTIONS, STANDING, read
from tjapi.knowledge.rules import Case, Known, leaves

pytestmark = pytest.mark.requirement("E3.2", "E3.4")

STARTER = service.read_starter()
EDITION = service.in_memory(STARTER)
SIZES = ((), (Decimal(8),), (Decimal(12), Decimal("10.5")), (Decimal(35), Decimal(30), Decimal(28)))
UNWRITABLE: frozenset[tuple[str, str, str]] = frozenset()
"""Concept, site and assertion that no sentence of ours says so that the reader takes it for that. None must be added in silence."""
NOWHERE: frozenset[str] = frozenset()
"""Concepts that cannot be clicked at all."""


def _described() -> dict[str, str]:
    items = catalog.read_starter().items
    return {item.code: item.name for item in items if item.kind == "text"}


def _asked(item_code: str) -> set[str]:
    conditions = [*(rule.condition for rule in STARTER.rules), *(rule.condition for rule in STARTER.critical)]
    said = [given for condition in conditions for name, given in leaves(condition) if name == "concept"]
    return {code for given in said if given["item"] == item_code for code in given.get("in", ())}


def _every_click() -> Iterator[Click]:
    for concept in sorted(codes()):
        for site in sites_of(concept) or ("",):
            for i, term in enumerate(terms_of(concept, site)):
                for assertion in ASSERTIONS if i == 0 else ("present", "absent"):
                    there = assertion in STANDING
                    sides = (None, "left", "both") if options_sided(concept, site) and i == 0 else (None,)
                    sizes = SIZES if sized(concept) and there and i == 0 else SIZES[:1]
                    grades = ("", *grades_at(concept, site)) if there and i == 0 else ("",)
                    numbers = (None, "multiple") if there and i == 0 else (None,)
                    for side, size, grade, number in product(sides, sizes, grades, numbers):
                        yield Click(concept, site, side, term, assertion, size, number, grade)


def options_sided(concept: str, site: str) -> bool:
    return any(
        place.sided for one in options("", {concept}) for place in one.places if one.concept == concept and place.code == site
    )  # fmt: skip


def test_every_finding_is_read_back_as_it_was_clicked_and_as_nothing_else() -> None:
    wrong, tried = [], 0
    for click in _every_click():
        tried += 1
        try:
            composed = compose([click], None)
        except NotComposableError:
            wrong.append((click.concept, click.site, click.assertion))
            continue
        said = read(composed.text)
        assert not said.unread, composed.text
        assert read_keys(said.mentions, [click]) == expected([click]), composed.text
    assert tried > 10_000
    assert set(wrong) == UNWRITABLE


def test_every_concept_can_be_clicked_somewhere() -> None:
    assert {code for code in codes() if not sites_of(code) and not terms_of(code, "")} == NOWHERE


def test_whatever_a_rule_asks_of_an_item_can_be_clicked_for_it() -> None:
    missing = {(item, code) for item in _described() for code in _asked(item) & codes() if code not in _offered(item)}
    assert not missing


def _offered(item: str) -> dict[str, object]:
    return {one.concept: one for one in options(item, _asked(item))}


def test_findings_of_an_item_stand_beside_each_other_and_the_rest_is_normal_only_where_that_was_clicked() -> None:
    for item, name in _described().items():
        offered = options(item, _asked(item))
        clicks = [Click(one.concept, one.places[0].code, term=one.places[0].terms[0]) for one in offered[:5]]
        composed = compose(clicks, "rest", item_code=item, item_name=name)
        assert composed.text.endswith("余未见明显异常。")
        assert read_keys(composed.mentions, clicks) == expected(clicks), composed.text
        assert "余" not in compose(clicks, None, item_code=item, item_name=name).text


def test_a_sentence_is_one_that_a_reporter_would_write() -> None:
    def text(item: str, *clicks: Click) -> str:
        return compose(clicks, None, item_code=item, item_name=_described()[item]).text

    ti = Click("THYROID-NODULE", "THYROID", "left", sizes_mm=(Decimal(8), Decimal(6)), grade="3")
    assert text("US-THYROID", ti) == "甲状腺左叶结节，大小约8×6mm，TI-RADS 3类。"
    assert text("US-LIVER", Click("FATTY-LIVER", "LIVER")) == "脂肪肝。"
    many = Click("RENAL-CYST", "KIDNEY", "both", number="multiple", sizes_mm=(Decimal("12.5"),))
    assert text("US-KIDNEY", many) == "双肾多发囊肿，较大者约12.5mm。"
    assert text("BREAST-PALP", Click("BREAST-MASS", "BREAST", "left", assertion="absent")) == "左侧乳腺未触及肿块。"
    assert text("US-GB", Click("GALLSTONE", "GB", assertion="possible")) == "胆囊结石可能。"
    assert text("US-GB", Click("GB-POLYP", "GB", assertion="postoperative")) == "胆囊息肉术后。"


def test_all_normal_is_what_the_item_calls_normal() -> None:
    usual = "肝脏大小形态正常,回声均匀,未见明显异常"
    composed = compose([], "all", item_code="US-LIVER", usual=usual)
    assert composed.text == usual
    assert not [one for one in composed.mentions if one.stands]


NODULE = Click("THYROID-NODULE", "THYROID")


@pytest.mark.parametrize(
    ("clicks", "normal", "field", "code"),
    [
        ((NODULE, Click("THYROID-NODULE", "THYROID", assertion="absent")), None, "1/assertion", "contradicts"),
        ((NODULE, Click("THYROID-NODULE", "THYROID", "left", assertion="absent")), None, "1/assertion", "contradicts"),
        ((NODULE, Click("THYROID-NODULE", "THYROID", assertion="possible")), None, "1/assertion", "contradicts"),
        ((NODULE, NODULE), None, "1", "duplicate"),
        ((NODULE,), "all", "normal", "normal-and-finding"),
        ((), "rest", "normal", "nothing-beside"),
        ((), None, "", "empty"),
        ((Click("NO-SUCH", "THYROID"),), None, "0/concept", "not-offered"),
        ((Click("GALLSTONE", "GB"),), None, "0/concept", "not-offered"),
        ((Click("THYROID-NODULE", "GB"),), None, "0/site", "not-a-site"),
        ((Click("THYROID-NODULE", "THYROID", term="胆囊结石"),), None, "0/term", "not-a-term"),
        ((Click("THYROID-NODULE", "THYROID", grade="9"),), None, "0/grade", "not-a-grade"),
        ((Click("GOITER", "THYROID", sizes_mm=(Decimal(8),)),), None, "0/sizes_mm", "no-size"),
        ((Click("THYROID-NODULE", "THYROID", sizes_mm=(Decimal(0),)),), None, "0/sizes_mm", "out-of-bounds"),
        ((Click("THYROID-NODULE", "THYROID", assertion="absent", grade="3"),), None, "0/grade", "not-there"),
    ],
)
def test_what_contradicts_itself_is_refused_by_its_field(
    clicks: tuple[Click, ...], normal: str | None, field: str, code: str
) -> None:
    offered = {one.concept: one for one in options("US-THYROID")}
    assert (field, code) in {(one.field, one.code) for one in faults(clicks, normal, offered)}  # type: ignore[arg-type]


def test_left_and_right_do_not_contradict_each_other() -> None:
    offered = {one.concept: one for one in options("US-THYROID")}
    clicks = [
        Click("THYROID-NODULE", "THYROID", "left"),
        Click("THYROID-NODULE", "THYROID", "right", assertion="absent"),
    ]
    assert not faults(clicks, None, offered)


def test_a_click_without_a_site_is_of_the_site_of_its_item() -> None:
    option = {one.concept: one for one in options("US-HEART", _asked("US-HEART"))}["VALVE-REGURGITATION"]
    assert settled(Click("VALVE-REGURGITATION"), option, "US-HEART").site == "HEART"


def test_rules_find_of_a_composed_text_what_was_clicked() -> None:
    click = Click("GB-POLYP", "GB", sizes_mm=(Decimal(12),))
    text = compose([click], "rest", item_code="US-GB", item_name="胆囊超声").text
    case = Case("female", 45, {"US-GB": Known("US-GB", "胆囊超声", text)})
    assert {one.rule.finding.code for one in EDITION.fired("finding", case) if one.rule.finding} & {
        "GB-POLYP",
        "GB-POLYP-LARGE",
    }
