"""Invented people: the same on every installation, for they come from a seed and not from chance.

Nobody here exists. ID numbers lie in area 690101, which GB/T 2260 does not give; permits and cards of other kinds have invented numbers
of the right form. Names are those of Guangxi, with surnames that readings get wrong (覃 区 单 仇 曾 农 解 查), and with characters that fonts,
readers and interfaces get wrong (䶮 𠮷 㛃), and one of twenty characters.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tjapi.examinee.rules import check_digit
from tjapi.examinee.schemas import IdCardPayload

SEED = "tjapi demo hospital 1"
_AREA = "690101"
_FAMILIES = (
    *("覃",) * 14, *("韦",) * 16, *("农",) * 8, *("黄",) * 20, *("陆",) * 10, *("李",) * 12, *("梁",) * 12, *("莫",) * 7, *("蒙",) * 6,
    *("罗",) * 6, *("陈",) * 10, *("吴",) * 6, *("卢",) * 5, *("廖",) * 5, *("潘",) * 5, *("曾",) * 5, *("甘",) * 3, *("闭",) * 2,
    *("区",) * 3, *("单",) * 3, *("仇",) * 3, *("解",) * 2, *("查",) * 2, *("盖",) * 1, *("乐",) * 1, *("员",) * 1, "欧阳", "尉迟", "零", "隆", "颜",
)  # fmt: skip
_MALE = (
    "国强", "建华", "志明", "伟", "勇", "海", "俊杰", "宇轩", "宏", "振邦", "永福", "德胜", "家乐", "文彬", "大山", "春生", "子豪", "鹏", "小龙", "水清",
    "光荣", "立新", "世昌", "炳南", "浩然", "晓东", "卫国", "向阳", "荣贵", "桂林",
)  # fmt: skip
_FEMALE = (
    "秀英", "桂花", "丽娟", "小燕", "美玲", "艳", "春梅", "雪芳", "婷婷", "静怡", "玉兰", "彩霞", "月娥", "凤仙", "晓敏", "思颖", "素贞", "海棠", "达妹", "荔枝",
    "金莲", "慧", "佳琪", "冬妮", "木兰", "兰香", "淑芬", "雨桐", "燕飞", "红梅",
)  # fmt: skip
_STREETS = ("江滨", "民族", "望州", "长岗", "青山", "桂雅", "金湖", "秀厢", "朝阳", "龙腾")
# Characters that are missing somewhere: one beyond the BMP, two of its extension A, one that readers turn into a picture; and long names.
_RARE = (
    ("覃䶮", "male"), ("韦𠮷祥", "male"), ("农㛃", "female"), ("单于乐", "male"), ("区家仇", "male"), ("曾䶮华", "female"),
    ("依勒布·卡洛陀·达妹英·莫一哥·岑逊王子", "male"), ("黄㼆", "female"),
)  # fmt: skip
_TOGETHER_EVERY = 12
_OLDEST_DAY, _YOUNGEST_DAY = date(1943, 1, 1), date(2006, 6, 30)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person. `number` is their place among the others, from which everything about them comes."""

    number: int
    payload: IdCardPayload
    sex: str
    birth_date: date
    campuses: tuple[int, ...]

    def random(self, what: str) -> Random:
        """Return this person's own chance in some matter: the same every time."""
        return Random(f"{SEED}|{self.number}|{what}")


def invent(count: int) -> list[Person]:
    """Return the first people of the demo hospital; more of them leave the earlier ones what they are."""
    people: list[Person] = []
    for number in range(count):
        before = people[number - 1] if number % _TOGETHER_EVERY == 1 else None
        people.append(_person(number, before))
    return people


def _person(number: int, spouse: Person | None) -> Person:
    chance = Random(f"{SEED}|{number}|who")
    sex = "male" if chance.random() < 0.5 else "female"
    born = _born(chance)
    family = chance.choice(_FAMILIES)
    name = family + chance.choice(_MALE if sex == "male" else _FEMALE)
    kind, digits, nation = (
        "resident",
        "",
        chance.choices(("壮族", "汉族", "瑶族", "苗族", "侗族"), (58, 36, 3, 2, 1))[0],
    )
    phone = f"199{chance.randrange(10**8):08d}"
    address = f"示例市示例区{chance.choice(_STREETS)}路 {chance.randint(1, 180)} 号"
    if spouse is not None:
        # A couple: one phone, one address, and years that fit.
        sex = "female" if spouse.sex == "male" else "male"
        name = family + chance.choice(_MALE if sex == "male" else _FEMALE)
        born = min(max(spouse.birth_date + timedelta(days=chance.randint(-1500, 1500)), _OLDEST_DAY), _YOUNGEST_DAY)
        phone, address = str(spouse.payload.phone), str(spouse.payload.address)
    if 2 <= number % 40 < 2 + len(_RARE) and number < 40:
        name, sex = _RARE[number - 2]
    if number == 10:
        kind, digits, nation, name, sex = "passport", "DEMO00017", "西班牙", "MARÍA GONZÁLEZ LÓPEZ", "female"
    elif number == 11:
        kind, digits, nation = "hk_mo_tw_resident", _eighteen("810000", born, number, sex), "香港"
    elif number == 14:
        kind, digits, nation, name, sex = "foreign_permanent", "", "德国", "ANNA SCHMIDT", "female"
        digits = _eighteen("990000", born, number, sex)
    digits = digits or _eighteen(_AREA, born, number, sex)
    payload = IdCardPayload(
        name=name, sex=sex, nation=nation, birth_date=born, address=address, id_kind=kind, id_number=digits, phone=phone
    )
    return Person(number, payload, sex, born, _campuses(number))


def _born(chance: Random) -> date:
    """Return a birth date as a hospital's examinees have them: most between twenty-five and sixty, the old in their share."""
    year = chance.choices((1948, 1958, 1966, 1974, 1982, 1989, 1996), (6, 12, 18, 20, 20, 16, 8))[0]
    return date(year, 1, 1) + timedelta(days=chance.randint(-4 * 365, 4 * 365))


def _campuses(number: int) -> tuple[int, ...]:
    if number % 15 == 9:
        return (1, 2)
    return (2,) if number % 3 == 2 else (1,)


def _eighteen(area: str, born: date, number: int, sex: str) -> str:
    # The order number of a day is odd for men.
    order = (number * 2 + (1 if sex == "male" else 0)) % 1_000
    body = f"{area}{born:%Y%m%d}{order:03d}"
    return body + check_digit(body)
