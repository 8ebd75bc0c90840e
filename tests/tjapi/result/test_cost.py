"""What a stranger wrote costs time in proportion to its length, whatever it is: filing runs where everybody else's work runs as well."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from tests.adapters.steps import steps
from tjapi.examinee.rules import is_one_name
from tjapi.knowledge import descriptions
from tjapi.result.rules.flags import flag_of, lab_critical, lab_flag, lab_snapshot, whole_marks
from tjapi.result.rules.identity import Identity, disagreement
from tjapi.result.rules.ranges import lab_range, told_range
from tjapi.result.rules.raw import called_critical
from tjapi.result.rules.reading import LONGEST_NUMBER, Said, chosen, put_together, read, without_dust
from tjapi.result.rules.revisions import Fact, contested, current, rivals, standing
from tjapi.result.rules.values import (
    amended,
    disputes,
    finding,
    finding_words,
    measured_behind,
    parse,
    same_unit,
    unit_said,
    voids,
)

pytestmark = pytest.mark.requirement("E3.5", "I2")

T0 = datetime(2026, 11, 29, 9, tzinfo=UTC)
TEXTS: dict[str, Callable[[int], str]] = {
    "stars": lambda n: "7.2" + " *" * n,
    "stars before": lambda n: "* " * n + "7.2",
    "H": lambda n: "7.2 " + "H" * n,
    "H apart": lambda n: "7.2" + " H" * n,
    "brackets": lambda n: "7.2" + "(↑)" * n,
    "digits": lambda n: "7" * n,
    "points": lambda n: "7." * n,
    "blanks": lambda n: "7.2" + " " * n + "mmol/L",
    "signs": lambda n: "<" * n + "7",
    "entities": lambda n: "&gt;" * n + "7",
    "minus": lambda n: "-" * n,
    "grades": lambda n: "+" * n,
    "letters": lambda n: "x" * n,
    "parts": lambda n: ";".join(str(i) for i in range(n)),
    "one part": lambda n: "阴性;" * n,
    "range": lambda n: "1" * n + "-" + "2" * n,
    "names": lambda n: "重" * n,
    "marks": lambda n: "更正标本" * (n // 4),
    "notes": lambda n: "corrected specimen not " * (n // 22),
    "words": lambda n: "zhang " * n,
}
NOBODY = Identity(None, (), None, None)


def _read(kind: str) -> Callable[[str], object]:
    return lambda text: read(kind, text, ["mmol/L", "mg/dL"])


def _put(kind: str) -> Callable[[str], object]:
    return lambda text: put_together(
        kind, [Said(text, text, 0, (), text, (text,)), Said("7.2", "mmol/L", 1)], ["mmol/L"], ["阴性"]
    )


READERS: dict[str, Callable[[str], object]] = {
    **{f"read {kind}": _read(kind) for kind in ("numeric", "qualitative", "multi_select", "text")},
    **{f"put_together {kind}": _put(kind) for kind in ("numeric", "qualitative", "multi_select", "text")},
    "parse": parse,
    "finding_words": finding_words,
    "finding": finding,
    "chosen": chosen,
    "lab_flag": lambda text: lab_flag([text], ""),
    "lab_critical": lambda text: lab_critical([text], ""),
    "lab_range": lab_range,
    "without_dust": without_dust,
    "whole_marks": lambda text: whole_marks([text]),
    "called_critical": lambda text: called_critical(f"MSH|^~\\&|\rOBX|1|NM|{text}||{text}|||{text}|".encode()),
    "lab_snapshot": lambda text: lab_snapshot(text, told_range(text)),
    "disputes": lambda text: disputes(["阴性"], text),
    "disputes a positive": lambda text: disputes(["阳性"], text),
    "voids": voids,
    "amended": lambda text: amended(["4.1"], text),
    "measured_behind": measured_behind,
    "unit_said": unit_said,
    "same_unit": lambda text: same_unit(text, "mmol/L"),
    "flag_of": lambda text: flag_of("qualitative", parse(text), None),
    "is_one_name": lambda text: is_one_name(text, "张伟"),
    "is_one_name in letters": lambda text: is_one_name(text, "zhang wei"),
    "disagreement": lambda text: disagreement(NOBODY, Identity(text, (text, "张伟"), "male", None), is_one_name),
}


def _seconds(work: Callable[[], object]) -> float:
    found = []
    for _ in range(3):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_value_is_read_in_time_in_proportion_to_its_length(reader: str, text: str) -> None:
    few, many = TEXTS[text](2_000), TEXTS[text](16_000)
    READERS[reader](few)
    descriptions.read.cache_clear()  # what was read once is not read again: both are measured unread
    once = steps(lambda: READERS[reader](few))
    assert steps(lambda: READERS[reader](many)) <= 12 * once + 2_000
    # Within one regular expression nobody counts: the processor's time, eight times as long in less than half of the square.
    small = _seconds(lambda: READERS[reader](few))
    assert _seconds(lambda: READERS[reader](many)) <= 30 * small + 0.05


def test_what_is_longer_than_any_number_or_bears_more_marks_than_anybody_writes_is_none() -> None:
    assert read("numeric", "7.2 " + "x" * LONGEST_NUMBER, ["x" * LONGEST_NUMBER]) is None
    for raw in (
        "7.2 H H H H",
        "* * * * 7.2",
        "7.2" + "0" * LONGEST_NUMBER,
        "7.2 " + "H" * 30_000,
        "7.2" + " *" * 30_000,
    ):
        assert read("numeric", raw) is None, raw[:40]
    kept = read("numeric", "7.2 ↑ *")
    assert kept is not None
    assert (kept.value.numeric, kept.mark) == (Decimal("7.2"), "H")


@pytest.mark.parametrize("kind", ["numeric", "qualitative", "multi_select", "text"])
def test_many_observations_of_one_item_are_put_together_in_steps_in_proportion_to_their_number(kind: str) -> None:
    def work(count: int) -> int:
        said = [Said(f"{i}.5" if i % 2 else f"见备注{i}", "mmol/L", i) for i in range(count)]
        return steps(lambda: put_together(kind, said, ["mmol/L"], ["阴性"]))

    work(10)
    assert work(1_600) <= 12 * work(200)

    def seconds(count: int) -> float:
        said = [*(Said(f"见备注{i}", "", i) for i in range(count)), Said("阴性", "", count)]
        return _seconds(lambda: put_together(kind, said, [], ["阴性"]))

    small, large = seconds(1_000), seconds(8_000)
    assert large <= 30 * small + 0.05


def _facts(kinds: list[tuple[str, int, int]]) -> list[Fact]:
    return [
        Fact(UUID(int=i), status, str(value), T0 + timedelta(minutes=at), T0 + timedelta(minutes=at), 0, f"{i:08}")
        for i, (status, value, at) in enumerate(kinds)
    ]


@pytest.mark.parametrize("every", ["preliminary", "final", "corrected"])
@pytest.mark.parametrize("choose", [standing, current, rivals, contested])
def test_many_revisions_of_one_result_are_chosen_from_in_time_in_proportion(
    every: str, choose: Callable[[list[Fact]], object]
) -> None:
    def of(count: int) -> list[Fact]:
        return _facts([(every if i % 2 else "final", i % 7, i % 50) for i in range(count)])

    few, many = of(1_500), of(12_000)
    small = _seconds(lambda: choose(few))
    assert _seconds(lambda: choose(many)) <= 30 * small + 0.05
