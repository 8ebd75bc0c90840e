"""Under which names items are spoken of in a text, and of which item a figure or a mark in it is told. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from itertools import pairwise

from tjapi.knowledge.characters import simplified
from tjapi.knowledge.words import chinese

# What several items are called together: 「血压正常」 beside a systolic pressure that is not.
_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "血压": ("收缩压", "舒张压"), "bp": ("收缩压", "舒张压"), "血糖": ("葡萄糖", "糖化血红蛋白", "血糖"), "空腹血糖": ("葡萄糖",), "血脂": ("胆固醇", "甘油三酯", "脂蛋白"),
    "肝功能": ("转氨酶", "氨基转移酶", "胆红素", "转肽酶", "谷氨酰", "白蛋白", "前白蛋白", "碱性磷酸酶"), "肝功": ("氨基转移酶", "胆红素", "转肽酶", "谷氨酰"),
    "肾功能": ("肌酐", "尿素", "胱抑素"), "肾功": ("肌酐", "尿素", "胱抑素"), "体重": ("体质指数", "体重指数", "BMI"), "血尿酸": ("尿酸",),
    "血常规": ("白细胞计数", "红细胞计数", "血红蛋白", "血小板", "中性粒细胞", "淋巴细胞"), "尿常规": ("尿蛋白", "尿糖", "尿葡萄糖", "尿潜血", "尿隐血", "尿白细胞", "尿酮体", "尿胆"),
    "血色素": ("血红蛋白",), "血钾": ("钾",), "血钠": ("钠",), "脉搏": ("心率",), "心率": ("脉搏",), "电解质": ("钾", "钠", "氯", "钙"),
    "ldl-c": ("低密度脂蛋白",), "低密度脂蛋白": ("低密度脂蛋白",), "hdl-c": ("高密度脂蛋白",), "高密度脂蛋白": ("高密度脂蛋白",), "gpt": ("丙氨酸氨基转移酶",), "谷丙转氨酶": ("丙氨酸氨基转移酶",),
    "got": ("门冬氨酸氨基转移酶",), "谷草转氨酶": ("门冬氨酸氨基转移酶", "天冬氨酸氨基转移酶"), "谷氨酰转肽酶": ("谷氨酰转移酶", "谷氨酰转肽酶", "谷氨酰基转移酶"), "fpg": ("葡萄糖", "空腹血糖"),
    "肝肾功能": ("氨基转移酶", "胆红素", "谷氨酰", "肌酐", "尿素"), "肝、肾功能": ("氨基转移酶", "胆红素", "谷氨酰", "肌酐", "尿素"), "肝肾功": ("氨基转移酶", "胆红素", "谷氨酰", "肌酐", "尿素"), "尿糖": ("尿葡萄糖",), "尿潜血": ("尿隐血", "尿潜血"), "尿隐血": ("尿潜血",),
    "胆固醇": ("总胆固醇",), "转氨酶": ("氨基转移酶",), "甲功": ("促甲状腺激素", "甲状腺素", "甲状腺原氨酸"), "甲状腺功能": ("促甲状腺激素", "甲状腺素", "甲状腺原氨酸"),
    "糖化": ("糖化血红蛋白",), "psa": ("前列腺特异性抗原",), "尿检": ("尿蛋白", "尿糖", "尿葡萄糖", "尿潜血", "尿隐血", "尿白细胞", "尿红细胞", "尿酮体", "尿胆"),
    "肿瘤标志物": ("甲胎蛋白", "癌胚抗原", "糖类抗原", "特异性抗原", "角蛋白19", "烯醇化酶", "癌抗原", "附睾蛋白"), "视力": ("裸眼视力",), "眼压": ("眼压",), "听力": ("听阈", "听力"),
    "生命体征": ("收缩压", "舒张压", "体温", "脉搏", "呼吸"), "高压": ("收缩压",), "低压": ("舒张压",), "谷丙": ("丙氨酸氨基转移酶",), "谷草": ("门冬氨酸氨基转移酶", "天冬氨酸氨基转移酶"),
    "肝酶": ("氨基转移酶", "谷氨酰"), "体型": ("体质指数", "体重指数"), "射血分数": ("射血分数",), "肾小球滤过率": ("肾小球滤过率",), "隐血": ("尿隐血", "尿潜血", "便隐血", "便潜血"), "潜血": ("尿隐血", "尿潜血", "便隐血", "便潜血"),
    "bld": ("尿隐血", "尿潜血"), "pro": ("尿蛋白",), "表面抗原": ("乙肝表面抗原",), "cr": ("肌酐",), "scr": ("肌酐",), "hb": ("血红蛋白",), "k": ("钾",), "k+": ("钾",), "na": ("钠",), "na+": ("钠",), "cl": ("氯",), "ua": ("尿酸",), "glu": ("葡萄糖",), "fbg": ("葡萄糖",),
    "心电图": ("心电图", "PR间期", "QRS时限", "QT间期"), "胸片": ("胸部正位片",), "胸部ct": ("胸部低剂量CT",), "肺ct": ("胸部低剂量CT",), "骨密度": ("骨密度",),
    **dict.fromkeys(("乙肝五项", "乙肝两对半", "两对半", "乙肝标志物"), ("乙肝表面抗原", "乙肝表面抗体", "乙肝e抗原", "乙肝e抗体", "乙肝核心抗体")),
    "梅毒": ("梅毒螺旋体抗体", "梅毒甲苯胺红试验"), "梅毒抗体": ("梅毒螺旋体抗体",), "hbv-dna": ("乙肝病毒DNA",), "hbvdna": ("乙肝病毒DNA",), "乙肝dna": ("乙肝病毒DNA",), "病毒载量": ("乙肝病毒DNA",), "尿rbc": ("尿红细胞",), "尿wbc": ("尿白细胞",),
    "ca19-9": ("糖类抗原19-9", "糖类抗原199"), "ca125": ("糖类抗原125",), "血钙": ("总钙", "钙"), "血磷": ("无机磷", "磷"), "甲状腺抗体": ("甲状腺过氧化物酶抗体", "甲状腺球蛋白抗体"), "tpo抗体": ("甲状腺过氧化物酶抗体",),
    "血象": ("白细胞计数", "红细胞计数", "血红蛋白", "血小板", "中性粒细胞", "淋巴细胞"), "凝血": ("凝血", "国际标准化比值", "活化部分凝血活酶", "纤维蛋白原"), "血脂四项": ("胆固醇", "甘油三酯", "脂蛋白"), "rf": ("类风湿因子",),
    "幽门螺杆菌": ("呼气试验", "幽门螺杆菌"), "hp": ("呼气试验", "幽门螺杆菌"), "凝血功能": ("凝血", "国际标准化比值", "活化部分凝血活酶", "纤维蛋白原"), "甲状腺b超": ("甲状腺超声",), "甲状腺彩超": ("甲状腺超声",),
}  # fmt: skip


def names_of(items: Collection[tuple[str, str]]) -> set[str]:
    """Return the names under which items, each given by its name and its code, are spoken of: their own, and those of several together."""
    return {spelling for name, code in items for spelling in _spellings(name, code) | _common_names(name)}


@lru_cache(maxsize=8192)
def _own_names(item: str) -> frozenset[str]:
    plain = re.sub(r"[\s(（].*", "", item)
    # 外耳道及鼓膜 is spoken of by either of its parts.
    parts = {part for part in re.split("[及与]", simplified(plain)) if len(part) > 1}
    return frozenset({simplified(plain).lower(), item.lower(), simplified(chinese(item)).lower(), *parts} - {""})


@lru_cache(maxsize=8192)
def _common_names(item: str) -> frozenset[str]:
    return frozenset(
        called
        for called, parts in _ALSO_CALLED.items()
        if any(part == item or (len(part) > 1 and _has(item, part)) for part in parts)
        and (
            called.startswith("尿")
            or called in ("隐血", "潜血", "bld", "pro")
            or called in ("肾功能", "肾功")
            or not item.startswith("尿")
            or item in ("尿素", "尿酸")
        )
    )


_ANOTHERS = re.compile("(?:[非尿]|糖化|网织)$")


def _has(item: str, part: str) -> bool:
    """Say whether an item's name holds a part, and not that of another thing: 非高密度脂蛋白 is no 高密度脂蛋白."""
    at = item.find(part)
    return at >= 0 and (item.startswith("尿") or _ANOTHERS.search(item[:at]) is None)


OF_A_PART = re.compile(
    r"(?:[低高非尿便粪痰肌]|(?<![a-z])[hl]dl-?|维生素|vit|谷草|谷丙|空腹|餐后(?:2小时)?|随机|(?:^|[^目之以餐日])前|微量|游离|结合|直接|间接|糖化|平均|网织|超敏|抗|蛋白)$"
)
"""What makes another item's name of what follows it: 尿白细胞 is not 白细胞, 低血压 no 血压."""
_MOST_OF_A_PART = 3
_LINK = re.compile(
    r"(?:测?值|水平|测量值?)?\s?(?:[升增偏]高|降低|减低|偏低)?\s?(?:[:：=]|[(（](?:[a-z-]{1,8}[)）]\s?[:：]?)?|[,，](?=\s?\d))?\s?"
    r"(?:今日|本次|实测|测得|复测)?\s?[↑↓]?\s?(?:约为|高达|高至|只有|为|是|约|达|仅)?\s?"
)
_AND = re.compile(r"\s?[/、和及与]\s?")
_SLASH = re.compile(r"\s?/\s?")
_SENTENCE = re.compile(r"[^\n。；;！!？?]+")
_STEM = re.compile(r"(?<=..)(?:计数|浓度|含量|测定|超声|触诊|听诊|指诊|诊断|分类|酯酶)$")


class Spoken:
    """The names under which items may be written: their own, without what they are measured by, their codes, what several are called together."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        """Learn the names of items, each given by its name and its code. What is an item's own name is none of several together."""
        own: dict[str, set[str]] = {}
        common: dict[str, set[str]] = {}
        for name, code in set(items):
            for spelling in _spellings(name, code):
                own.setdefault(spelling, set()).add(name)
            for spelling in _common_names(name):
                common.setdefault(spelling, set()).add(name)
        own = common | own
        self._by_first: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for spelling in sorted(own, key=len, reverse=True):
            self._by_first.setdefault(spelling[0], []).append((spelling, frozenset(own[spelling])))

    def beside(self, text: str, what: re.Pattern[str]) -> Iterable[tuple[int, int, frozenset[str]]]:
        """Yield where something stands in a text, and of which items: those whose name ends last before it in its sentence, if any does.

        At a place the longest name counts: 血红蛋白 is no 蛋白. What is part of a name (糖类抗原125) is passed over; what begins with one and goes
        on (心律绝对不齐) is of it.
        """
        plain = _plain(text)
        for sentence in _SENTENCE.finditer(plain):
            names = list(self._names(plain, *sentence.span()))
            place, owners = 0, frozenset[str]()
            for found in what.finditer(plain, *sentence.span()):
                while place < len(names) and names[place][1] <= found.start():
                    owners = names[place][2]
                    place += 1
                if place == len(names) or names[place][0] >= found.end():
                    yield found.start(), found.end(), owners
                elif names[place][0] == found.start() and names[place][1] < found.end():
                    yield found.start(), found.end(), names[place][2]

    def of_name(self, text: str, what: re.Pattern[str]) -> Iterable[tuple[int, int, int, frozenset[str]]]:
        """Yield where something stands immediately beside a name (收缩压：150), with where the name begins, and of which items it may be.

        Beside an enumeration, or what several are called together, it is of any of them, and what follows it after a stroke as well: 血压 150/95.
        """
        plain = _plain(text)
        for sentence in _SENTENCE.finditer(plain):
            names = [
                *self._names(plain, *sentence.span(), glued=True),
                (sentence.end(), sentence.end(), frozenset[str]()),
            ]
            owners, ended, first = frozenset[str](), -1, 0
            for (at, end, own), (following, _, _) in pairwise(names):
                listed = ended >= 0 and _AND.fullmatch(plain, ended, at)
                owners, first = (owners | own, first) if listed else (own, at)
                ended = end
                if OF_A_PART.search(plain[max(at - _MOST_OF_A_PART, sentence.start()) : at]):
                    continue
                link = _LINK.match(plain, end)
                found = what.match(plain, link.end()) if link is not None else None
                found = found or what.match(plain, end)
                while found is not None and found.end() <= following:
                    yield found.start(), found.end(), first, owners
                    stroke = _SLASH.match(plain, found.end()) if len(owners) > 1 else None
                    found = what.match(plain, stroke.end()) if stroke is not None else None

    def said_in(self, text: str, *, glued: bool = False) -> set[str]:
        """Return the items of which a text speaks; `glued`: also where a figure stands at the end of a Latin name."""
        plain = _plain(text)
        return {owner for _, _, owners in self._names(plain, 0, len(plain), glued=glued) for owner in owners}

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return where a text names items."""
        plain = _plain(text)
        return [(at, end) for at, end, _ in self._names(plain, 0, len(plain))]

    def _names(
        self, plain: str, at: int, end: int, *, glued: bool = False
    ) -> Iterable[tuple[int, int, frozenset[str]]]:
        """Yield the names of a sentence; `glued`: a figure may stand at the end of a Latin one (ALT30), unless that makes another name (CA125)."""
        while at < end:
            for name, owners in self._by_first.get(plain[at], ()):
                if plain.startswith(name, at, end) and (
                    stands_alone(plain, at, name) or (glued and is_glued(plain, at, name))
                ):
                    yield at, at + len(name), owners
                    at += len(name)
                    break
            else:
                at += 1


@lru_cache(maxsize=8192)
def _spellings(name: str, code: str) -> frozenset[str]:
    own = _own_names(name)
    return frozenset(own | {_STEM.sub("", one) for one in own} | ({code.lower()} if len(code) > 1 else set()))


def _plain(text: str) -> str:
    """Return a text in which names are sought: in the simplified writing and small letters, every character in its place."""
    simple = simplified(text)
    small = simple.lower()
    return small if len(small) == len(simple) else simple


_SIDED = re.compile("[左右]")


def of_side(owners: Iterable[str], said: str) -> set[str]:
    """Return of the items of which words speak those of the side that the words name: of 眼压左 and 眼压右 that of 左眼眼压."""
    every = set(owners)
    sides = set(_SIDED.findall(said))
    if len(sides) != 1:
        return every
    side = sides.pop()
    return {name for name in every if side in name} or {name for name in every if not _SIDED.search(name)} or every


_LETTER, _LETTER_OR_DIGIT = re.compile("[a-z]"), re.compile("[a-z0-9]")


def stands_alone(plain: str, at: int, name: str) -> bool:
    """Say whether a name at a place is no part of a longer Latin word or number: CA is not in CA125."""
    before, after = plain[at - 1 : at] if at else "", plain[at + len(name) : at + len(name) + 1]
    if name.isascii():
        return not _LETTER_OR_DIGIT.match(before) and not _LETTER_OR_DIGIT.match(after)
    return not any(
        (_LETTER.match(edge) and _LETTER.match(beside)) or (edge.isdecimal() and beside.isdecimal())
        for edge, beside in ((name[0], before), (name[-1], after))
    )


_NAMED_WITH_DIGIT = re.compile(
    r"ca-?(?:125|15-?3|19-?9|242|72-?4|50|27-?29)(?!\.?\d)|[cftr]?[ct][34](?![\d.])|hpv|b-?12|ck-?(?:19|18|7|20)(?!\d)|cyfra|cd\d|il-?\d|ki-?67|he4(?!\d)|igg4(?!\d)|apoa1(?!\d)|hba1|pg[12](?!\d)|pivka|h[12]n[12]|sp[ao]2"
)
"""Latin names that end with a figure of their own, whether or not their item was examined."""


_DECIMAL = re.compile(r"\d{1,3}\.\d")


def is_glued(plain: str, at: int, name: str) -> bool:
    """Say whether a figure stands at the end of a Latin name: ALT30, K+6.8; of one letter only a decimal one does."""
    end = at + len(name)
    return (
        name.isascii()
        and name.rstrip("+").isalpha()
        and plain[end : end + 1].isdecimal()
        and (len(name) > 1 or _DECIMAL.match(plain, end) is not None)
        and not (at and _LETTER_OR_DIGIT.match(plain[at - 1]))
        and not _NAMED_WITH_DIGIT.match(plain, at)
    )


@lru_cache(maxsize=64)
def spoken_of(items: frozenset[tuple[str, str]]) -> Spoken:
    """Return the names of items, each given by its name and its code: many texts are asked about the same ones."""
    return Spoken(items)
