"""What was found, in the words of whoever reads the report: no notation of rules, nothing said twice, Chinese punctuation. Pure.

The exact reason, for doctors, is `Clause.words`; what is told here is made of the same clauses.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from tjapi.knowledge.rules import Clause, Known

_MOST_TOLD = 80
"""Of a description so many characters are told at most beside a finding; the whole of it stands among the results."""

# --- units ---

_POWER = re.compile(r"^(?:[×x]\s*)?10(?:[*^]|\*\*|E)?(?P<power>\d{1,2}|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)(?=/)")
_SQUARE = re.compile(r"(?<![A-Za-z])([munpckd]?m)\^?([23])(?![\d.])")
_MICRO = re.compile(r"^[uµ](?=(?:mol|g|IU|L|m|kat)\b)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PRINTED = {"mm[Hg]": "mmHg", "Cel": "℃", "1": "", "/min": "次/分", "[iU]/L": "IU/L", "[pH]": ""}


def printed_unit(unit: str) -> str:
    """Return a unit as a laboratory prints it, whether it came in UCUM or as somebody typed it: `10*9/L` → `×10⁹/L`, `umol/L` → `μmol/L`."""
    known = _PRINTED.get(unit)
    if known is not None:
        return known
    text = _POWER.sub(lambda found: f"×10{found['power'].translate(_RAISED)}", unit)
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


def _usual(known: Known) -> str:
    return f"参考值为{chinese(known.usual)}" if known.flag == "A" and known.usual else ""


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


_SOME_ABNORMAL, _SOME_OPEN, _ALL_OPEN = (
    "有异常结果，见各项结果",
    "已判定的项目未见明显异常，另有项目未判定",
    "各项结果未判定",
)
_NORMAL, _DESCRIBED = "所检项目未见明显异常", "所见见各项描述"
NOTHING_FOUND = (_SOME_ABNORMAL, _SOME_OPEN, _ALL_OPEN, _NORMAL, _DESCRIBED)


def nothing_found(values: Collection[Known]) -> str:
    """Return what may be said of values beside which no finding stands: normal is said only where something was judged and all of it was normal."""
    if any(known.flag for known in values):
        return _SOME_ABNORMAL
    judged = any(known.flag is not None for known in values)
    if any(known.undetermined for known in values):
        return _SOME_OPEN if judged else _ALL_OPEN
    return _NORMAL if judged else _DESCRIBED


_ALL_NORMAL = re.compile(
    r"(?:本次|此次)?(?:健康)?(?:体检|检查)?(?:结果)?(?:所检|所查|受检|各|全部|所有)?(?:各?项目?|各?科|内容|指标|结果)*(?:检查)?(?:结果)?(?:均|都|全部)?"
    r"(?:(?:未见|未发现|无|没有)(?:明显|任何|显著)?异常(?:发现|情况|改变)?|(?:在)?(?:参考|正常)范围(?:内|之内)?|正常)"
)


def says_all_normal(text: str, subjects: Collection[str] = ()) -> bool:
    """Say whether any sentence of a text calls everything normal: 未见异常, 本次体检所检项目未见明显异常; `subjects` name the whole as well.

    A sentence about one thing (心肺未见异常) does not.
    """
    for sentence in re.split(r"[\n。;；.,，!！]", text):
        said = re.sub(r"^\s*\d*[、.)）:：]?\s*", "", sentence).strip(" \t:：")
        for subject in subjects:
            said = said.removeprefix(subject).lstrip(" :：")
        if len(said) <= _MOST_TOLD and _ALL_NORMAL.fullmatch(said.replace(" ", "")):
            return True
    return False
