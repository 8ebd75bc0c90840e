"""What was found, in the words of whoever reads the report: no notation of rules, nothing said twice, Chinese punctuation. Pure.

The exact reason, for doctors, is `Clause.words`; what is told here is made of the same clauses.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from uuid import UUID

from tjapi.knowledge.rules import Clause, Known

_MOST_TOLD = 80
"""Of a description so many characters are told at most beside a finding; the whole of it stands among the results."""

# --- units ---

_POWER = re.compile(r"^(?:[×x]\s*)?10(?:(?:[*^]|\*\*|E)0?)?(?P<power>[1-9]\d?|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)(?=/)")
_NOUGHTS = re.compile(r"^(?:[×x]\s*)?1(?P<noughts>0{2,9})(?=/)")
_SQUARE = re.compile(r"(?<![A-Za-z])([munpckd]?m)\^?([23])(?![\d.])")
_MICRO = re.compile(r"^[uµ](?=(?:mol|g|IU|L|m|kat)\b)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PRINTED = {"mm[Hg]": "mmHg", "Cel": "℃", "1": "", "/min": "次/分", "[iU]/L": "IU/L", "[pH]": ""}


def printed_unit(unit: str) -> str:
    """Return a unit as a laboratory prints it, whether it came in UCUM or as somebody typed it: `10*9/L` → `×10⁹/L`, `umol/L` → `μmol/L`."""
    known = _PRINTED.get(unit)
    if known is not None:
        return known
    text = _NOUGHTS.sub(lambda found: f"×10{str(len(found['noughts'])).translate(_RAISED)}", unit)
    text = _POWER.sub(lambda found: f"×10{found['power'].translate(_RAISED)}", text)
    text = _SQUARE.sub(lambda found: found[1] + found[2].translate(_RAISED), text)
    return _MICRO.sub("μ", text)


# --- punctuation ---

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\u3007℃‰"
_MARKS = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_BESIDE_HAN = re.compile(rf"(?<=[{_HAN}）”]) ?([,;:?!]) ?|([,;:?!]) ?(?=[{_HAN}（“])")
_STOP = re.compile(rf"(?<=[{_HAN}）”])\.(?![\w.])")
_BRACKETS = re.compile(r" ?\(([^()\n]*)\) ?")
_HAN_ONE = re.compile(f"[{_HAN}]")


def chinese(text: str) -> str:
    """Return a text with Chinese punctuation wherever a mark stands beside a Chinese character; figures, ratios and codes stay as they are."""
    plain = _BESIDE_HAN.sub(lambda found: _MARKS[found[1] or found[2]], text)
    plain = _STOP.sub("。", plain)

    def widened(found: re.Match[str]) -> str:
        before = plain[max(found.start() - 1, 0) : found.start()]
        return f"（{found[1]}）" if _HAN_ONE.search(found[1]) or _HAN_ONE.match(before) else found[0]

    return _BRACKETS.sub(widened, plain)


# --- lists ---

_LIST_NUMBER = re.compile(r"^[ \t\u3000]*\d{1,2}[ \t\u3000]*(?:[、)）]|[.．](?!\d))[ \t\u3000]*(?=\S)", re.MULTILINE)
"""The number of a line of a list: one or two digits and 、 or ) or a full stop that no digit follows. 7.2 mmol/L has none."""


def after_list_number(line: str) -> str | None:
    """Return what a line of a list says after its number; None of a line that bears none."""
    found = _LIST_NUMBER.match(line)
    return line[found.end() :] if found is not None else None


def without_list_numbers(text: str) -> str:
    """Return a text without the numbers of its lists, which are no figures of anybody's: 1. 血压升高."""
    return _LIST_NUMBER.sub("", text)


# --- reasons ---


def told(clauses: Iterable[Clause]) -> str:
    """Return why something was found: 空腹血糖 7.3 mmol/L，高于参考范围 3.9–6.1；尿蛋白 2+，参考值为阴性. Each value is said once."""
    by_value: dict[object, list[Clause]] = {}
    for clause in clauses:
        if clause.known is not None:
            by_value.setdefault(clause.known.result_id or clause.known.item_code, []).append(clause)
    return "；".join(dict.fromkeys(_of_value(own) for own in by_value.values()))


def finding_line(name: str, clauses: Iterable[Clause]) -> str:
    """Return what a department's summary says of a finding: its name, and why."""
    why = told(clauses)
    return f"{name}：{why}" if why else name


def valued(known: Known) -> str:
    """Return a value as a sentence part: with its unit, and how it lies to the range it was judged by."""
    if known.numeric is None:
        return _joined(f"{known.item_name} {_short(chinese(known.text))}", _usual(known))
    unit = printed_unit(known.unit or "")
    return _joined(f"{known.item_name} {known.text}{f' {unit}' if unit else ''}", _beside_range(known))


def _of_value(clauses: Sequence[Clause]) -> str:
    known = clauses[0].known
    assert known is not None
    excerpts = _excerpts(known.text, [word for clause in clauses for word in clause.found])
    value = f"{known.item_name}：{excerpts}" if excerpts else valued(known)
    return _joined(value, *(clause.note for clause in clauses))


def _joined(*parts: str) -> str:
    return "，".join(dict.fromkeys(part for part in parts if part))


_SIDES: Mapping[str, str] = {"H": "高", "HH": "高", "L": "低", "LL": "低"}


def _beside_range(known: Known) -> str:
    """Say on which side of its range a number lies; nothing of one that is within, or that nobody could judge."""
    side = _SIDES.get(known.flag or "")
    if side is None:
        return "不在参考范围" if known.flag == "A" else ""
    critical = "，属危急值" if known.flag in ("HH", "LL") else ""
    low, high = known.bounds
    if low is not None and high is not None:
        return f"{side}于参考范围 {low}–{high}{critical}"
    bound = high if side == "高" else low
    if bound is not None:
        return f"{side}于参考{'上' if side == '高' else '下'}限 {bound}{critical}"
    return (f"{side}于参考范围 {chinese(known.usual)}" if known.usual else f"偏{side}") + critical


_OF_A_LABORATORY = re.compile(r"阴性|阳性|\d|^[-–—±+]")


def _usual(known: Known) -> str:
    """Return what is usual, where a laboratory would say so: 尿蛋白 2+，参考值为阴性. That 无 or 正常 would be usual everybody knows."""
    said = known.flag == "A" and known.usual and _OF_A_LABORATORY.search(known.usual)
    return f"参考值为{chinese(known.usual)}" if said else ""


def _excerpts(text: str, words: Collection[str]) -> str:
    """Return the parts of a description in which words were found, as they stand there."""
    if not words:
        return ""
    said = []
    for sentence in re.split(r"[。;；\n]", text):
        if any(word in sentence for word in words):
            parts = re.split("[,，]", sentence)
            held = [i for i, part in enumerate(parts) if any(word in part for word in words)]
            # What is said before and after belongs to it: where it is, how large, whether its edge is clear.
            said.append(
                sentence if len(sentence) <= _MOST_TOLD else "，".join(parts[max(held[0] - 1, 0) : held[-1] + 2])
            )
    return _short(chinese("；".join(part.strip(" ,，.") for part in said)))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}…"


# --- that nothing was found ---


Judgement = Literal["abnormal", "open", "described", "normal", "unasked"]
"""What became of a value: flagged; open (should have been judged, and was not); a description that nobody judged; normal; or nobody asks."""


def judgement(flag: str | None, *, undetermined: bool, described: bool) -> Judgement:
    """Return what became of a value. A description that is not exactly a normal text is *not judged*: never normal for being a text."""
    if flag:
        return "abnormal"
    if undetermined:
        return "open"
    if described:
        return "described"
    return "normal" if flag is not None else "unasked"


def is_unjudged_text(kind: str, flag: str | None, text: str) -> bool:
    """Say whether a value is a description that nobody judged: no normal text, no person said what it is, and more than 未见异常."""
    said = list(_sentences(text))
    return (
        kind == "text"
        and flag is None
        and bool(text.strip())
        and not (said and all(_calls_normal(one, department=False) for one in said))
    )


def judgement_of(known: Known) -> Judgement:
    """Return what became of a value as rules see it."""
    return judgement(known.flag, undetermined=known.undetermined, described=known.described)


def forbids_calm(judgements: Collection[Judgement]) -> bool:
    """Say whether something speaks against calling everything normal, whoever does: a flag, a value that is open, a description nobody judged."""
    return bool({"abnormal", "open", "described"} & set(judgements))


def all_judged_normal(judgements: Collection[Judgement]) -> bool:
    """Say whether everything is judged, and normal: the one condition under which the machine says so, in any sentence, figure or page."""
    return "normal" in judgements and not forbids_calm(judgements)


_SOME_ABNORMAL, _SOME_OPEN, _ALL_OPEN = (
    "有异常结果，见各项结果",
    "已判定的项目未见明显异常，另有项目未判定",
    "各项结果未判定",
)
_NORMAL, _DESCRIBED, _OPEN_DESCRIBED = "所检项目未见明显异常", "所见见各项描述", "有项目未判定，所见见各项描述"
_NOTHING = "未检查任何项目"
NOTHING_FOUND = (_SOME_ABNORMAL, _SOME_OPEN, _ALL_OPEN, _NORMAL, _DESCRIBED, _OPEN_DESCRIBED, _NOTHING)


def sentence_of(judgements: Collection[Judgement]) -> str:
    """Return what may be said of values beside which no finding stands: normal only where something was judged and all of it was normal."""
    if all_judged_normal(judgements):
        return _NORMAL
    if not judgements:
        return _NOTHING
    if "abnormal" in judgements:
        return _SOME_ABNORMAL
    if "described" in judgements:
        return _OPEN_DESCRIBED if "open" in judgements else _DESCRIBED
    if "open" in judgements:
        return _SOME_OPEN if "normal" in judgements else _ALL_OPEN
    return _DESCRIBED


def nothing_found(values: Collection[Known]) -> str:
    """Return what may be said of values as rules see them."""
    return sentence_of([judgement_of(known) for known in values])


# --- that everything is called normal ---

_TRADITIONAL = "見異檢體發現無顯項結論圍範內陽徵壓問題標準態驗參與狀況顆員總屬關於腫瘤癥診斷癥醫學數據臟腎腦個別應專調聲圖電線鏡讀寫後復對當從衆眾僅為爲優質過這們來時間說請繼續維護細統紅鉀鈉鈣鐵鋅膽單離"  # fmt: skip
_SIMPLIFIED = "见异检体发现无显项结论围范内阳征压问题标准态验参与状况颗员总属关于肿瘤症诊断症医学数据脏肾脑个别应专调声图电线镜读写后复对当从众众仅为为优质过这们来时间说请继续维护细统红钾钠钙铁锌胆单离"  # fmt: skip
_SIMPLE = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
_WHOLE = (
    "本次|此次|这次|本年度|今年|年度|健康(?=体检|检查|状况|状态|情况)|体格检查|体检|查体|检查|检验|化验|身体|全身|总体|整体|各系统|各脏器|各器官|各科室|各科|受检者|受检|"
    "本人|您|的|所有|全部|各项|各指标|各|项目|所检|所查|所测|内容|指标|结果|数据|情况|状况|状态|常规|以上|上述|上列|结论|小结|综述|总结|意见|印象|诊断|提示|显示|示|为|报告|项|"
    "经|后|目前|暂时|暂|尚|今|均|都|全都|全|皆|俱|挺|蛮|并|基本上|基本|大致|大体|一切|完全|非常|十分|很|较|总的来说|看来|在|内外科|:|是|\\d+(?=项)"
)
_NONE_OF = "未能?(?:见到?|发现|查见|查出|检出|及|触及|闻及|提示|有)|没有?(?:见到?|发现|查出)?|不见|暂?无|查无"
_PREDICATE = (
    rf"(?:{_NONE_OF})(?:明显|明确|任何|显著|特殊|严重|重大|重要|啥|什么|大|器质性|临床意义的?|有临床意义的?|可疑|的|其他|其它|有)*"
    r"(?:异常|问题|病变|疾病|病理|不适|阳性|毛病|大?碍|不正常)(?:发现|情况|改变|表现|所见|体征|征象|结果|指标|变化|之处|项目|的?地方)*"
    r"|(?:在|于)?(?:参考|正常|合格)(?:值|参考)?(?:区间|范围|水平)(?:之?内|以内)?|正常|良好|好|健康|合格|达标|无殊|无特殊|阴性|(?<=[全均都皆])阴|\(-\)|ok|符合(?:健康|正常|入职|上岗|从业|录用|录取|招聘|公务员|教师|入学|征兵|岗位|体检)*(?:标准|要求|条件)|没事"
)
_TAIL = r"(?:状态|水平|范围内?|的|了|哦|啊|请(?:您)?(?:放心|保持|继续保持)|继续保持|无需担心|勿虑)*"
_AGAIN = r"(?:恢复|降低?|下降|回落|回)(?:到|至|了)?正常(?:值|参考)?(?:区间|范围|水平)?(?:之?内|以内)?"
_CALM = re.compile(
    rf"(?:(?:{_WHOLE})*+(?:{_PREDICATE}))+?{_TAIL}"
    rf"|(?=.*(?:均|都|皆|全|各|一切|所有|指标|结果|项目|检查|身体))(?:{_WHOLE})++(?:已经?|现已)?(?:均|都|全部)?{_AGAIN}{_TAIL}"
)
_RIGHT_AGAIN = re.compile(
    r"(?:现|目前|均|都|也|已经?|基本|完全|逐渐)*"
    rf"(?:控制(?:得|情况|尚|还|较|很|比较|非常|基本)*(?:可以?|佳|理想|满意|平稳|稳定|良好|好|达标|正常)|{_AGAIN}){_TAIL}"
)
"""What is said of one thing that was not normal: 控制可, 已恢复正常."""
_DEPARTMENT = re.compile(r"[\u4e00-\u9fff]{1,8}?(?:(?:科|室|门诊)|检查(?=:))")
_REST = re.compile(r"(?:除(?:此|上述|以上)(?:之?外|以外)?|其余|其他|其它|余者?|另外|剩余)+")
_ENGLISH = re.compile(
    r"(?:(?:all|everything|every|the|your|overall|results?|examination|exam|findings?|tests?|values?|items?|health|check|up|checkup|is|are|was|were|looks?|of|"
    r"this|other|within|in|medical|physical|completely|essentially|basically|generally|grossly|and|an?)\s+)*+"
    r"(?:normal(?:\s+(?:limits?|range|results?|findings?|examination|exam))*|unremarkable|healthy|good|fine|nad|wnl|"
    r"(?:no|nothing|without|not?\s+any|nil)\s+(?:(?:obvious|acute|significant|remarkable|major|other|clear|apparent|particular|specific|any|positive|out|of|the)\s+)*+"
    r"(?:abnormal(?:ity|ities)?|abnormal\s+findings?|ordinary|problems?|issues?|findings?|signs?|remarkable)"
    r"(?:\s+(?:was|were|is|are|been|has|have|found|detected|seen|noted|identified|observed|findings?|results?|signs?))*)"
)
_MOST_SAID = 60
# What several items are called together: 「血压正常」 beside a systolic pressure that is not.
_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "血压": ("收缩压", "舒张压"), "bp": ("收缩压", "舒张压"), "血糖": ("葡萄糖", "糖化血红蛋白", "血糖"), "空腹血糖": ("葡萄糖",), "血脂": ("胆固醇", "甘油三酯", "脂蛋白"),
    "肝功能": ("转氨酶", "氨基转移酶", "胆红素", "转肽酶", "谷氨酰", "白蛋白", "碱性磷酸酶"), "肝功": ("氨基转移酶", "胆红素", "转肽酶", "谷氨酰"),
    "肾功能": ("肌酐", "尿素", "胱抑素"), "肾功": ("肌酐", "尿素", "胱抑素"), "体重": ("体质指数", "体重指数", "BMI"), "血尿酸": ("尿酸",),
    "血常规": ("白细胞计数", "红细胞计数", "血红蛋白", "血小板", "中性粒细胞", "淋巴细胞"), "尿常规": ("尿蛋白", "尿糖", "尿潜血", "尿隐血", "尿白细胞", "尿酮体", "尿胆"),
    "血色素": ("血红蛋白",), "血钾": ("钾",), "血钠": ("钠",), "血钙": ("钙",), "脉搏": ("心率",), "心率": ("脉搏",), "电解质": ("钾", "钠", "氯", "钙"),
}  # fmt: skip


def says_all_normal(text: str, *, department: bool = False, flagged: Collection[str] = ()) -> bool:
    """Say whether any sentence of a text calls everything normal, in Chinese of either writing or in English: 未见异常, 一切正常, 身体健康, All normal.

    `department`: a department's name stands for the whole (内科：未见异常). `flagged` are the names of items that are not normal: a sentence
    that calls one of these normal does so as well (血压正常). 「余未见异常」 may stand beside what is named, and only there; a sentence about
    another thing (心肺未见异常) is none.
    """
    calm = rest = False
    named = False
    for said in _sentences(text):
        if _calls_normal(said, department=department) or _calls_these_normal(said, flagged):
            calm = True
        elif (others := _REST.match(said)) is not None and _calls_normal(said[others.end() :], department=False):
            rest = True
        elif _HAN_ONE.search(said) or re.search("[a-z]", said):
            named = True
    return calm or (rest and not named)


_NUMBERING = re.compile(r"^\s*[\d①-⑳一二三四五六七八九十]*\s*[、)）:：]?\s*")


def _sentences(text: str) -> Iterable[str]:
    for part in re.split(r"[\n。;；.,，!！?？|/]", text.translate(_SIMPLE).lower()):
        said = _NUMBERING.sub("", part) if re.match(r"\s*(?:[\d①-⑳]|[一二三四五六七八九十]+、)", part) else part
        said = said.replace("：", ":").strip(" \t\u3000:()（）【】[]“”\"'*-—·「」『』")
        if said:
            yield said


def _calls_normal(said: str, *, department: bool) -> bool:
    if len(said) > _MOST_SAID:
        return False
    if not _HAN_ONE.search(said):
        return _ENGLISH.fullmatch(re.sub(r"[\s\-:]+", " ", said).strip()) is not None
    plain = re.sub(r"[\s\u3000]", "", said)
    if department and (own := _DEPARTMENT.match(plain)) is not None:
        plain = plain[own.end() :].lstrip(":")
    return _is_calm(plain)


def _is_calm(plain: str) -> bool:
    return bool(plain) and _CALM.fullmatch(plain) is not None


def _is_right(plain: str) -> bool:
    return _is_calm(plain) or _RIGHT_AGAIN.fullmatch(plain) is not None


def _calls_these_normal(said: str, flagged: Collection[str]) -> bool:
    """Say whether a sentence calls one of these items normal, by its name or by what several are called together."""
    plain = re.sub(r"[\s\u3000]", "", said)
    if len(plain) > _MOST_SAID:
        return False
    for name in names_of(flagged):
        at = plain.find(name)
        if at < 0 or (at and plain[at - 1] in "低高非"):
            continue
        rest = plain[at + len(name) :]
        if any(_is_right(rest[start:]) and _only_names(rest[:start]) for start in range(len(rest))):
            return True
    return False


def _only_names(between: str) -> bool:
    """Say whether what stands between a name and 正常 are other names of an enumeration, and nothing that is said of the first."""
    if not between:
        return True
    names = re.split("[、和及与:]", between)
    return names[0] in ("", "值", "水平", "测量", "检查", "检测", "控制") and not re.search(
        "[高低升降增减异阳]", between
    )


def names_of(items: Collection[str]) -> set[str]:
    """Return the names under which items are spoken of: their own, and those of several together."""
    return {name for item in items for name in _own_names(item) | _common_names(item)}


@lru_cache(maxsize=8192)
def _own_names(item: str) -> frozenset[str]:
    plain = re.sub(r"[\s(（].*", "", item)
    return frozenset({plain.translate(_SIMPLE).lower(), item.lower(), chinese(item).translate(_SIMPLE).lower()} - {""})


@lru_cache(maxsize=8192)
def _common_names(item: str) -> frozenset[str]:
    return frozenset(
        called
        for called, parts in _ALSO_CALLED.items()
        if any(part == item or (len(part) > 1 and part in item) for part in parts)
    )


# --- whose figure, whose mark ---

_SENTENCE = re.compile(r"[^\n。；;！!？?]+")
_STEM = re.compile(r"(?<=..)(?:计数|浓度|含量|测定|超声|触诊|指诊|诊断)$")


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

        At a place the longest name counts: 血红蛋白 is no 蛋白. What is part of a name (糖类抗原125) is passed over.
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

    def said_in(self, text: str) -> set[str]:
        """Return the items of which a text speaks."""
        plain = _plain(text)
        return {owner for _, _, owners in self._names(plain, 0, len(plain)) for owner in owners}

    def _names(self, plain: str, at: int, end: int) -> Iterable[tuple[int, int, frozenset[str]]]:
        while at < end:
            for name, owners in self._by_first.get(plain[at], ()):
                if plain.startswith(name, at, end) and _stands_alone(plain, at, name):
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
    simple = text.translate(_SIMPLE)
    small = simple.lower()
    return small if len(small) == len(simple) else simple


_LETTER, _LETTER_OR_DIGIT = re.compile("[a-z]"), re.compile("[a-z0-9]")


def _stands_alone(plain: str, at: int, name: str) -> bool:
    """Say whether a name at a place is no part of a longer Latin word or number: CA is not in CA125."""
    before, after = plain[at - 1 : at] if at else "", plain[at + len(name) : at + len(name) + 1]
    if name.isascii():
        return not _LETTER_OR_DIGIT.match(before) and not _LETTER_OR_DIGIT.match(after)
    return not any(
        (_LETTER.match(edge) and _LETTER.match(beside)) or (edge.isdecimal() and beside.isdecimal())
        for edge, beside in ((name[0], before), (name[-1], after))
    )


# --- figures that nobody says any more ---

_FIGURE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.]*\d)")
_BOUND_AFTER = re.compile(r"(?:[–~～—≥≤<＜＞-]|(?<!-)>|参考(?:值|范围|区间)?|[上下]限)[:：为]?\s?$")
_BOUND_BEFORE = re.compile(r"\s?(?:[–~～—-]\s?\d|以[上下内])")
_IN_TIME = re.compile(r"\s?(?:个半?月|月|年|周|天|日|个?小时|分钟|岁)")
"""What a figure that counts time is followed by: 3 个月后复查."""
_MOST_BEFORE = 8
"""So many characters before a figure at most say that it is a bound: 参考范围为 90."""


def outdated_figures(text: str, was: Iterable[Known], now: Mapping[UUID | None, Known]) -> set[str]:
    """Return the figures of a text that results said when it was written and that nothing says now of which the text tells them.

    `was` are the values that it was written on, `now` the current ones by result. A figure is told of the items whose name stands last
    before it in its sentence: one of these must say it now, or have it as a bound and stand there as one. Where no name stands before it, any
    current number or bound will do. An old figure beside the new one of the same result (由 25.0 降至 5.0) tells of a change, and is none.
    """
    return _outdated(text, was, now, lambda *_: True)


def _outdated(
    text: str, was: Iterable[Known], now: Mapping[UUID | None, Known], means: Callable[[Known, AbstractSet[str]], bool]
) -> set[str]:
    """Return outdated figures; `means` says of a value and the items of which a text speaks whether the figure may be that value's."""
    text = without_list_numbers(text)
    told = {Decimal(one) for one in _FIGURE.findall(text)}
    changed = [old for old in was if old.numeric in told and not _still(old, now.get(old.result_id))]
    if not changed:
        return set()
    spoken = Spoken((known.item_name, known.item_code) for known in (*changed, *now.values()))
    says, bounds = _numbers_of(now.values())
    every, named = set[Decimal]().union(*says.values(), *bounds.values()), spoken.said_in(text)
    told_of: dict[Decimal, list[frozenset[str]]] = {}
    held: set[Decimal] = set()
    for start, end, owners in spoken.beside(text, _FIGURE):
        figure = Decimal(text[start:end])
        told_of.setdefault(figure, []).append(owners)
        if owners:
            stands = any(figure in says[name] for name in owners) or (
                any(figure in bounds[name] for name in owners) and _is_bound(text, start, end)
            )
        else:
            stands = figure in every
        if not stands and not _IN_TIME.match(text, end):
            held.add(figure)

    def beside_new(new: Known | None) -> bool:
        """Say whether the new figure is told as well, of its own item or of none that says it itself: 收缩压/舒张压由 170/95 降至 118/76."""
        return (
            new is not None
            and new.numeric is not None
            and any(
                new.item_name in owners or not any(new.numeric in says[name] for name in owners)
                for owners in told_of.get(new.numeric, ())
            )
        )

    return {
        old.text
        for old in changed
        if old.numeric in held and means(old, named) and not beside_new(now.get(old.result_id))
    }


def _still(old: Known, current: Known | None) -> bool:
    return current is not None and current.same == old.same


def _numbers_of(values: Iterable[Known]) -> tuple[Mapping[str, set[Decimal]], Mapping[str, set[Decimal]]]:
    """Return what items say now, by their names: their numbers, or those in their descriptions; and their bounds."""
    says: defaultdict[str, set[Decimal]] = defaultdict(set)
    bounds: defaultdict[str, set[Decimal]] = defaultdict(set)
    for known in values:
        figures = _FIGURE.findall(known.text) if known.numeric is None else ()
        says[known.item_name] |= {Decimal(one) for one in figures} if known.numeric is None else {known.numeric}
        bounds[known.item_name] |= {Decimal(b) for b in known.bounds if b is not None and _FIGURE.fullmatch(b)}
    return says, bounds


def _is_bound(text: str, start: int, end: int) -> bool:
    return bool(_BOUND_AFTER.search(text[max(start - _MOST_BEFORE, 0) : start]) or _BOUND_BEFORE.match(text, end))


_THREE_DIGITS = 100


def stray_figures(
    text: str, earlier: Iterable[Known], now: Mapping[UUID | None, Known], own: Collection[str] = ()
) -> set[str]:
    """Return the figures of a text that any earlier value of the exam said and no current one says, whatever the text is linked to.

    Only those that are unmistakably a result's: with a decimal part, of three digits, or where the item is named. `own` are texts whose
    figures are nobody's results: what the knowledge base advises (血压控制在 140/90 以下).
    """
    free = {Decimal(one) for words in own for one in _FIGURE.findall(words)}
    meant = [old for old in earlier if old.numeric is not None and old.numeric not in free]
    return _outdated(text, meant, now, lambda old, named: _is_precise(old) or old.item_name in named)


def _is_precise(known: Known) -> bool:
    number = known.numeric or Decimal()
    return abs(number) >= _THREE_DIGITS or number != number.to_integral_value()
