"""What was found, in the words of whoever reads the report: no notation of rules, nothing said twice, Chinese punctuation. Pure.

The exact reason, for doctors, is `Clause.words`; what is told here is made of the same clauses.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from tjapi.knowledge.characters import found_words
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
HAN = re.compile(f"[{_HAN}]")


def chinese(text: str) -> str:
    """Return a text with Chinese punctuation wherever a mark stands beside a Chinese character; figures, ratios and codes stay as they are."""
    plain = _BESIDE_HAN.sub(lambda found: _MARKS[found[1] or found[2]], text)
    plain = _STOP.sub("。", plain)

    def widened(found: re.Match[str]) -> str:
        before = plain[max(found.start() - 1, 0) : found.start()]
        return f"（{found[1]}）" if HAN.search(found[1]) or HAN.match(before) else found[0]

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
    """Return what a department's summary says of a finding: its name, and why; one colon stands in a line, that of what is told."""
    why = told(clauses)
    if not why:
        return name
    return f"{name}——{why}" if "：" in f"{name}{why}" else f"{name}：{why}"


def valued(known: Known) -> str:
    """Return a value as a sentence part: with its unit, and how it lies to the range it was judged by."""
    if known.numeric is None:
        return _joined(f"{known.item_name} {_short(chinese(known.text))}", _usual(known) or _called(known))
    unit = printed_unit(known.unit or "")
    return _joined(f"{known.item_name} {known.text}{f' {unit}' if unit else ''}", _beside_range(known))


def _of_value(clauses: Sequence[Clause]) -> str:
    known = clauses[0].known
    assert known is not None
    said = list(dict.fromkeys(one for clause in clauses for one in clause.said))
    excerpts = _excerpts("\n".join(said) or known.text, [word for clause in clauses for word in clause.found])
    value = f"{known.item_name}：{excerpts}" if excerpts else valued(known)
    return _joined(value, *(clause.note for clause in clauses))


def _joined(*parts: str) -> str:
    return "，".join(dict.fromkeys(part for part in parts if part))


SAID_CRITICAL = "，属危急值"
"""How the words of a value call it critical."""
_SIDES: Mapping[str, str] = {"H": "高", "HH": "高", "L": "低", "LL": "低"}


def _beside_range(known: Known) -> str:
    """Say on which side of its range a number lies; nothing of one that is within, or that nobody could judge."""
    side = _SIDES.get(known.flag or "")
    if side is None:
        return _called(known) or ("不在参考范围" if known.flag == "A" else "")
    critical = SAID_CRITICAL if known.flag in ("HH", "LL") else ""
    low, high = known.bounds
    if known.numeric is not None and not _may_lie(known.numeric, side, low, high):
        # Whoever measured it says so, and their own range does not.
        return f"检验科提示偏{side}{critical}"
    if low is not None and high is not None:
        return f"{side}于参考范围 {low}–{high}{critical}"
    bound = high if side == "高" else low
    if bound is not None:
        return f"{side}于参考{'上' if side == '高' else '下'}限 {bound}{critical}"
    return (f"{side}于参考范围 {chinese(known.usual)}" if known.usual else f"偏{side}") + critical


CALLED: Mapping[str, str] = {"person": "医师判定异常", "laboratory": "检验科标为异常"}
"""Who calls a value abnormal that no printed range is beside."""


def _called(known: Known) -> str:
    return CALLED.get(known.called, "") if known.flag == "A" else ""


def _may_lie(number: Decimal, side: str, low: str | None, high: str | None) -> bool:
    """Say whether a number can lie on a side of its range: beyond that bound, or at it where it may be below or above."""
    if side == "高":
        return (high is None or number >= Decimal(high)) and (low is None or number >= Decimal(low))
    return (low is None or number <= Decimal(low)) and (high is None or number <= Decimal(high))


_OF_A_LABORATORY = re.compile(r"^(?!.*类).*(?:阴性|阳性|\d)|^[-–—±+]")


def _usual(known: Known) -> str:
    """Return what is usual, where a laboratory would say so: 尿蛋白 2+，参考值为阴性. That 无 or 正常 would be usual everybody knows.

    A grade (BI-RADS 1类) is no reference: beside another one it reads as a second finding.
    """
    said = known.flag == "A" and known.usual and _OF_A_LABORATORY.search(known.usual)
    return f"参考值为{chinese(known.usual)}" if said else ""


def _excerpts(text: str, words: Collection[str]) -> str:
    """Return the parts of a description in which words were found, as they stand there."""
    if not words:
        return ""
    said = []
    for sentence in re.split(r"[。;；\n]", text):
        if found_words(sentence, words):
            parts = re.split("[,，]", sentence)
            held = [i for i, part in enumerate(parts) if found_words(part, words)] or [0]
            # What is said before and after belongs to it: where it is, how large, whether its edge is clear.
            said.append(
                sentence if len(sentence) <= _MOST_TOLD else "，".join(parts[max(held[0] - 1, 0) : held[-1] + 2])
            )
    return _short(chinese("；".join(part.strip(" ,，.") for part in said)))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}…"


# --- that nothing was found ---


Judgement = Literal["abnormal", "open", "described", "normal", "unasked", "unexamined"]
"""What became of a value: flagged; open (should have been judged, and was not); a description that nobody judged; normal; nobody asks; or it
says that nothing was examined."""


def judgement(flag: str | None, *, undetermined: bool, described: bool, unexamined: bool = False) -> Judgement:
    """Return what became of a value. A description that is not exactly a normal text is *not judged*: never normal for being a text."""
    if flag:
        return "abnormal"
    if unexamined:
        return "unexamined"
    if undetermined:
        return "open"
    if described:
        return "described"
    return "normal" if flag is not None else "unasked"


def judgement_of(known: Known) -> Judgement:
    """Return what became of a value as rules see it."""
    return judgement(
        known.flag, undetermined=known.undetermined, described=known.described, unexamined=known.unexamined
    )


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
_NORMAL, _DESCRIBED, _OPEN_DESCRIBED = "所检项目未见明显异常", "所见详见各项描述", "有项目未判定，所见详见各项描述"
_NOTHING = "未检查任何项目"
_FORMER = ("所见见各项描述", "有项目未判定，所见见各项描述")
NOTHING_FOUND = (
    _SOME_ABNORMAL,
    _SOME_OPEN,
    _ALL_OPEN,
    _NORMAL,
    _DESCRIBED,
    _OPEN_DESCRIBED,
    _NOTHING,
    *_FORMER,
)
"""Whatever the machine says, or once said, where no finding stands."""


def sentence_of(judgements: Collection[Judgement]) -> str:
    """Return what may be said of values beside which no finding stands: normal only where something was judged and all of it was normal."""
    if all_judged_normal(judgements):
        return _NORMAL
    if set(judgements) <= {"unexamined"}:
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
