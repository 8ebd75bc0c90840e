"""Mutated messages through framing, splitting, decoding and reading: a report, or a refusal by name; never anything else."""

import contextlib
import dataclasses
import random
import time
from pathlib import Path

import pytest

from adapters.lis import registry
from adapters.lis.contract import LabReport, UnparsableReport
from adapters.wire import hl7v2, mllp
from adapters.wire.unseen import sieved

pytestmark = pytest.mark.requirement("E3.5")

CASES = sorted((Path(__file__).resolve().parents[1] / "cases").glob("*.hl7"))
ODD = (
    b"\0", b"\x0b", b"\x1c", b"\r", b"\n", b"\x07", b"\x1b", b"\x7f", b"|", b"^", b"~", b"\\", b"&", b'""', b"\xff", b"\xc3", b"\xe2\x80\x8b",
    b"\xe2\x80\xae", b"\xed\xa0\x80", b"\\X00\\", b"\\X000d\\", b"\\XD83D\\", b"\\.br\\", b"\\.sp99\\", b"99999999999999999999", b"-", b"20269999",
    b"00010101000000+2359", b"99991231235959-2359", b"MSH|", b"\rFHS|^~\\&\r", b"\rBTS|9\r", b"\rOBX|", b"\rNTE|1||", b"\rPID|", "珅".encode("gb18030"), "阳性".encode(),
)  # fmt: skip
CHARSETS = (b"UNICODE UTF-8", b"GB18030", b"8859/1", b"ASCII", b"", b"BIG-5", b"UNICODE", b"~GB18030", b"~~~", b"\xff")


def _mutated(rng: random.Random, raw: bytearray) -> bytes:
    for _ in range(rng.randint(1, 4)):
        _mutate(rng, raw)
    return bytes(raw)


def _mutate(rng: random.Random, raw: bytearray) -> None:
    place = rng.randrange(len(raw)) if raw else 0
    match rng.randrange(9):
        case 0 if raw:
            raw[place] = rng.randrange(256)
        case 1:
            del raw[place:]
        case 2:
            raw[place:place] = rng.choice(ODD)
        case 3:
            raw[place : place + rng.randint(0, 9)] = rng.choice(ODD)
        case 4:
            lines = raw.split(b"\r")
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            raw[:] = b"\r".join(lines)
        case 5:
            lines = raw.split(b"\r")
            rng.shuffle(lines)
            raw[:] = b"\r".join(lines)
        case 6:
            one, other = rng.sample((b"|", b"^", b"~", b"\\", b"&", b"\r", b"$"), 2)
            raw[:] = raw.replace(one, b"\xfe\xfd").replace(other, one).replace(b"\xfe\xfd", other)
        case 7:
            raw[place:place] = rng.choice((b"~", b"^", b"&", b"\\", b"|", b"~5^", b"\rOBX|1")) * rng.choice(
                (3, 40, 2500)
            )
        case 8:
            raw[:] = raw.replace(b"UNICODE UTF-8", rng.choice(CHARSETS))
            if rng.random() < 0.5:
                raw[:] = (
                    bytes(raw).decode("utf-8", "replace").encode(rng.choice(("gb18030", "utf-16", "big5")), "replace")
                )


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for each in value for text in _strings(each)]
    if dataclasses.is_dataclass(value):
        return [text for each in dataclasses.fields(value) for text in _strings(getattr(value, each.name))]
    return []


def _check(report: LabReport) -> None:
    for text in _strings(report):
        assert sieved(text) == text
        assert "\0" not in text
        text.encode()  # a lone surrogate is what PostgreSQL refuses beside NUL


def _run(seed: int, times: int) -> dict[str, int]:
    rng = random.Random(seed)
    sources = [path.read_bytes() for path in CASES]
    parse, outcomes = registry.parser("hl7_mllp"), {"read": 0, "refused": 0}
    for _ in range(times):
        raw = _mutated(rng, bytearray(rng.choice(sources)))
        decoder = mllp.MllpDecoder()
        for frame in decoder.feed(mllp.START + raw + mllp.END) + decoder.unended() + decoder.strays():
            for body in hl7v2.split(frame).messages:
                hl7v2.control_id(body)
                for charset in (None, *(() if rng.randrange(4) else (rng.choice(hl7v2.CHARSETS),))):
                    try:
                        report = parse(body, charset)
                    except UnparsableReport:
                        outcomes["refused"] += 1
                    else:
                        _check(report)
                        outcomes["read"] += 1
    return outcomes


@pytest.mark.parametrize("seed", range(20261129, 20261137))
def test_twenty_thousand_mutated_messages_are_read_clean_or_refused_by_name(seed: int) -> None:
    outcomes = _run(seed, 2_500)
    assert min(outcomes.values()) > 250, outcomes


@pytest.mark.torture
@pytest.mark.timeout(5400)
def test_a_million_mutated_messages_are_read_clean_or_refused_by_name() -> None:
    outcomes = _run(1, 1_000_000)
    assert min(outcomes.values()) > 100_000, outcomes


HEAD = b"MSH|^~\\&|LIS|LAB|TJ||20261129100000||ORU^R01|M1|P|2.5.1||||||UNICODE UTF-8\r"
PID, OBR = b"PID|1||X1^^^TJ^VN||\xe7\x94\xb2||19850307|M\r", b"OBR|1|L1||CHEM\r"
HUGE = {
    "repetitions of PID-3": lambda n: HEAD + b"PID|1||" + b"A1~" * n + b"||\xe7\x94\xb2\r" + OBR,
    "repetitions of OBX-8": lambda n: HEAD + PID + OBR + b"OBX|1|NM|K||5|||" + b"H~" * n + b"|||F\r",
    "components of OBX-5": lambda n: HEAD + PID + OBR + b"OBX|1|CWE|K||" + b"a^" * n + b"|||||F\r",
    "subcomponents of PID-5": lambda n: HEAD + b"PID|1||X1||" + b"a&" * n + b"\r" + OBR,
    "lines of a text": lambda n: HEAD + PID + OBR + b"OBX|1|TX|K||" + b"a~" * n + b"|||||F\r",
    "fields": lambda n: HEAD + PID + OBR + b"OBX|1|NM|K||5" + b"|" * n + b"\r",
    "segments": lambda n: HEAD + PID + OBR + b"OBX|1|NM|K||5\r" * n,
    "empty lines": lambda n: HEAD + PID + OBR + b"\r\n" * n,
    "escapes": lambda n: HEAD + PID + OBR + b"OBX|1|TX|K||" + b"\\F\\" * n + b"|||||F\r",
    "lone escape marks": lambda n: HEAD + PID + OBR + b"OBX|1|TX|K||" + b"\\ " * n + b"|||||F\r",
    "messages in one frame": lambda n: HEAD * n,
    "notes": lambda n: HEAD + PID + OBR + b"NTE|1||a\r" * n,
    "blanks": lambda n: HEAD + PID + OBR + b"OBX|1|ST|K||" + b" " * n + b"5|||||F\r",
}


@pytest.mark.parametrize("what", HUGE)
def test_what_a_message_costs_grows_as_it_does(what: str) -> None:
    def cost(times: int) -> float:
        raw = HUGE[what](times)
        began = time.process_time()
        for body in hl7v2.split(raw).messages[:1]:
            with contextlib.suppress(UnparsableReport):
                registry.parser("hl7_mllp")(body)
        return time.process_time() - began

    # Sixteen times as much may take sixteen times as long; what is quadratic takes two hundred and fifty-six.
    small, large = min(cost(10_000) for _ in range(3)), cost(160_000)
    assert large < 90 * max(small, 0.002), (small, large)
