"""Flagging a value against the range of a person, a day and a method. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from tjapi.knowledge.criticals import CALLED, said_critical
from tjapi.result.rules.choices import half_examined, unexamined
from tjapi.result.rules.ranges import Range, Told
from tjapi.result.rules.reading import NUMBERS, WORDS, chosen, understood
from tjapi.result.rules.values import Comparator, Sense, Value, agree, finding, noted_clauses, plain, sense

Flag = Literal["", "L", "H", "LL", "HH", "A"]
FLAGS: tuple[Flag, ...] = ("", "L", "H", "LL", "HH", "A")
ABNORMAL: frozenset[str] = frozenset(FLAGS) - {""}
# The laboratory's own flags (HL7 table 0078, FHIR v3-ObservationInterpretation, and what is written instead of a code).
_LAB_SPELLINGS: Mapping[Flag, tuple[str, ...]] = {
    "": ("n", "正常", "normal"),
    "L": ("l", "↓", "低", "偏低", "lu", "low"),
    "H": ("h", "↑", "高", "偏高", "hu", "high"),
    "LL": ("ll", "↓↓", "cl", "pl", "lp", "lc", "危急低", "危急偏低", "l!", "ll!"),
    "HH": ("hh", "↑↑", "ch", "ph", "hp", "hc", "危急高", "危急偏高", "h!", "hh!"),
    "A": ("a", "异常", "abnormal", "aa", "panic", "critical", "crit", "危急", "危急值", "c!", "!"),
}
_LAB_FLAGS: Mapping[str, Flag] = {
    spelling: flag for flag, spellings in _LAB_SPELLINGS.items() for spelling in spellings
}
_LAB_CRITICAL = frozenset({"aa", "panic", "critical", "crit", "危急", "危急值", "c!", "!"})
LAB_ABNORMAL: frozenset[str] = frozenset(spelling for spelling, flag in _LAB_FLAGS.items() if flag)
"""What a laboratory writes of a value that it finds abnormal, in small letters."""
# Whatever contains one of these is meant as critical, however it is dressed: HH↑, HHH, 偏高危, Critical High.
_CRITICAL_INSIDE = re.compile(r"危|panic|crit|!|↑{2}|↓{2}|^h{2,}\W*$|^l{2,}\W*$")
# Grades of a risk, which are no alarm: 高危型, 极高危, 危险因素. 偏高危 and 低危急值 are none of them.
_RISKS = re.compile(r"(?<!偏)[低中高]危(?![急机值重象])|危险(?:因素|分层|分级|等级|程度|度|评估)")
# Codes of the same tables that say nothing about normal or abnormal: change, susceptibility, detection; the star asks to look.
_LAB_NEUTRAL = frozenset({
    "*", "b", "w", "u", "d", "s", "r", "i", "ms", "vs", "is", "nr", "rr", "wr", "pos", "neg", "det", "nd", "ind", "e", "+", "-", "±",
    "阳性", "阴性",
})  # fmt: skip
# What some of them say of a word beside them; others say it in a word that is a finding itself. A minus is what fills an empty column.
_LAB_SENSES: Mapping[str, Sense | None] = {
    "pos": "positive", "det": "positive", "detected": "positive", "检出": "positive", "rr": "positive", "wr": "positive", "neg": "negative",
    "nd": "negative", "notdetected": "negative", "nr": "negative", "ind": "doubtful", "e": "doubtful", "-": None,
}  # fmt: skip
_APART = re.compile(r"[;,/~|、;]")
_GRAVITY: Mapping[Flag | None, int] = {"": 0, None: 1, "A": 2, "L": 2, "H": 2, "LL": 3, "HH": 3}
_LONGEST_FLAG, _LONGEST_CODED = 200, 2_000
LABORATORY = "检验科回传"
"""Source of a range that is the laboratory's."""
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")


def flag(value: Value, normal: Range | None) -> Flag | None:
    """Return the flag of a number: "" normal, L, H, LL, HH (critical); None where it cannot be said, and of a text.

    No range → None, never a false normal; a range with critical bounds alone says LL, HH or nothing. With a comparator a flag is given
    only where every value it allows bears it: "<5" against 3…10 is undetermined, "<2" is L, ">1000" is H and, beyond the critical
    bound, HH.
    """
    if normal is None or value.numeric is None or not normal.bounded:
        return None
    return _number_flag(value.comparator, value.numeric, normal)


@lru_cache(maxsize=1_024)
def _usual(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(finding(t) for t in texts)


def flag_of(kind: str, value: Value, normal: Range | None, choices: Sequence[str] = ()) -> Flag | None:
    """Return the flag of a value of an item of a kind: the one rule of every path that records a value.

    None is *undetermined*: no range, a number where only words are known to be normal, or words that mean nothing to the item. A text
    (a description) is normal where it is exactly a normal text, and never abnormal by being another one. Of several choices one that is
    normal stands beside no other: 未见异常 and 中耳炎 is undetermined. That nothing was examined (拒检) is not normal, whatever a range says.
    """
    if value.numeric is not None and (kind in NUMBERS or (normal is not None and normal.bounded)):
        return flag(value, normal)
    if kind in NUMBERS or normal is None or not normal.normal_texts or not value.text:
        return None
    parts = chosen(value.text) if kind == "multi_select" else (value.text,)
    usual = _usual(normal.normal_texts)
    said = [finding(part) for part in parts]
    idle = unexamined(kind, parts) or half_examined(kind, parts)
    if said and not idle and all(part in usual for part in said):
        return ""
    if idle or (len(said) > 1 and any(part in usual and _ALONE.search(part) for part in said)):
        return None  # normal, or not examined, and something else: one of the two is wrong
    if kind == "text" or not understood(kind, value, (*choices, *normal.normal_texts)):
        return None
    return "A"


_ALONE = re.compile(r"^(?:未|无|正常|阴性|拒检|弃检|否认)|正常$")
"""A normal choice that says that there is nothing else."""


def lab_flag(flags: Sequence[str], mark: str = "") -> Flag | None:
    """Return what a laboratory says of its own value (OBX-8, and a mark beside the number); None: nothing that is understood."""
    said = [_LAB_FLAGS[one] for one in _flag_words((*flags, mark)) if one in _LAB_FLAGS]
    return max(said, key=gravity, default=None)


def lab_critical(flags: Sequence[str], mark: str = "") -> bool:
    """Say whether a laboratory itself calls its value critical (HH, LL, AA, panic): that alarms whether or not we could read it."""
    return any(_is_critical(word) for word in _flag_words((*flags, mark)))


def calls_critical(note: str) -> bool:
    """Say whether words beside a value call it critical: 危急值，已电话通知. What explains a sign, or says that it is none, does not.

    That it cannot be excluded, or that nobody was reached, does: 不能排除危急值, 危急值未通知到临床.
    """
    return any(
        said_critical(clause[: found.start()], clause[found.end() :]) in ("called", "doubted")
        for clause in noted_clauses(note, ",，.。;；!！?？|")
        for found in CALLED.finditer(clause)
    )


def lab_unknown(flags: Sequence[str]) -> bool:
    """Say whether a laboratory flags its value with something that nobody understands: a person is asked, as of a word."""
    return any(
        word not in _LAB_FLAGS and word not in _LAB_NEUTRAL and not _is_finding(word) and not lab_critical([word])
        for word in _flag_words(flags)
    )


def marked(flags: Sequence[str]) -> bool:
    """Say whether a laboratory marks its value by something that is neither normal nor abnormal by itself: a star, a plus, a change.

    Beside a number that nothing but the laboratory judges, a person is asked what is meant.
    """
    return any(word in _LAB_NEUTRAL and word != "-" and _lab_sense(word) != "negative" for word in _flag_words(flags))


def flags_said(flags: Sequence[str], beside: Iterable[str]) -> tuple[str, ...]:
    """Return a laboratory's flags, with those of the words beside them (an alternate code, a text) that say more than the flags do."""
    said = tuple(flags)
    for word in beside:
        if _meaning([*said, word]) != _meaning(said):
            said = (*said, word)
    return said


def _meaning(flags: Sequence[str]) -> tuple[object, ...]:
    words = _flag_words(flags)
    return (
        lab_critical(flags),
        frozenset(_sides(flags) - {"A"} or _sides(flags)),
        frozenset(one for w in words if (one := _lab_sense(w))),
    )


def whole_marks(flags: Sequence[str]) -> tuple[str, ...]:
    """Return a laboratory's flags, each once and in one word: `H H` is HH, and is no H and another one where it is kept among others."""
    return tuple(dict.fromkeys(word for word in ("".join(said.split()) for said in flags) if word))


def kept_marks(flags: Sequence[str]) -> str | None:
    """Return a laboratory's flags as they are kept beside a value: splitting at the blanks gives back what was said."""
    return " ".join(whole_marks(flags)) or None


def contradicts(kind: str, ours: Flag | None, value: Value, flags: Sequence[str]) -> bool:
    """Say whether a laboratory's own flags contradict what we make of its value, or each other, so that a person is asked.

    Ranges differ between laboratories, but not which side of them a number lies on; a word that we read as normal is not flagged, and none
    stands beside a flag that says the opposite (阴性 and POS), whether or not anybody judges the item. Nor is a number normal that is called
    positive.
    """
    if kind in NUMBERS or value.numeric is not None:
        sides = _sides(flags) | _sides([ours or ""])
        found = any(_is_finding(word) and _lab_sense(word) != "negative" for word in _flag_words(flags))
        return len(sides - {"A"}) > 1 or (ours == "" and (found or (kind in WORDS and bool(sides))))
    if ours == "" and _sides(flags):
        return True
    senses = {said for word in _flag_words(flags) if (said := _lab_sense(word)) is not None}
    if sense(value.text) is not None:
        own = value.text
    else:
        # A word of its own kind (未见, 查见) says by what we make of it on which side it stands.
        own = "阴性" if ours == "" else "阳性" if ours == "A" and kind in WORDS else ""
    if own and sense(own) == "doubtful":
        return "negative" in senses
    return bool(own) and any(not agree(own, _SPOKEN[theirs]) for theirs in senses)


_SPOKEN: Mapping[Sense, str] = {"negative": "阴性", "positive": "阳性", "doubtful": "±"}


def _sides(flags: Sequence[str]) -> set[str]:
    """Return on which sides flags say that a value lies: H, L, or A (somewhere)."""
    return {side[0] for word in _flag_words(flags) if (side := _LAB_FLAGS.get(word))}


def _is_finding(word: str) -> bool:
    """Say whether a flag is a finding in words; of plus signs nobody knows what they mean beside a number."""
    return _lab_sense(word) is not None and any(sign.isalpha() for sign in word)


def _lab_sense(word: str) -> Sense | None:
    return _LAB_SENSES[word] if word in _LAB_SENSES else sense(word)


def _flag_words(flags: Sequence[str]) -> list[str]:
    """Return the words of flags; of one that was sent with its separators (H^危急值^99LIS) what says nothing more is a description."""
    words = []
    for said in flags:
        for coded in plain(said[:_LONGEST_CODED]).split("~"):
            first, *others = (part[:_LONGEST_FLAG] for part in coded.split("^"))
            words += _words_of(first)
            # The third and the sixth name coding systems.
            spoken = [word for i, one in enumerate(others) if i not in (1, 4) for word in _words_of(one)]
            words += [word for word in spoken if _LAB_FLAGS.get(word) or _is_critical(word) or _lab_sense(word)]
    return words


def _words_of(said: str) -> list[str]:
    return [word for word in (_flag_word(part) for part in _APART.split(said)) if word]


def _is_critical(word: str) -> bool:
    return (
        word in _LAB_CRITICAL
        or _LAB_FLAGS.get(word) in ("LL", "HH")
        or _CRITICAL_INSIDE.search(_RISKS.sub("", word)) is not None
    )


_ARROWS = str.maketrans(dict.fromkeys("⬆⇧▲△", "↑") | dict.fromkeys("⬇⇩▼▽", "↓") | {"\ufe0f": None})
_AROUND = "()[]{}【】〔〕<>"
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")


def _flag_word(said: str) -> str:
    """Return a flag as it is known, whatever it is dressed in: ↑HH and <HH> are HH, C-H is CH. Signs of two sides stay what they are."""
    word = plain(said).replace(" ", "").lower().translate(_ARROWS)
    # < and > by themselves are codes: beyond what the instrument measures.
    word = word.strip(_AROUND) or (word if set(word) <= {"<", ">"} else "")
    word = word if set(word) <= {"*"} else word.strip("*")
    letters = _HYPHEN.sub("", word.strip("↑↓"))
    if word in _LAB_FLAGS or letters not in _LAB_FLAGS:
        return word
    arrows = [sign for sign in word if sign in "↑↓"]
    sides = {_LAB_FLAGS[sign] for sign in arrows} | {(_LAB_FLAGS[letters] or "N")[0]}
    if len(sides) > 1:
        return word
    doubled = _LAB_FLAGS[letters] in ("H", "L") and len(arrows) > 1
    return letters * 2 if doubled and letters in ("h", "l") else "".join(arrows) if doubled else letters


def gravity(flag: Flag | None) -> int:
    """Return how grave a flag is: normal, undetermined, abnormal, critical."""
    return _GRAVITY[flag]


def with_lab(
    ours: Flag | None, lab_range: Range | None, value: Value, theirs: Flag | None, *, laboratory_first: bool = False
) -> tuple[Flag | None, bool]:
    """Return the flag of a value that a laboratory judged as well, and whether its range or flag decided.

    Ours where there is a range of ours, whatever the laboratory says: what it calls critical is an alarm, and no other value. Else what
    its range says, or its flag where that is graver; on which side of its range a number lies, the range says. `laboratory_first`: of an
    item whose limits are the reagent's, a range that was sent goes before ours, and so does a flag that finds something without a range; what ours
    calls critical stays so.
    """
    first = laboratory_first and (lab_range is not None or bool(theirs)) and ours not in ("LL", "HH")
    if ours is not None and not first:
        return ours, False
    by_range = flag(value, lab_range)
    said = [one for one in (by_range, theirs) if one is not None]
    if not said or (value.numeric is None and theirs == ""):
        # That a laboratory calls a text normal does not make us understand it.
        return ours, False
    gravest = max(said, key=gravity)
    if by_range and gravest in _OTHER_SIDE and gravest[0] != by_range[0]:
        # HH beside a number below its range: as grave as it is called, and the contradiction is asked about.
        return _OTHER_SIDE[gravest], True
    return gravest, True


_OTHER_SIDE: Mapping[str, Flag] = {"L": "H", "H": "L", "LL": "HH", "HH": "LL"}


def undetermined(kind: str, flag: str | None, *, judged: bool) -> bool:
    """Say whether a value should have been judged and was not: it is neither normal nor abnormal, and is shown as 未判定.

    A description is read, not judged; of some items (身高, 血型) nobody says that they are normal (`judged`, which the catalog says).
    """
    return judged and flag is None and (kind in NUMBERS or kind in WORDS)


def asked_about(kind: str, value: Value, flag: str | None, known: Sequence[str], *, judged: bool) -> bool:
    """Say whether a person is asked about a value: nothing could judge it, or its word is none that is known. Not that nobody examined."""
    if unexamined(kind, chosen(value.text) if kind == "multi_select" else (value.text,)):
        return False
    return undetermined(kind, flag, judged=judged) or unknown_word(kind, value, flag, known)


def unknown_word(kind: str, value: Value, flag: str | None, known: Sequence[str]) -> bool:
    """Say whether a word of an item whose words are known is none of them: it is asked about though nobody judges the item."""
    return flag is None and kind in WORDS and bool(known) and not understood(kind, value, known)


def _number_flag(comparator: Comparator, number: Decimal, normal: Range) -> Flag | None:
    # What is possible lies between an open end and the number; "<3.5" allows all below 3.5, but not 3.5 itself.
    match comparator:
        case "":
            return _class(number, normal)
        case "<":
            ends = {_class(_LEAST, normal), _class(number.next_minus(), normal)}
        case "<=":
            ends = {_class(_LEAST, normal), _class(number, normal)}
        case ">":
            ends = {_class(number.next_plus(), normal), _class(_MOST, normal)}
        case ">=":
            ends = {_class(number, normal), _class(_MOST, normal)}
    if len(ends) == 1:
        return ends.pop()
    if ends == {"L", "LL"}:
        return "L"
    return "H" if ends == {"H", "HH"} else None


def _class(number: Decimal, normal: Range) -> Flag | None:
    if normal.critical_low is not None and number <= normal.critical_low:
        return "LL"
    if normal.critical_high is not None and number >= normal.critical_high:
        return "HH"
    if normal.low is not None and number < normal.low:
        return "L"
    if normal.high is not None and number > normal.high:
        return "H"
    return None if normal.low is None and normal.high is None else ""


def snapshot(normal: Range, *, text: str, method: str, source: str) -> dict[str, Any]:
    """Return a range as it is kept beside a value: numbers as strings, so that no digit is lost."""

    def said(bound: Decimal | None) -> str | None:
        return None if bound is None else f"{bound:f}"

    return {
        "low": said(normal.low), "high": said(normal.high), "critical_low": said(normal.critical_low),
        "critical_high": said(normal.critical_high), "normal_texts": list(normal.normal_texts), "text": text, "method": method,
        "source": source, "ours": None,
    }  # fmt: skip


def lab_snapshot(text: str, told: Told | None, ours: str | None = None) -> dict[str, Any]:
    """Return the laboratory's range as it is kept beside a value that it judged; its own words, and bounds where they are inclusive.

    `ours`: our range in words, where there is one and the laboratory's went before it.
    """
    normal = told.normal if told is not None and told.inclusive else Range()
    kept = snapshot(normal, text=text, method="", source=LABORATORY)
    return {**kept, "ours": ours}
