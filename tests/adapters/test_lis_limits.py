"""A message holds so much and no more, and what it holds is read in steps that grow with its size and no faster."""

import contextlib
from collections.abc import Callable

import pytest

from adapters.lis import hl7_mllp, reading
from adapters.lis.contract import BeyondLimits, LabReport, UnparsableReport
from adapters.wire import bounds
from tests.adapters.steps import steps
from tests.adapters.test_lis_parse import HEADER, OBR, PID

Maker = Callable[[int], bytes]
OBX = "OBX|1|NM|WBC^白细胞^L||12.30|10^9/L|3.5~9.5|H|||F|||20260801091500"


def _message(*lines: str) -> bytes:
    return ("\r".join(lines) + "\r").encode()


def _observations(count: int) -> list[str]:
    return [OBX.replace("WBC", f"W{i}") for i in range(count)]


def _with(place: str, what: Callable[[int], str]) -> Maker:
    """Return what makes a report with so many of something in one field."""
    name, number = place.split("-")

    def make(count: int) -> bytes:
        lines = []
        for line in (HEADER, PID, OBR, OBX, "SPM|1|B1||BLD|||||||||||||20260801075500"):
            fields = line.split("|")
            if fields[0] == name:
                at = int(number) - (name == "MSH")
                fields += [""] * (at + 1 - len(fields))
                fields[at] = what(count)
            lines.append("|".join(fields))
        return _message(*lines)

    return make


GROWN: dict[str, Maker] = {
    **{
        f"{place} repeated": _with(place, lambda n: "~".join(["1^^^TJ^XX"] * n))
        for place in ("PID-3", "PID-5", "OBR-2", "OBR-4", "OBX-3", "OBX-5", "OBX-6", "OBX-8", "SPM-2", "SPM-21")
    },
    "components": _with("OBX-5", lambda n: "^".join(["1"] * n)),
    "subcomponents": _with("PID-5", lambda n: "&".join(["1"] * n)),
    "escapes": _with("OBX-5", lambda n: r"\.br\\X41\\F" * n),
    "lone escapes": _with("OBX-5", lambda n: "\\a" * n),
    "a long text": _with("OBX-5", lambda n: "很长" * n * 10),
    "MSH-18 repeated": _with("MSH-18", lambda n: "~".join(["X"] * n)),
    "observations": lambda n: _message(HEADER, PID, OBR, *_observations(n)),
    "groups": lambda n: _message(HEADER, PID, *[line for obx in _observations(n) for line in (OBR, obx)]),
    "blank lines": lambda n: _message(HEADER, PID, OBR, *[""] * n, OBX),
    "lines that are none": lambda n: _message(HEADER, PID, OBR, *["text"] * n),
    "fields": lambda n: _message(HEADER, PID, OBR, OBX + "|" * (n // 2)),
}


@pytest.mark.parametrize("grown", GROWN)
@pytest.mark.requirement("E3.5", "I2")
def test_reading_takes_steps_in_proportion_to_the_size(grown: str) -> None:
    def read(size: int) -> int:
        raw = GROWN[grown](size)

        def once() -> None:
            with contextlib.suppress(UnparsableReport):
                hl7_mllp.parse(raw)

        once()  # patterns are compiled once
        return steps(once)

    small, double, fourfold = read(200), read(400), read(800)
    assert fourfold - double <= 2.2 * (double - small) + 500, (small, double, fourfold)


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (_with("PID-3", lambda n: "1~" * n)(1_000_000), "PID-3"),
        (_with("PID-3", lambda n: "1~" * n)(bounds.MOST_REPETITIONS + 1), "PID-3"),
        (_with("OBX-8", lambda n: "H~" * n)(1_000_000), "OBX-8"),
        (_with("OBX-5", lambda n: "^" * n)(1_000_000), "OBX-5"),
        (_with("OBX-5", lambda n: "&" * n)(1_000_000), "OBX-5"),
        (GROWN["observations"](bounds.MOST_SEGMENTS + 1), "lines"),
        (GROWN["blank lines"](2_000_000), "lines"),
        (GROWN["fields"](2 * bounds.MOST_FIELDS + 2), "OBX"),
        (b"MSH|^~\\&|" + b" " * bounds.MOST_BYTES, "bytes"),
        (_message(HEADER, PID, OBR, *[OBX] * (hl7_mllp.MOST_OF_ONE + 1)), "one item"),
        (_message(HEADER, PID, OBR, *[OBX.replace("WBC^白细胞^L", f"X{i}^^L^WBC") for i in range(hl7_mllp.MOST_OF_ONE + 1)]), "one item"),
        (_message(HEADER, PID, *[OBR, OBX] * (hl7_mllp.MOST_OF_ONE + 1)), "one item"),
    ],
    ids=["a million numbers", "one number too many", "flags", "components", "subcomponents", "observations", "blank lines", "fields", "bytes", "of one item",
         "of one item by its other code", "of one item in many groups"],
)  # fmt: skip
def test_more_than_any_honest_message_holds_is_refused_naming_the_place(raw: bytes, where: str) -> None:
    with pytest.raises(BeyondLimits) as found:
        reading.read("hl7_mllp", raw)
    assert where in found.value.reason


def test_a_large_honest_report_is_read_whole() -> None:
    lines = "~".join(f"第{n}行" for n in range(bounds.MOST_REPETITIONS))
    report = reading.read("hl7_mllp", _message(HEADER, PID, OBR, *_observations(2_000), f"OBX|2|TX|X||{lines}||||||F"))
    assert isinstance(report, LabReport)
    assert len(report.results[0].observations) == 2_001
    assert report.results[0].observations[-1].raw_value.count("\n") == bounds.MOST_REPETITIONS - 1


def test_as_many_observations_of_one_item_as_may_be_are_read_and_a_text_in_as_many_lines_as_it_has() -> None:
    text = [f"OBX|{i}|TX|X||第{i}行||||||F" for i in range(400)]
    report = reading.read("hl7_mllp", _message(HEADER, PID, OBR, *[OBX] * hl7_mllp.MOST_OF_ONE, *text))
    assert isinstance(report, LabReport)
    assert len(report.results[0].observations) == hl7_mllp.MOST_OF_ONE + 400
