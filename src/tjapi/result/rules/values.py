"""Reading a value: what was said, as it compares, and as a number where it is one. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

from tjapi.knowledge.characters import simplified
from tjapi.result.rules.retractions import not_excluded, put_in_place, takes_away

Comparator = Literal["", "<", "<=", ">", ">="]

# Full-width and small ASCII forms and the ideographic blank become plain. Not NFKC: it makes 109 of 10⁹, which is guessing.
_SMALL_FORMS = {
    0xFE50: ",", 0xFE52: ".", 0xFE54: ";", 0xFE55: ":", 0xFE59: "(", 0xFE5A: ")", 0xFE5F: "#", 0xFE60: "&", 0xFE61: "*", 0xFE62: "+",
    0xFE63: "-", 0xFE64: "<", 0xFE65: ">", 0xFE66: "=", 0xFE6A: "%",
}  # fmt: skip
_PLAIN: Mapping[int, str | int] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | _SMALL_FORMS | {
    0x3000: 0x20, 0x00A0: 0x20, 0x2212: ord("-"), 0x2266: ord("≤"), 0x2267: ord("≥"),
}  # fmt: skip
_DIGITS = r"\d{1,12}(?:\.\d{1,30})?|\.\d{1,30}"
# No plus sign: "+1" is a grade, as is "1+".
_NUMBER = re.compile(rf"(<=|>=|<|>|≤|≥)?\s*(-?(?:{_DIGITS}))", re.ASCII)
# Of a comparator that came escaped, or in words.
ENTITIES = {"&gt;": ">", "&lt;": "<", "&ge;": "≥", "&le;": "≤"}
SAYINGS = (("大于等于", ">="), ("小于等于", "<="), ("大于", ">"), ("小于", "<"))
_COMPARATORS: Mapping[str, Comparator] = {"": "", "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
_UNIT_SPELLINGS = str.maketrans(
    {"µ": "u", "μ": "u", "*": "^", "×": "x", "·": "."} | {d: f"^{i}" for i, d in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was said (`raw`), as it compares (`text`: plain widths, single blanks), and as a number where it is one."""

    raw: str
    text: str
    comparator: Comparator = ""
    numeric: Decimal | None = None

    @property
    def same(self) -> str:
        """A text that is equal for equal values: "5.0" and "5.00", "(-)" and 阴性."""
        if self.numeric is None:
            return finding(self.text)
        return f"{self.comparator}{self.numeric.normalize():f}"


def parse(raw: str) -> Value:
    """Read a value in its strict form: "<0.01" and "＞１０００" are numbers with a comparator; "1:320", "±", "+1", "3~5", "1,234" are text.

    What an item of a kind makes of other spellings is said by `rules.reading`.
    """
    text = plain(raw)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return Value(raw, text)
    return Value(raw, text, _COMPARATORS[found[1] or ""], Decimal(found[2]))


def plain(raw: str) -> str:
    """Return a text in plain widths with single blanks, so that equal texts are equal."""
    return " ".join(raw.translate(_PLAIN).split())


# A finding in its parts. Grades stay apart from 阳性, and 弱阳性 from ±: whether they are the same is the method's business.
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
_LONG_DASHES = frozenset("–—―")
_PARTS = re.compile(
    r"(?P<weak>弱阳性|弱阳|weaklypositive|weakpositive)"
    r"|(?P<negative>阴性|阴|未检出|非反应性|negative|neg|non-?reactive)"
    r"|(?P<positive>阳性|反应性|positive|pos|reactive)"
    r"|(?P<doubtful>±|\+/-|\+-)"
    r"|(?P<grade>[1-4]\+(?!\+)|\+[1-4](?![\d.])|\+{1,4}(?![\d.+]))"
    r"|(?P<minus>-(?![-\d.]))"
    r"|(?P<number>(?:<=|>=|[<>≤≥])?\d{1,12}(?:\.\d{1,30})?)"
    r"|(?P<between>[()\[\]:,、/]|\.(?!\d))",
    re.ASCII,
)


def finding_words(text: str) -> str | None:
    """Return the one spelling of a qualitative finding, read part by part; None where it is none, or where its parts disagree.

    "阴性(-)", "NEG.", "-(阴性)" are 阴性; "阳性(++)" is 2+; "阴性(<0.05)" is 阴性, its number being the measurement behind the word;
    "0.05", "非阳性", "----" and "阴性(+)" are none. So are a long dash by itself, which tables hold where nothing was done, a minus behind a
    number ("2-"), and a titre beside 阴性, unless it is said to be below it ("阴性(<1:10)"). Grades: 1+ … 4+.
    """
    said = plain(text).replace(" ", "").lower().rstrip("。.;,")
    if said in _LONG_DASHES:
        return None
    said = said.translate(DASHES)
    # Only what is short is worth remembering: a stranger's texts are not kept.
    return _words(said) if said and len(said) <= _LONGEST_FINDING else None


@lru_cache(maxsize=4_096)
def _words(said: str) -> str | None:
    kinds: dict[str, str] = {}
    at, before = 0, ""
    while at < len(said):
        part = _PARTS.match(said, at)
        if part is None:
            return None
        kind, word = str(part.lastgroup), part[0]
        if (before, kind) == ("number", "minus"):
            return None
        before = kind
        if kind in ("number", "between"):
            at = part.end()
            continue
        if kinds.setdefault(kind, word) != word and kind == "grade" and _grade(kinds[kind]) != _grade(word):
            return None
        at = part.end()
    meaning = _MEANINGS.get(frozenset(kinds))
    if meaning == "阴性" and _TITRE.search(said):
        return None
    return _grade(kinds["grade"]) if meaning == _BY_GRADE else meaning


_LONGEST_FINDING = 40
_TITRE = re.compile(r"(?<![<≤\d.])(?<!<=)\d{1,6}:\d", re.ASCII)


def _grade(word: str) -> str:
    number = word.strip("+")
    return f"{number or len(word)}+"


_BY_GRADE = "n+"
# What a set of parts means together; a set that is not here is contradictory or says nothing.
_MEANINGS: Mapping[frozenset[str], str] = {
    frozenset({"negative"}): "阴性", frozenset({"minus"}): "阴性", frozenset({"negative", "minus"}): "阴性", frozenset({"doubtful"}): "±",
    frozenset({"weak"}): "弱阳性", frozenset({"weak", "doubtful"}): "弱阳性", frozenset({"positive"}): "阳性", frozenset({"grade"}): _BY_GRADE,
    frozenset({"positive", "grade"}): _BY_GRADE,
}  # fmt: skip


Sense = Literal["negative", "positive", "doubtful"]


def sense(text: str) -> Sense | None:
    """Say on which side a finding stands; None for what is none, and for one that contradicts itself."""
    said = finding_words(text)
    if said is None:
        return None
    return _SENSES.get(said, "positive")


def agree(one: str, other: str) -> bool:
    """Say whether two findings may be said of one thing: what is weakly positive is in doubt to others, and grades are one."""
    said = {finding(one), finding(other)}
    senses = {sense(one), sense(other)}
    if senses == {"positive"}:
        return len({word for word in said if word.endswith("+")}) < 2  # noqa: PLR2004 - two grades
    return len(senses) == 1 or said == {"弱阳性", "±"}


# Of a word that is no finding: what takes back whatever stands beside it, and what says the opposite of 阴性.
_TAKES_BACK = re.compile(
    r"无效|灰区|可疑|疑似|不确定|待[定复查测检]|重[测检做查]|复[检测]|失败|错误|溶血|脂血|乳糜|标本.{0,3}凝|凝块|污染|干扰|不合格|量不足|无法|不能|未[做测]|未检(?!出|测到)"
    r"|拒[收检做]|invalid|indeterminate|inconclusive|equivocal|doubtful|suspect|gr[ae]y|borderline|error|fail|retest|repeat|unable|cannot"
    r"|not(?:done|performed|tested)|insufficient|ha?emoly|clot|contaminat"
)
_NEGATED = re.compile(r"(?:not|non|un)-?(?:detected|reactive|positive)|(?:非|无|未见|未检出)阳性?")
_OPPOSITE = re.compile(r"阳性|弱阳|positive|reactive|detected")


def takes_back(word: str, other: str) -> bool:
    """Say whether other words beside a word take it back, or say the opposite: 检测无效, 灰区, 疑似阳性 beside 阴性, a titre beside 阴性."""
    said = plain(simplified(other)).replace(" ", "").lower()
    if _TAKES_BACK.search(said) or voids(other) or amended((word,), other):
        return True
    calm = sense(word) == "negative" or plain(word)[:1] in ("未", "无")
    return calm and (_OPPOSITE.search(_NEGATED.sub("", said)) is not None or _TITRE.search(said) is not None)


_FOOTER = re.compile(
    r"[如若]|原|请(?:及时)?(?:联系|与|来电|致电|咨询)|复印|复制|涂改|转载|盖章|签[字名]|^(?:if|not)|未见|[非无]误"
)
_MOST_NOTED = 2_000
_IN_A_WORD = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")


def noted_clauses(note: str, marks: str) -> list[str]:
    """Return the clauses of words beside a value, apart at these marks and at line ends, and once more over blanks and line ends within words."""
    return [plain(clause).lower() for form in _forms(note) for clause in re.split(rf"[{marks}\n]", form)]


def _forms(note: str) -> Collection[str]:
    """Return a note as it is, and without blanks and line ends within words."""
    said = simplified(note[:_MOST_NOTED])
    return dict.fromkeys((said, _IN_A_WORD.sub("", said)))


def together(notes: Sequence[str]) -> tuple[str, ...]:
    """Return notes one by one, and as one text: who writes one in several lines sends it in several."""
    return (*notes, "\n".join(notes)) if len(notes) > 1 else tuple(notes)


def voids(note: str) -> bool:
    """Say whether words beside a value take it back: 检测无效, 标本错误, 请重新采血. Haemolysis and the like are remarks, for whoever reads."""
    for sentence in noted_clauses(note, ".。;；!！?？|"):
        supposed = False
        for clause in re.split("[,，]", sentence):
            # 如对结果有疑问，请重新检测: what follows a condition is no statement.
            supposed = supposed or clause.lstrip()[:2].startswith(("如", "若", "if"))
            if not supposed and takes_away(clause.strip()):
                return True
    return False


_PARTED = re.compile(r"[,，。;；!！?？|\n]|\.(?!\d)")
_BEGINS_WITH_NUMBER = re.compile(rf"(?:<=|>=|[<>≤≥])?\s*(?:{_DIGITS})", re.ASCII)
_MOMENT = re.compile(r"\d{4}\s*[-/.年]\s*\d{1,2}|\d{1,2}\s*[:时月]\s*\d", re.ASCII)
_BEGINS_WITH_FINDING = re.compile(
    r"弱阳|阳性|阴性|可疑|灰区|未?检出|反应性|非反应性|(?:weak\w* |low )?positive|negative|(?:non-?)?reactive|(?:not )?detected|indeterminate|equivocal"
)


def amended(words: Sequence[str], note: str) -> list[str]:
    """Return the clauses of a note that put something else in the place of these words: 更正为阳性 beside 阴性, 更正：7.2 beside 4.1."""
    own = {number for word in words for number in _figures(word)}
    found: dict[str, None] = {}
    for form in (*_forms(note), simplified(note[:_MOST_NOTED]).replace("\n", " ")):
        for clause in (plain(part).lower() for part in _PARTED.split(form)[:_MOST_CLAUSES]):
            if any(_is_another(words, own, said, surely=surely) for said, surely in put_in_place(clause)):
                found[clause.replace(" ", "")] = None
    return list(found)


def _is_another(words: Sequence[str], own: Collection[Decimal], said: str, *, surely: bool) -> bool:
    """Say whether what is put in the place of words is something else; `surely`: it is put there whatever it is."""
    first = re.split(r"[\s(\[]", said, maxsplit=1)[0]
    is_finding = sense(first) is not None or _BEGINS_WITH_FINDING.match(said) is not None
    if _MOMENT.match(said) or not (surely or is_finding or _BEGINS_WITH_NUMBER.match(said)):
        return False
    numbers = _figures(said)
    if numbers and not is_finding:
        return numbers[0] not in own
    meant = {finding(first), finding(said)}
    return not any(finding(word) in meant or (word and said.startswith(plain(word).lower())) for word in words)


def _figures(text: str) -> list[Decimal]:
    return [Decimal(found[2]) for found in _FIGURE.finditer(plain(text[: _LONGEST_FINDING * 2]))]


_LEGEND = re.compile(
    r"参考|标准|说明|判[读断定]|解释|表示|提示|意味|代表|正常值|范围|区间|既往|病史|家族史|接种|^注:|曾|reference|range|means|indicates?|suggests?|interpret|history"
)
_DOUBTS = re.compile(
    r"灰区|可疑|疑似|疑为|不确定|待[定复查确]|需确[证认]|送.{0,8}确[证认]|indeterminate|inconclusive|equivocal|doubtful|suspicious|gr[ae]yzone|borderline"
)
# A finding that stands among other words (HBsAg弱阳性, 复检阳性): of the value, unless it speaks of whoever has one, or of what it would mean.
_CALLED_POSITIVE = re.compile(
    r"(?:阳性|弱阳)(?!者|率|时|则|需|应|必须|患者|病例|对照|质控|预测|标本|符合|结果(?:需|应|请|表示|仅|不|者|必))|(?<!未)检出(?!限|下限|上限|率|值|范围)"
    r"|(?:positive|(?<!non)(?<!non-)(?<!non )reactive|(?<!not)(?<!not )(?<!un)detected|\btrace)\b(?! (?:results?|samples?|specimens?|controls?|predictive|patients?|tests?|donors?|individuals?|rates?|cases?|by))",
    re.ASCII,
)
_CALLED_NEGATIVE = re.compile(
    r"(?:阴性|未检出)(?!者|时|则|不能|不排除|不可|也|并|对照|质控|预测|结果(?:不|并|也|仅|只))|假阳性?"
    r"|(?:negative|non-?reactive|not detected)\b(?! (?:results?|samples?|specimens?|controls?|predictive|patients?|tests?|donors?|individuals?|rates?|cases?))",
    re.ASCII,
)
_NOT_CALLED = re.compile(
    r"(?:非|无|不|未|未见|没有|假|排除|曾|是否|抗|或|和|及|/|、|\bno(?:t|ne)?\b|\bnon-?|\bnever|\bwithout|\bor|\band|\bif|\bfalse)[\w\s-]{0,3}$|\bno(?: \w{1,20}){1,3} $",
    re.ASCII,
)
_LONGEST_DOUBT, _LONGEST_CALL, _MOST_CLAUSES = 24, 40, 100


def disputes(words: Sequence[str], note: str) -> list[str]:
    """Return the clauses of a note that speak against a word beside it: another finding, a doubt, another value, what makes it void."""
    return list(dict.fromkeys((*contradicted(words, note), *amended(words, note))))


def contradicted(words: Sequence[str], note: str) -> list[str]:
    """Return the clauses of a note that hold another finding than a word beside it, or a doubt, or make it void.

    Only a clause that is a finding itself (弱阳性(0.08)), or is short and calls it one (复检阳性); what explains (参考值:阴性;灰区:0.9-1.1;
    阳性提示感染) says nothing.
    """
    found: dict[str, None] = {}
    said = plain(simplified(note[:_MOST_NOTED])).lower()
    for sentence in re.split(r"[。;；!！?？|\n]", said)[:_MOST_CLAUSES]:
        explains = False
        for whole in re.split(r"[,，]|\.(?!\d)", sentence):
            clause = whole.replace(" ", "")
            explains = explains or _LEGEND.search(clause) is not None
            stated = not explains and _is_stated(clause) and _speaks_against(words, clause, whole.strip())
            if clause and (stated or voids(whole)):
                found[clause] = None
    return list(found)


def _is_stated(clause: str) -> bool:
    """Say whether a clause may be a statement of one value: what holds bounds or several figures says when something would be one."""
    figures = _FIGURE.findall(clause)
    return not any(sign in clause for sign in "<>≤≥~～") and len(figures) <= _MOST_FIGURES and not _RANGE.search(clause)


_MOST_FIGURES = 2
# 8:05 is when something was done.
_NOTED_TITRE = re.compile(r"(?<![<≤\d.:])1:\d", re.ASCII)
_RANGE = re.compile(r"\d\s*[-—–~]\s*\d", re.ASCII)


def _speaks_against(words: Sequence[str], clause: str, whole: str) -> bool:
    if sense(clause) is not None:
        return any(sense(word) is not None and not agree(word, clause) for word in words)
    if _FOOTER.search(clause):
        return False
    if len(clause) <= _LONGEST_DOUBT and _DOUBTS.search(clause):
        return True
    if len(whole) > _LONGEST_CALL:
        return False
    if any(_side(word) == "negative" for word in words) and _NOTED_TITRE.search(clause):
        return True
    return any(_is_called(form, whole) for word in words for form in _OPPOSITES.get(_side(word), ()))


def _is_called(form: re.Pattern[str], whole: str) -> bool:
    before = (whole[: found.start()] for found in form.finditer(whole))
    return any(_NOT_CALLED.search(text) is None or not_excluded(text.rstrip()) for text in before)


_OPPOSITES: Mapping[Sense | None, tuple[re.Pattern[str], ...]] = {
    "negative": (_CALLED_POSITIVE,),
    "positive": (_CALLED_NEGATIVE,),
    "doubtful": (),
}


def _side(word: str) -> Sense | None:
    return "negative" if plain(word)[:1] in ("未", "无") else sense(word)


_FIGURE = re.compile(rf"(?<![\d.:])(<=|>=|<|>|≤|≥)?\s*({_DIGITS})(?![\d:])", re.ASCII)


def measured_behind(raw: str) -> Value | None:
    """Return the one number of a value: itself, or what was measured behind a word (阴性 12.5, 阴性(<0.05)); None: none, or several."""
    text = plain(raw[: _LONGEST_FINDING * 2])
    found = list(_FIGURE.finditer(text)) if len(raw) <= _LONGEST_FINDING else []
    if len(found) != 1:
        return None
    return Value(raw, found[0][0].strip(), _COMPARATORS[found[0][1] or ""], Decimal(found[0][2]))


_SENSES: Mapping[str, Sense] = {"阴性": "negative", "±": "doubtful"}


def finding(text: str) -> str:
    """Return the one spelling of a qualitative finding ("(-)" is 阴性); a text that is none comes back as it is, in plain widths."""
    return finding_words(text) or plain(text)


# What fills the column of an item that has no unit, or of which none was said.
_NO_UNIT = frozenset(
    {"", '""', "''", "-", "--", "/", "//", ".", "*", "null", "nil", "none", "n/a", "na", "无", "无单位", "空"}
)


def unit_said(text: str) -> str:
    """Return the unit that a text says, in plain widths; "" where it only fills its column (-, /, "", null, 无)."""
    said = plain(text)
    return "" if said.translate(DASHES).lower() in _NO_UNIT else said


def same_unit(theirs: str, ours: str | None) -> bool:
    """Say whether two spellings are one unit: `10^9/L`, `×10⁹/L`, `10*9/L`; `umol/L`, `μmol/L`. An unsaid unit contradicts nothing."""
    said = unit_said(theirs)
    return not said or not ours or (len(said) <= _LONGEST_UNIT and _unit(said) == _unit(ours))


# What may stand where an item has no unit, because it says that there is none: of any such item, and of one of them.
_OF_NO_UNIT = frozenset({"1", "1.0", "ratio", "比值", "比", "比率", "index", "指数", "unitless", "无量纲"})
_OF_ITS_OWN: Mapping[str, frozenset[str]] = {
    "UPH": frozenset({"ph", "ph值", "酸碱度"}), "USG": frozenset({"sg", "比重"}),
    "BMD-T": frozenset({"sd", "s.d.", "sds", "t", "t值", "t-score", "tscore", "标准差"}),
}  # fmt: skip


def unit_fits(theirs: str, ours: str | None, code: str) -> bool:
    """Say whether a unit that was said of a number is its item's: the same, none, or of an item without a unit one that only says so.

    An INR in mmol/L is another quantity, or stands in the wrong column.
    """
    said = unit_said(theirs)
    if ours or not said:
        return same_unit(theirs, ours)
    word = said.replace(" ", "").lower().strip("{}[]()")
    return word in _OF_NO_UNIT or word == code.lower() or word in _OF_ITS_OWN.get(code, ())


_LONGEST_UNIT = 200


@lru_cache(maxsize=1_024)
def _unit(text: str) -> str:
    said = plain(text).replace(" ", "").translate(_UNIT_SPELLINGS).lower()
    return re.sub(r"^x(?=10)", "", said)


def is_rounded(ours: Value, theirs: Value, factor: Decimal, turned: Value) -> bool:
    """Say whether two numbers are one measurement in two units: within what either of them was rounded by. `turned` is theirs in our unit."""
    if ours.numeric is None or theirs.numeric is None or turned.numeric is None or ours.comparator != turned.comparator:
        return False
    margin = _half_a_place(ours.numeric) + _half_a_place(theirs.numeric) * abs(factor)
    return abs(ours.numeric - turned.numeric) <= margin


def _half_a_place(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(exponent) / 2 if isinstance(exponent, int) else Decimal(0)


def converted(value: Value, factor: Decimal, addend: Decimal, decimals: int) -> Value:
    """Return a number in our unit: theirs × factor + addend, under the same comparator.

    What comes out exactly stays exact; else it is kept one digit finer than the item is printed, so that no rounding moves it over a
    bound. Raises ValueError for a text.
    """
    if value.numeric is None:
        raise ValueError
    ours = value.numeric * factor + addend
    finest = Decimal(1).scaleb(-(decimals + 1))
    if ours != ours.quantize(finest):
        ours = ours.quantize(finest, ROUND_HALF_UP)
    # No finer than it was said where the factor is a mere shift, and never as 1E+2.
    said = f"{value.comparator}{ours.normalize():f}"
    return Value(said, said, value.comparator, Decimal(f"{ours.normalize():f}"))
