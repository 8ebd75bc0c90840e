"""What an identity number says, and by what a name is found. Every number here is computed, none is a person's."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tjapi.examinee.rules import (
    NATIONS,
    IdKind,
    IdNumberFault,
    birth_date_fault,
    check_digit,
    clean_name,
    eighteen_of_fifteen,
    folded,
    is_for_ever,
    mask_card_no,
    name_keys,
    normalise_card_no,
    normalise_phone,
    parse_id_number,
    read_date,
    read_nation,
    read_sex,
    spellings_sought,
)

TODAY = date(2026, 11, 23)


def number(area: str = "690101", born: str = "19900307", order: str = "793") -> str:
    body = area + born + order
    return body + check_digit(body)


def fault_of(kind: IdKind, raw: str) -> str:
    with pytest.raises(IdNumberFault) as caught:
        parse_id_number(kind, raw, TODAY)
    assert raw not in str(caught.value)
    return caught.value.fault


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    """GB 11643-1999 gives 11010519491231002X as its example."""
    assert check_digit("11010519491231002") == "X"


@pytest.mark.requirement("E1.3")
def test_a_resident_number_says_sex_and_birth_date() -> None:
    man = parse_id_number("resident", number(order="793"), TODAY)
    woman = parse_id_number("resident", number(order="792"), TODAY)
    assert (man.sex, man.birth_date) == ("male", date(1990, 3, 7))
    assert (woman.sex, woman.birth_date) == ("female", date(1990, 3, 7))


@pytest.mark.requirement("E1.3")
def test_an_old_number_of_15_digits_becomes_the_new_one_of_the_same_person() -> None:
    new = number()
    old = new[:6] + new[8:17]
    parsed = parse_id_number("resident", old, TODAY)
    assert parsed.number == new == eighteen_of_fifteen(old)
    assert parsed.birth_date == date(1990, 3, 7)


@pytest.mark.requirement("E1.3")
@pytest.mark.parametrize("area", ["810000", "820000", "830000"])
def test_a_residence_permit_of_hong_kong_macau_and_taiwan_residents_is_read(area: str) -> None:
    parsed = parse_id_number("hk_mo_tw_resident", number(area), TODAY)
    assert (parsed.sex, parsed.birth_date) == ("male", date(1990, 3, 7))


@pytest.mark.requirement("E1.3")
def test_both_permanent_residence_cards_of_foreigners_are_read() -> None:
    new = parse_id_number("foreign_permanent", number("931156"), TODAY)
    assert (new.sex, new.birth_date) == ("male", date(1990, 3, 7))
    old = parse_id_number("foreign_permanent", "usa 450090030712", TODAY)
    assert (old.number, old.sex, old.birth_date) == ("USA450090030712", None, date(1990, 3, 7))
    assert parse_id_number("foreign_permanent", "CAN110005030702", TODAY).birth_date == date(2005, 3, 7)
    with pytest.raises(IdNumberFault):
        parse_id_number("foreign_permanent", "CAN110090133702", TODAY)


@pytest.mark.requirement("E1.2", "E1.3")
def test_a_permit_is_sought_as_it_is_kept_without_the_count_of_its_renewals() -> None:
    assert spellings_sought("H0000000101") == ("H0000000101", "H00000001")
    assert spellings_sought("h 00000001") == ("H00000001",)


@pytest.mark.requirement("E1.3")
def test_a_passport_says_nothing_but_its_number() -> None:
    parsed = parse_id_number("passport", " e1234 5678 ", TODAY)
    assert (parsed.number, parsed.sex, parsed.birth_date) == ("E12345678", None, None)


def test_full_width_lower_case_and_spaced_numbers_are_the_same_number() -> None:
    expected = parse_id_number("resident", "11010519491231002X", TODAY).number
    for raw in ("11010519491231002x", "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ"):
        assert parse_id_number("resident", raw, TODAY).number == expected


@pytest.mark.requirement("E1.3")
def test_each_fault_of_a_number_has_its_name() -> None:
    good = number()
    wrong_check = good[:17] + ("0" if good[17] != "0" else "1")
    assert fault_of("resident", wrong_check) == "check_digit"
    assert fault_of("resident", number(born="19900230")) == "birth_date_invalid"
    assert fault_of("resident", number(born="20261124")) == "birth_date_in_future"
    assert fault_of("resident", number(born="18900101")) == "age_over_130"
    assert fault_of("resident", good[:-1]) == "format"
    assert fault_of("resident", "69010119900307７９Ａ3") == "format"
    assert fault_of("passport", "A1") == "format"
    assert fault_of("hk_mo_tw_resident", "690101900307793") == "format"


def test_a_number_of_another_kind_of_document_is_refused() -> None:
    assert fault_of("resident", number("810000")) == "kind"
    assert fault_of("resident", number("931156")) == "kind"
    assert fault_of("hk_mo_tw_resident", number("690101")) == "kind"
    assert fault_of("foreign_permanent", number("690101")) == "kind"


def test_someone_born_today_and_someone_of_130_are_people() -> None:
    assert parse_id_number("resident", number(born="20261123"), TODAY).birth_date == TODAY
    assert birth_date_fault(date(1896, 11, 23), TODAY) is None
    assert birth_date_fault(date(1895, 11, 23), TODAY) == "age_over_130"
    assert birth_date_fault(TODAY + timedelta(days=1), TODAY) == "birth_date_in_future"


@given(st.dates(date(1900, 1, 1), TODAY), st.integers(0, 999), st.sampled_from(["690101", "690102", "699099"]))
def test_every_well_made_number_is_read_back(born: date, order: int, area: str) -> None:
    parsed = parse_id_number("resident", number(area, f"{born:%Y%m%d}", f"{order:03d}"), TODAY)
    assert parsed.birth_date == born
    assert parsed.sex == ("male" if order % 2 else "female")


@given(st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place: int, shift: int) -> None:
    good = number(order="792")
    assert good[17] != "X"
    broken = good[:place] + str((int(good[place]) + shift) % 10) + good[place + 1 :]
    with pytest.raises(IdNumberFault):
        parse_id_number("resident", broken, TODAY)


@given(st.text(max_size=40), st.sampled_from(["resident", "hk_mo_tw_resident", "foreign_permanent", "passport"]))
def test_no_text_breaks_the_reader(raw: str, kind: IdKind) -> None:
    try:
        parsed = parse_id_number(kind, raw, TODAY)
    except IdNumberFault:
        return
    assert parsed.number.isascii()


def test_an_old_number_is_sought_in_both_spellings() -> None:
    assert spellings_sought("690101900307793") == ("690101900307793", number())
    assert spellings_sought(" e12345678") == ("E12345678",)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("13800001234", "13800001234"),
        ("+86 138-0000-1234", "13800001234"),
        ("0086 13800001234", "13800001234"),
        ("0771-5551234", "07715551234"),
        ("+85291234567", "+85291234567"),
        ("１３８００００１２３４", "13800001234"),
        ("123", None),
        ("不知道", None),
    ],
)
def test_a_phone_number_has_one_spelling(raw: str, kept: str | None) -> None:
    assert normalise_phone(raw) == kept


@pytest.mark.requirement("E1.2")
@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("张三", "zs"), ("张三", "zhangs"), ("张三", "张"),
        ("覃海燕", "qinhaiyan"), ("覃海燕", "tanhaiyan"), ("覃海燕", "qhy"), ("覃海燕", "thy"),
        ("单田芳", "shan"), ("单田芳", "dan"),
        ("区志强", "ouzhiqiang"), ("区志强", "qu"),
        ("曾国藩", "zeng"), ("仇英", "qiu"), ("解缙", "xie"), ("查良镛", "zha"), ("朴正花", "piao"), ("翟天临", "zhai"),
        ("欧阳修", "oyx"), ("尉迟恭", "yuchi"), ("令狐冲", "lhc"), ("单于", "chanyu"),
        ("缪昌", "miao"), ("缪昌", "mou"), ("缪昌", "miu"), ("盖叫", "ge"), ("盖叫", "gai"), ("万俟一", "moqi"), ("万俟一", "mqy"), ("萬俟一", "moqi"),
        ("长孙无", "zhangsun"), ("长孙无", "zsw"), ("曾一", "ceng"), ("仇一", "chou"), ("解一", "jie"), ("查一", "cha"), ("查一", "zy"),
        ("黑一", "he"), ("谌一", "shen"), ("谌一", "chen"), ("员一", "yun"), ("种一", "chong"), ("乐一", "yue"), ("任一", "ren"), ("折一", "she"),
        ("繁一", "po"), ("逄一", "pang"), ("秘一", "bi"), ("祭一", "zhai"), ("召一", "shao"), ("尉迟一", "weichi"), ("澹台一", "tantai"), ("牟一", "mou"),
        ("牟一", "mu"), ("燕一", "yan"), ("宓一", "fu"), ("郇一", "xun"), ("郇一", "huan"), ("區一", "ou"), ("單一", "shan"), ("粘一", "nian"),
        ("吕布", "lvbu"), ("吕布", "lyubu"), ("吕布", "lubu"),
        ("王乐", "wangyue"), ("王乐", "wangle"),
        ("艾力·买买提", "艾力买"), ("艾力·买买提", "almmt"),
        ("John Smith", "john"), ("John Smith", "js"),
        ("王𠮷", "wang𠮷"),
    ],
)  # fmt: skip
def test_a_name_is_found_by_the_beginning_of_any_of_its_readings(name: str, typed: str) -> None:
    assert any(key.startswith(folded(typed)) for key in name_keys(name))


def test_a_long_name_keeps_every_reading_of_its_surname_and_few_keys() -> None:
    keys = name_keys("单乐行重长朝和")
    assert {key[:2] for key in keys if key[:1] in "dsc" and key.isascii()} >= {"da", "sh", "ch"}
    assert len(keys) <= 130


@pytest.mark.requirement("E1.3")
def test_what_card_readers_send_is_understood_and_nothing_is_guessed() -> None:
    assert [read_sex(raw) for raw in ("1", "2", "0", "9", "男", " 女 ", "M", "female", "１", "3", "", "不详")] == [
        "male", "female", "unknown", "unknown", "male", "female", "male", "female", "male", None, None, None,
    ]  # fmt: skip
    assert [read_nation(raw) for raw in ("01", "1", "08", "56", "97", "汉", "汉族", "穿青人", "USA")] == [
        "汉族", "汉族", "壮族", "基诺族", "其他", "汉族", "汉族", "穿青人", "USA",
    ]  # fmt: skip
    assert [read_nation(raw) for raw in ("57", "00", "99", " ")] == [None] * 4
    assert len(set(NATIONS)) == 56
    for raw in ("19900307", "1990-03-07", "1990/3/7", "1990.03.07", "1990年3月7日", " １９９００３０７ "):
        assert read_date(raw) == date(1990, 3, 7), raw
    for raw in ("19900230", "900307", "07/03/1990", "1990", "1990-03-07T00:00", "长期", "00000000", ""):
        assert read_date(raw) is None, raw
    assert [is_for_ever(raw) for raw in ("长期", "長期", " 永久", "20400101")] == [True, True, True, False]


@given(st.text(max_size=40))
def test_nothing_that_a_reader_sends_breaks_what_reads_it(raw: str) -> None:
    read_sex(raw)
    read_nation(raw)
    read_date(raw)
    is_for_ever(raw)
    number = normalise_card_no(raw)
    assert number is None or (normalise_card_no(number) == number and len(mask_card_no(number)) == len(number))


@pytest.mark.requirement("E1.2")
@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (";6901000012345?", "6901000012345"), ("%B690100001?", "B690100001"), ("6901-0000 1234", "690100001234"), ("ａ１２３", "A123"),
        ("x", None), ("卡号", None), ("A" * 41, None),
    ],
)  # fmt: skip
def test_a_card_number_has_one_spelling(raw: str, kept: str | None) -> None:
    assert normalise_card_no(raw) == kept


@given(st.text(min_size=1, max_size=64))
def test_no_name_breaks_the_keys(name: str) -> None:
    keys = name_keys(name)
    assert len(keys) == len(set(keys)) <= 130
    assert all(keys)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("张　三 ", "张三"),
        ("艾力 • 买买提", "艾力·买买提"),
        ("艾力・买买提", "艾力·买买提"),
        ("Mary  Ann Lee", "Mary Ann Lee"),
    ],
)
def test_a_name_has_one_spelling(raw: str, kept: str) -> None:
    assert clean_name(raw) == kept
    assert folded(raw) == folded(kept)
