"""The language of rules: a condition over the values of one exam, in three values, and what made it hold.

A condition is one object of one key. Of single values:

    {"flag":     {"item": "HGB", "in": ["L", "LL"]}}                      the stored flag
    {"value":    {"item": "GLU", "ge": "7.0", "lt": "11.1", "unit": "mmol/L"}}   bounds; inclusive `ge` `le`, exclusive `gt` `lt`
    {"is":       {"item": "HBSAG", "in": ["阳性", "弱阳性"]}}              a coded finding; of several chosen, any
    {"concept":  {"item": "US-LIVER", "in": ["FATTY-LIVER"]}}             what a description says is, or may be, there (`descriptions`)
    {"concept":  {"item": "US-GB", "in": ["GB-POLYP"], "size_ge": "10", "assertion": ["present"]}}     mm; also size_lt, grade
    {"concept":  {"item": "*", "grave": true}}                            anything grave, in the words of any item
    {"concept":  {"item": "*", "in": ["GALLSTONE"], "described": true}}   in what is written, not chosen: choices have rules of their own
    {"change":   {"item": "CEA", "ratio_ge": "2"}}                        against the newest earlier exam; also ratio_le, by_ge, by_le
    {"repeated": {"item": "SBP", "ge": "180", "times": 2}}                that often in this exam, the current value among them
    {"first":    {"item": "HGB", "le": "60"}}                             holds now, and in no earlier exam
    {"sum":      {"of": {"DBP": "1", "SBP": "-1"}, "ge": "0"}}            of several numbers, each times its factor: what cannot be so together
    {"product":  {"of": {"BMI": "1", "HEIGHT": "2", "WEIGHT": "-1"}, "gt": "10600"}}     of several numbers, each to its power
    {"alarm":    {"by": "laboratory"}}                                    of any item: its laboratory calls it critical itself

of the person `{"person": {"sex": "female", "age_from": 50, "age_to": 74, "pregnant": false}}` (years, both ends belong; of infants `days_from`,
`days_to`: days since birth), and of other conditions
`{"all": […]}`, `{"any": […]}`, `{"at_least": {"times": 3, "of": […]}}`, `{"not": …}`. Of old editions `{"text": {"item", "contains", "unless"}}`, bare
words of a description, is evaluated still; nobody writes it anew.

True and False are said only where the values allow it. A value that was not taken, or that cannot be compared ("溶血" where a number is
wanted, "<5" against 3, another unit), makes it None: no rule fires on it, and `unreadable` names it, so that a person looks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Any, Literal
from uuid import UUID

from tjapi.knowledge.characters import found_words
from tjapi.knowledge.descriptions import ASSERTIONS, STANDING, Mention, read
from tjapi.knowledge.lexicon import dictionary

FindingKind = Literal["disease", "finding", "risk"]
ImportantClass = Literal["A", "B"]
Purpose = Literal["finding", "critical"]
KINDS: tuple[FindingKind, ...] = ("disease", "finding", "risk")
"""What a finding is; also the order in which a report lists conclusions (主检报告撰写共识)."""
CLASSES: tuple[ImportantClass, ...] = ("A", "B")
"""重要异常结果: A wants action at once, B further examination (2019 expert consensus)."""
PURPOSES: tuple[Purpose, ...] = ("finding", "critical")
Condition = Mapping[str, Any]
_BOUNDS: Mapping[str, tuple[str, Callable[[Decimal, Decimal], bool]]] = {
    "ge": ("≥", lambda a, b: a >= b),
    "gt": (">", lambda a, b: a > b),
    "le": ("≤", lambda a, b: a <= b),
    "lt": ("<", lambda a, b: a < b),
}
_CHANGES: Mapping[str, str] = {
    "ratio_ge": "变化倍数 ≥",
    "ratio_le": "变化倍数 ≤",
    "by_ge": "增加 ≥",
    "by_le": "减少 ≥",
}
CALLED_CRITICAL = "检验科标为危急"
"""What is said of a value that its laboratory calls critical itself."""
_MOST_DEEP = 8
_HIGHEST_POWER = 1000
_OLDEST_DAYS = 80_000
"""More days than anybody lives."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value as it stands. `text` is in plain widths and one spelling (a qualitative "(-)" is 阴性); `chosen` the parts of a multi-select.

    `alarm`: whoever measured it calls it critical themselves.
    """

    item_code: str
    item_name: str
    text: str
    numeric: Decimal | None = None
    comparator: str = ""
    unit: str | None = None
    flag: str | None = None
    chosen: tuple[str, ...] = ()
    result_id: UUID | None = None
    department_id: int | None = None
    revision_id: UUID | None = None
    alarm: bool = False
    bounds: tuple[str | None, str | None] = (None, None)
    """The range that it was judged by: from, to."""
    usual: str = ""
    """That range in words, or what is usual: 阴性."""
    undetermined: bool = False
    """Whether it should have been judged and was not: neither normal nor abnormal."""
    by_person: bool = False
    """Whether a person called a word abnormal, or normal, that nothing could read: that it is 阳性 nobody said, so no rule fires on its flag."""
    described: bool = False
    """Whether it is a description that nobody judged: not exactly a normal text. It is read, and never counts as normal."""
    unexamined: bool = False
    """Whether it says that nothing was examined (拒检): it is no value of anything, and never counts as normal."""
    usual_texts: tuple[str, ...] = ()
    """The words that are usual, each as it is chosen."""
    choices: tuple[str, ...] = ()
    """Whatever may be chosen of its item, where it is chosen."""
    called: Literal["", "person", "laboratory"] = ""
    """Who calls it abnormal, where no range that is printed says so."""
    remarks: tuple[str, ...] = ()
    """What stands beside it and speaks of this person: it is read for what is grave, and for nothing else."""
    coded: tuple[Mention, ...] | None = None
    """What a description says that was composed of clicks; None: it is read."""

    @property
    def same(self) -> str:
        """A text that is equal for equal values: 25.0 and 25."""
        if self.numeric is None:
            return self.text
        return f"{self.comparator}{self.numeric.normalize():f}"

    @property
    def worded(self) -> bool:
        """Whether there are words of it, or beside it."""
        return self.numeric is None or bool(self.remarks)

    @property
    def said(self) -> str:
        """The value as it is told: number with its unit."""
        return f"{self.text} {self.unit}" if self.unit and self.numeric is not None else self.text


@dataclass(frozen=True, slots=True)
class Case:
    """Of whom a rule speaks: current values by item code; `before` earlier exams' values, newest first; `repeats` this exam's other measurements."""

    sex: str
    age_years: int
    values: Mapping[str, Known]
    before: Mapping[str, Sequence[Known]] = field(default_factory=dict)
    repeats: Mapping[str, Sequence[Known]] = field(default_factory=dict)
    pregnant: bool = False
    """Whether the exam says that she is; whom nobody asked counts as not pregnant."""
    age_days: int | None = None
    """Days since birth, as far as anybody says: a newborn's limits change by the day."""

    @property
    def every(self) -> list[Known]:
        """Every current value, repeated measurements as well."""
        return [*self.values.values(), *(known for more in self.repeats.values() for known in more)]

    @property
    def decided(self) -> "Case":
        """The case without what is neither normal nor abnormal: a person decides first what that is. It alarms all the same."""
        repeats = {code: [one for one in more if not one.undetermined] for code, more in self.repeats.items()}
        values = {code: known for code, known in self.values.items() if not known.undetermined}
        for code in self.values.keys() - values.keys():
            if left := repeats.get(code):
                values[code], repeats[code] = left[0], left[1:]
        return replace(self, values=values, repeats=repeats)

    def led_by(self, known: Known) -> "Case":
        """Return the case with another value of an item as its value: another measurement's, or another that was said of the same one."""
        first = self.values.get(known.item_code)
        said = [*([first] if first is not None else []), *self.repeats.get(known.item_code, ())]
        others = [one for one in said if one.result_id != known.result_id]
        return replace(
            self, values={**self.values, known.item_code: known}, repeats={**self.repeats, known.item_code: others}
        )


@dataclass(frozen=True, slots=True)
class Clause:
    """One reason: what was found (`known`), and what was asked of it, in words (`asked`).

    `found` are the words that were found in a description, `said` the sentences in which they stand; `note` is what a patient is told beside the value.
    `beside`: they are words of a remark, not of the value.
    """

    known: Known | None
    asked: str
    found: tuple[str, ...] = ()
    note: str = ""
    said: tuple[str, ...] = ()
    beside: bool = False

    @property
    def words(self) -> str:
        """The exact reason, for whoever treats: 空腹血糖 7.3 mmol/L,≥ 7.0; 血红蛋白 105 g/L,偏低; 尿蛋白 2+. What a patient reads is `words.told`."""
        if self.known is None:
            return self.asked
        told = f"{self.known.item_name} {self.known.said}"
        # Words of the description itself, said once more behind it, would read as its end: 胸主动脉瘤,直径58mm,瘤.
        again = self.asked == "/".join(self.found) and all(word in self.known.said for word in self.found)
        return f"{told},{self.asked}" if self.asked and not again else told


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds (None: cannot be said), why, and which values could not be read."""

    holds: bool | None
    clauses: tuple[Clause, ...] = ()
    unreadable: tuple[Known, ...] = ()

    @property
    def result_ids(self) -> tuple[UUID, ...]:
        """The results that made it hold, each once, in the order of the clauses."""
        found = (c.known.result_id for c in self.clauses if c.known is not None)
        return tuple(dict.fromkeys(r for r in found if r is not None))

    @property
    def words(self) -> str:
        """Why, in one line."""
        return ";".join(c.words for c in self.clauses)


class ConditionInvalidError(ValueError):
    """A condition that nobody could evaluate: says where (`path`) and what is wrong."""

    def __init__(self, path: str, wrong: str) -> None:
        super().__init__(f"{path or '/'}: {wrong}")
        self.path, self.wrong = path, wrong


def evaluate(condition: Condition, case: Case) -> Verdict:
    """Say whether a condition holds in a case. Raises ConditionInvalidError for what `check` refuses."""
    name, given = _only(condition, "")
    if name in _OF_CONDITIONS:
        return _OF_CONDITIONS[name](given, case)
    if name in _OF_VALUES:
        return _OF_VALUES[name](given, case)
    raise ConditionInvalidError("", f"no such condition: {name}")


def items_of(condition: Condition) -> frozenset[str]:
    """Return the codes of the items that a condition looks at."""
    name, given = _only(condition, "")
    if name in ("all", "any"):
        return frozenset().union(*(items_of(c) for c in given))
    if name == "at_least":
        return frozenset().union(*(items_of(c) for c in given["of"]))
    if name == "not":
        return items_of(given)
    if name in ("sum", "product"):
        return frozenset(given["of"])
    return frozenset({given["item"]} - {EVERY_ITEM}) if "item" in given else frozenset()


EVERY_ITEM = "*"
"""The item of a condition that looks at the words of every item; a rule of it is asked of one after the other (`bound_to`), each an event of its own."""


def is_of_every_item(condition: Condition) -> bool:
    """Say whether a condition looks at the words of every item."""
    name, given = _only(condition, "")
    return name == "concept" and given.get("item") == EVERY_ITEM


def speaking(values: Iterable[Known]) -> dict[str, frozenset[str]]:
    """Return the concepts that the words of values name, by item; of words that name nothing none are returned."""
    named = {
        known.item_code: frozenset(one.concept for one in mentions_of(known))
        for known in values
        if known.numeric is None
    }
    return {code: concepts for code, concepts in named.items() if concepts}


def may_hold_in(condition: Condition, codes: Iterable[str], said: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Return of which items the condition of every item can hold: of those alone whose words name a concept that it asks for."""
    _, given = _only(condition, "")
    asked = given.get("in")
    return codes if asked is None else [code for code, concepts in said.items() if not concepts.isdisjoint(asked)]


def bound_to(condition: Condition, item_code: str) -> Condition:
    """Return the condition of every item as it is asked of one."""
    name, given = _only(condition, "")
    return {name: {**given, "item": item_code}}


def is_of_any_item(condition: Condition) -> bool:
    """Say whether a condition asks of whatever value there is what its laboratory says: each such value fulfils it by itself."""
    return "alarm" in condition


def leaves(condition: Condition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the conditions of values and of the person that a condition is made of, each as its name and what it asks."""
    name, given = _only(condition, "")
    if name in ("all", "any"):
        for one in given:
            yield from leaves(one)
    elif name == "at_least":
        for one in given["of"]:
            yield from leaves(one)
    elif name == "not":
        yield from leaves(given)
    else:
        yield name, given


def may_hold_of_nothing(condition: Condition) -> bool:
    """Say whether a condition might hold in a case without a single value of its items: one that asks for the person alone may.

    A value that is not there is neither true nor false, so whatever needs one to hold is passed over unread.
    """
    name, given = _only(condition, "")
    if name == "all":
        return all(may_hold_of_nothing(c) for c in given)
    if name == "any":
        return any(may_hold_of_nothing(c) for c in given)
    if name == "at_least":
        times: int = given["times"]
        return sum(may_hold_of_nothing(c) for c in given["of"]) >= times
    if name == "not":
        return _asks_for_person(given)
    return name == "person"


def _asks_for_person(condition: Condition) -> bool:
    name, given = _only(condition, "")
    if name in ("all", "any"):
        return any(_asks_for_person(c) for c in given)
    if name == "at_least":
        return any(_asks_for_person(c) for c in given["of"])
    return _asks_for_person(given) if name == "not" else name == "person"


def needs_past(condition: Condition) -> frozenset[str]:
    """Return the codes of the items whose values in earlier exams a condition asks for."""
    return _asked_by(condition, ("change", "first"))


def counts(condition: Condition) -> frozenset[str]:
    """Return the codes of the items whose measurements a condition counts."""
    return _asked_by(condition, ("repeated",))


def _asked_by(condition: Condition, names: Sequence[str]) -> frozenset[str]:
    name, given = _only(condition, "")
    if name in ("all", "any"):
        return frozenset().union(*(_asked_by(c, names) for c in given))
    if name == "at_least":
        return frozenset().union(*(_asked_by(c, names) for c in given["of"]))
    if name == "not":
        return _asked_by(given, names)
    return frozenset({given["item"]}) if name in names else frozenset()


def check(condition: object, path: str = "", depth: int = 0) -> None:
    """Refuse a condition that could not be evaluated, or that could never hold for its form. Raises ConditionInvalidError."""
    name, given = _only(condition, path)
    here = f"{path}/{name}"
    if depth > _MOST_DEEP:
        raise ConditionInvalidError(here, "too deep")
    if name in ("all", "any"):
        _several(given, here, depth)
    elif name == "at_least":
        _fields(given, here, {"times", "of"}, {"times", "of"})
        _several(given["of"], f"{here}/of", depth)
        if not isinstance(given["times"], int) or not 1 <= given["times"] <= len(given["of"]):
            raise ConditionInvalidError(f"{here}/times", "between 1 and the number of conditions")
    elif name == "not":
        check(given, here, depth + 1)
    elif name == "text":
        raise ConditionInvalidError(here, "bare words are no condition any more: ask for a concept")
    elif name in _SHAPES:
        _fields(given, here, *_SHAPES[name])
        _plain(name, given, here)
    else:
        raise ConditionInvalidError(here, "no such condition")


_LIMITS = frozenset(_BOUNDS)
_SHAPES: Mapping[str, tuple[frozenset[str] | set[str], frozenset[str] | set[str]]] = {
    "flag": ({"item", "in"}, {"item", "in"}),
    "value": ({"item", "unit"} | _LIMITS, {"item"}),
    "is": ({"item", "in"}, {"item", "in"}),
    "concept": ({"item", "in", "grave", "assertion", "size_ge", "size_lt", "grade", "described"}, {"item"}),
    "change": ({"item"} | set(_CHANGES), {"item"}),
    "repeated": ({"item", "times", "unit"} | _LIMITS, {"item", "times"}),
    "first": ({"item", "unit"} | _LIMITS, {"item"}),
    "person": ({"sex", "age_from", "age_to", "days_from", "days_to", "pregnant"}, set()),
    "alarm": ({"by"}, {"by"}),
    "sum": ({"of"} | _LIMITS, {"of"}),
    "product": ({"of"} | _LIMITS, {"of"}),
}


def _only(condition: object, path: str) -> tuple[str, Any]:
    if not isinstance(condition, Mapping) or len(condition) != 1:
        raise ConditionInvalidError(path, "an object of exactly one key")
    ((name, given),) = condition.items()
    return str(name), given


def _several(given: object, path: str, depth: int) -> None:
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise ConditionInvalidError(path, "a list of one or more conditions")
    for i, one in enumerate(given):
        check(one, f"{path}/{i}", depth + 1)


def _fields(given: object, path: str, may: Iterable[str], must: Iterable[str]) -> None:
    if not isinstance(given, Mapping):
        raise ConditionInvalidError(path, "an object")
    for strange in given.keys() - set(may):
        raise ConditionInvalidError(f"{path}/{strange}", "no such field")
    for missing in set(must) - given.keys():
        raise ConditionInvalidError(f"{path}/{missing}", "missing")


def _plain(name: str, given: Mapping[str, Any], path: str) -> None:
    if "in" in given and not (isinstance(given["in"], list) and given["in"]):
        raise ConditionInvalidError(f"{path}/in", "a list of one or more")
    if name == "concept":
        _asks_for_concepts(given, path)
    numbers = given.keys() & (_LIMITS | set(_CHANGES) | {"size_ge", "size_lt"})
    for one in numbers:
        _number(given[one], f"{path}/{one}")
    if name in ("sum", "product"):
        _of_several(given["of"], f"{path}/of")
    if name in ("value", "repeated", "first", "change", "sum", "product") and not numbers:
        raise ConditionInvalidError(path, "at least one bound")
    if name == "repeated" and (not isinstance(given["times"], int) or given["times"] < 2):  # noqa: PLR2004 - once is no repetition
        raise ConditionInvalidError(f"{path}/times", "two or more")
    if name == "alarm" and given["by"] != "laboratory":
        raise ConditionInvalidError(f"{path}/by", "laboratory")
    if name == "person":
        _of_somebody(given, path)


def _of_several(given: object, path: str) -> None:
    if not isinstance(given, Mapping) or len(given) < 2:  # noqa: PLR2004 - of one number `value` asks
        raise ConditionInvalidError(path, "two or more items, each with its factor or power")
    for code, factor in given.items():
        number = _number(factor, f"{path}/{code}")
        if number == 0 or abs(number) > _HIGHEST_POWER or number != number.to_integral_value():
            raise ConditionInvalidError(f"{path}/{code}", "a whole number other than 0")


def _of_somebody(given: Mapping[str, Any], path: str) -> None:
    if not given:
        raise ConditionInvalidError(path, "sex, ages or pregnancy")
    if not isinstance(given.get("pregnant", False), bool):
        raise ConditionInvalidError(f"{path}/pregnant", "true or false")
    if given.get("sex", "male") not in ("male", "female"):
        raise ConditionInvalidError(f"{path}/sex", "male or female")
    if given.get("age_from", 0) > given.get("age_to", 200):
        raise ConditionInvalidError(f"{path}/age_to", "not before age_from")
    if given.get("days_from", 0) > given.get("days_to", _OLDEST_DAYS):
        raise ConditionInvalidError(f"{path}/days_to", "not before days_from")


def _asks_for_concepts(given: Mapping[str, Any], path: str) -> None:
    """Refuse concepts that the dictionary does not know, and assertions that no description makes."""
    if ("in" in given) == (given.get("grave") is True):
        raise ConditionInvalidError(path, "either concepts, or whatever is grave")
    for strange in set(given.get("in", ())) - dictionary().codes:
        raise ConditionInvalidError(f"{path}/in", f"no such concept: {strange}")
    for name, known in (("assertion", frozenset(ASSERTIONS)), ("grade", None)):
        asked = given.get(name, ["present"])
        if not isinstance(asked, list) or not asked or (known is not None and not set(asked) <= known):
            raise ConditionInvalidError(f"{path}/{name}", "a list of one or more that there are")
    if given.get("described", True) is not True:
        raise ConditionInvalidError(f"{path}/described", "true, or not at all")
    if given["item"] == EVERY_ITEM and path.count("/") > 1:
        raise ConditionInvalidError(f"{path}/item", "of every item only alone")


def _number(given: object, path: str) -> Decimal:
    try:
        if isinstance(given, str):
            return Decimal(given)
    except InvalidOperation:
        pass
    raise ConditionInvalidError(path, 'a number as text, such as "7.0"')


# --- conditions of conditions (Kleene's three values) ---


def _all(given: Sequence[Condition], case: Case) -> Verdict:
    return _joined([evaluate(c, case) for c in given], need=len(given))


def _any(given: Sequence[Condition], case: Case) -> Verdict:
    return _joined([evaluate(c, case) for c in given], need=1)


def _at_least(given: Mapping[str, Any], case: Case) -> Verdict:
    return _joined([evaluate(c, case) for c in given["of"]], need=given["times"])


def _joined(found: Sequence[Verdict], *, need: int) -> Verdict:
    true, false = [v for v in found if v.holds], [v for v in found if v.holds is False]
    unreadable = tuple(dict.fromkeys(k for v in found for k in v.unreadable))
    if len(true) >= need:
        return Verdict(True, tuple(dict.fromkeys(c for v in true for c in v.clauses)))
    if len(found) - len(false) < need:
        return Verdict(False)
    return Verdict(None, unreadable=unreadable)


def _not(given: Condition, case: Case) -> Verdict:
    inner = evaluate(given, case)
    if inner.holds is None:
        return inner
    return Verdict(not inner.holds)


# --- conditions of values ---


# A flag as it is said; that something is abnormal is what finding it says already.
_FLAG_WORDS = {"H": "偏高", "L": "偏低", "HH": "危急偏高", "LL": "危急偏低"}


def _flag(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    if known is None or known.flag is None or known.by_person:
        return Verdict(None)
    return _said(known.flag in given["in"], known, _FLAG_WORDS.get(known.flag, ""))


def _value(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    if known is None:
        return Verdict(None)
    holds = _within(given, known)
    if holds is None:
        return Verdict(None, unreadable=(known,))
    return _said(holds, known, _asked(given))


def _is(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    if known is None:
        return Verdict(None)
    # The value says itself what was asked of it.
    found = [part for part in known.chosen or (known.text,) if part in given["in"]]
    return _said(bool(found), known, "", found=tuple(found) if known.chosen else ())


def _concept(given: Mapping[str, Any], case: Case) -> Verdict:
    if given["item"] == EVERY_ITEM:
        each = [_concept({**given, "item": code}, case) for code, known in case.values.items() if known.worded]
        return _joined(each, need=1) if each else Verdict(None)
    known = case.values.get(given["item"])
    if known is None:
        return Verdict(None)
    clauses = []
    chosen = bool(known.chosen) or (known.flag is not None and not known.by_person)
    if known.numeric is None and not known.unexamined and not (given.get("described") and chosen):
        clauses.append(_spoken(given, known, mentions_of(known), case.sex))
    if given.get("grave") and known.remarks:
        clauses.append(_spoken(given, known, remarked(known), case.sex, _BESIDE))
    found = tuple(one for one in clauses if one is not None)
    return Verdict(bool(found), found) if clauses else Verdict(None)


_BESIDE = "附注："


def _spoken(
    given: Mapping[str, Any], known: Known, mentions: Iterable[Mention], sex: str, where: str = ""
) -> Clause | None:
    """Return the reason that mentions are, if they are what is asked for; of a remark its sentences, as nobody sees them in the value."""
    found = [one for one in mentions if _is_asked_for(given, one, sex)]
    words = tuple(dict.fromkeys(one.words for one in found))
    said = tuple(dict.fromkeys(one.said for one in found))
    asked = f"{where}{'；'.join(said)}" if where else "/".join(words)
    return Clause(known, asked, words, "", said, beside=bool(where)) if found else None


def mentions_of(known: Known) -> tuple[Mention, ...]:
    """Return what the words of a value speak of: as they were clicked, or as they are read."""
    return read(known.text, known.item_code, known.item_name).mentions if known.coded is None else known.coded


def remarked(known: Known) -> tuple[Mention, ...]:
    """Return what the words beside a value speak of."""
    return tuple(one for remark in known.remarks for one in read(remark, known.item_code, known.item_name).mentions)


def _is_asked_for(given: Mapping[str, Any], one: Mention, sex: str) -> bool:
    if one.assertion not in given.get("assertion", STANDING):
        return False
    # An organ of the other sex is nobody's finding: a person asks whose description that is.
    others = {sex, dictionary().sex_of.get(one.concept, sex)} == {"male", "female"}
    if not (one.grave or others if given.get("grave") else one.concept in given["in"] and not others):
        return False
    if "grade" in given and one.grades.isdisjoint(given["grade"]):
        return False
    # What nobody measured is not known to be large; nor that it is small.
    if "size_ge" in given and (one.size_mm is None or one.size_mm < Decimal(given["size_ge"])):
        return False
    return "size_lt" not in given or (one.size_mm is not None and one.size_mm < Decimal(given["size_lt"]))


def _text(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    if known is None:
        return Verdict(None)
    found = found_words(known.text, given["contains"], given.get("unless", ()))
    return _said(bool(found), known, "/".join(found), found=tuple(found))


def _change(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    earlier = next(iter(case.before.get(given["item"], ())), None)
    if known is None or earlier is None:
        return Verdict(None)
    now, then = _exact(known), _exact(earlier)
    if now is None or then is None or (known.unit or "") != (earlier.unit or ""):
        return Verdict(None, unreadable=(known,))
    if then <= 0 and given.keys() & {"ratio_ge", "ratio_le"}:
        return Verdict(None, unreadable=(known,))
    tests = {
        "ratio_ge": lambda x: now / then >= x,
        "ratio_le": lambda x: now / then <= x,
        "by_ge": lambda x: now - then >= x,
        "by_le": lambda x: then - now >= x,
    }
    asked = [name for name in _CHANGES if name in given]
    words = f"上次 {earlier.said};" + ",".join(f"{_CHANGES[name]} {given[name]}" for name in asked)
    holds = all(tests[name](Decimal(given[name])) for name in asked)
    return _said(holds, known, words, note=f"上次为 {earlier.said}")


def _repeated(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    if known is None:
        return Verdict(None)
    found = [_within(given, k) for k in (known, *case.repeats.get(given["item"], ()))]
    times = sum(1 for holds in found if holds)
    if found[0] is None:
        return Verdict(None, unreadable=(known,))
    return _said(
        bool(found[0]) and times >= given["times"], known, f"{_asked(given)},{times} 次", note=f"本次共 {times} 次如此"
    )


def _first(given: Mapping[str, Any], case: Case) -> Verdict:
    known = case.values.get(given["item"])
    if known is None:
        return Verdict(None)
    holds = _within(given, known)
    if holds is None:
        return Verdict(None, unreadable=(known,))
    seen = any(_within(given, k) for k in case.before.get(given["item"], ()))
    return _said(holds and not seen, known, f"{_asked(given)},首次", note="首次出现")


def _sum(given: Mapping[str, Any], case: Case) -> Verdict:
    return _of_numbers(given, case, lambda parts: sum((n * factor for n, factor in parts), Decimal(0)))


def _product(given: Mapping[str, Any], case: Case) -> Verdict:
    return _of_numbers(given, case, lambda parts: prod((n**power for n, power in parts), start=Decimal(1)))


def _of_numbers(
    given: Mapping[str, Any], case: Case, joined: Callable[[Sequence[tuple[Decimal, Decimal]]], Decimal]
) -> Verdict:
    """Compare what several numbers make together; None where one was not taken, is no exact number, or cannot be divided by."""
    known = [case.values.get(code) for code in given["of"]]
    there = [one for one in known if one is not None]
    if len(there) < len(known):
        return Verdict(None)
    unread = tuple(one for one in there if _exact(one) is None)
    if unread:
        return Verdict(None, unreadable=unread)
    parts = [
        (_exact(one) or Decimal(0), Decimal(factor)) for one, factor in zip(there, given["of"].values(), strict=True)
    ]
    try:
        together = joined(parts)
    except (ZeroDivisionError, InvalidOperation):
        return Verdict(None, unreadable=tuple(there))
    if not together.is_finite():
        return Verdict(None, unreadable=tuple(there))
    holds = all(_BOUNDS[name][1](together, Decimal(given[name])) for name in _BOUNDS if name in given)
    return Verdict(holds, tuple(Clause(one, "", note=_AT_ODDS) for one in there) if holds else ())


_AT_ODDS = "几项合起来看互相矛盾"


def _person(given: Mapping[str, Any], case: Case) -> Verdict:
    # An unknown sex is neither: a rule for women does not fire on it, nor does its negation.
    if "sex" in given and case.sex not in ("male", "female"):
        return Verdict(None)
    fits = given.get("sex", case.sex) == case.sex and given.get("pregnant", case.pregnant) == case.pregnant
    if not (fits and given.get("age_from", 0) <= case.age_years <= given.get("age_to", 200)):
        return Verdict(False)
    return Verdict(_of_days(given, case))


def _of_days(given: Mapping[str, Any], case: Case) -> bool | None:
    """Compare the days since birth with bounds; None where only the years are known and allow both answers."""
    low, high = given.get("days_from", 0), given.get("days_to", _OLDEST_DAYS)
    known = case.age_days
    youngest, oldest = (known, known) if known is not None else (case.age_years * 365, case.age_years * 366 + 365)
    if low <= youngest and oldest <= high:
        return True
    return False if oldest < low or youngest > high else None


def _alarm(_given: Mapping[str, Any], case: Case) -> Verdict:
    found = [known for known in case.values.values() if known.alarm]
    return Verdict(bool(found), tuple(Clause(known, CALLED_CRITICAL, note=CALLED_CRITICAL) for known in found))


def _said(
    holds: bool, known: Known, asked: str, *, found: tuple[str, ...] = (), note: str = "", said: tuple[str, ...] = ()
) -> Verdict:
    return Verdict(True, (Clause(known, asked, found, note, said),)) if holds else Verdict(False)


def _asked(given: Mapping[str, Any]) -> str:
    return ",".join(f"{_BOUNDS[name][0]} {given[name]}" for name in _BOUNDS if name in given)


def _exact(known: Known) -> Decimal | None:
    return known.numeric if known.comparator == "" else None


def _within(given: Mapping[str, Any], known: Known) -> bool | None:
    """Compare a value with bounds; None where the value allows both answers, is no number, or is in another unit."""
    if known.numeric is None or (given.get("unit") and known.unit and given["unit"] != known.unit):
        return None
    answers = [
        _bounded(name, Decimal(given[name]), known.comparator, known.numeric) for name in _BOUNDS if name in given
    ]
    if any(a is False for a in answers):
        return False
    return None if None in answers else True


def _bounded(name: str, bound: Decimal, comparator: str, number: Decimal) -> bool | None:
    if comparator == "":
        return _BOUNDS[name][1](number, bound)
    closed, upward = comparator in ("<=", ">="), name in ("ge", "gt")
    inclusive = name in ("ge", "le")
    # "<5" allows everything from minus infinity up to, but not with, 5: the far end is on one side of any bound, the near end decides.
    away = number > bound if comparator in (">", ">=") else number < bound
    if upward == (comparator in (">", ">=")):
        return True if away or (number == bound and (inclusive or not closed)) else None
    past = number < bound if comparator in (">", ">=") else number > bound
    return None if past or (number == bound and inclusive and closed) else False


_OF_CONDITIONS: Mapping[str, Callable[[Any, Case], Verdict]] = {
    "all": _all,
    "any": _any,
    "at_least": _at_least,
    "not": _not,
}
_OF_VALUES: Mapping[str, Callable[[Any, Case], Verdict]] = {
    "flag": _flag,
    "value": _value,
    "is": _is,
    "concept": _concept,
    "text": _text,
    "change": _change,
    "repeated": _repeated,
    "first": _first,
    "person": _person,
    "alarm": _alarm,
    "sum": _sum,
    "product": _product,
}
