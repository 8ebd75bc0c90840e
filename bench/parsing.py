"""`python -m bench.parsing`: the processor's time to read a message of n, 2n, 4n, 8n of something, as ratios and as an exponent.

An exponent of 1 is time in proportion to the size; of 2, a quadratic. The sizes end below the bounds (adapters/wire/bounds.py), beyond
which a message is refused in one pass: the last row shows what that refusal of a million repetitions costs beside reading a usual report.
"""

import contextlib
import math
import statistics
import time
from collections.abc import Callable

from adapters.lis import reading
from adapters.lis.contract import UnparsableReport

_VENDOR = "hl7_mllp"
_TIMES = (1, 2, 4, 8)
_ROUNDS = 7
_HEADER = "MSH|^~\\&|LIS|LAB|TJAPI||20260801093000||ORU^R01^ORU_R01|M1|P|2.5.1||||||UNICODE UTF-8"
_OBR = "OBR|1|L1|F1|CBC^血常规^L|||20260801080000|||||||||||||||20260801092000+0800||LAB|F"
_OBX = "OBX|1|NM|WBC^白细胞^L||12.30|10^9/L|3.5~9.5|H|||F|||20260801091500"


def _message(*lines: str, numbers: str = "E1^^^TJ^PI") -> bytes:
    return ("\r".join([_HEADER, f"PID|1||{numbers}||陈珅||19800229|F", _OBR, *lines]) + "\r").encode()


def _observations(count: int) -> list[str]:
    return [_OBX.replace("WBC", f"W{i}") for i in range(count)]


GROWING: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "numbers of the person (PID-3)": (120, lambda n: _message(_OBX, numbers="~".join(["1^^^TJ^XX"] * n))),
    "flags of a value (OBX-8)": (120, lambda n: _message(_OBX.replace("|H|", f"|{'~'.join(['H'] * n)}|"))),
    "lines of a text (OBX-5)": (120, lambda n: _message(f"OBX|1|TX|X||{'~'.join(['行'] * n)}||||||F")),
    "observations (OBX)": (500, lambda n: _message(*_observations(n))),
    "groups (OBR and OBX)": (250, lambda n: _message(*[line for obx in _observations(n) for line in (_OBR, obx)])),
    "fields of a segment": (60, lambda n: _message(_OBX + "|x" * n)),
    "letters of a text": (100_000, lambda n: _message(f"OBX|1|FT|X||{'长' * n}||||||F")),
    "escapes in a text": (20_000, lambda n: _message(f"OBX|1|FT|X||{chr(92) + '.br' + chr(92)}{(chr(92) + 'F' + chr(92)) * n}||||||F")),
}  # fmt: skip


def seconds(raw: bytes) -> float:
    """Return the least of some rounds of the processor's time to read a message: what is more than the least was somebody else's."""
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        with contextlib.suppress(UnparsableReport):
            reading.read(_VENDOR, raw)
        found.append(time.process_time() - began)
    return min(found)


def exponent(times: list[float]) -> float:
    """Return the slope of log time over log size."""
    return statistics.linear_regression([math.log(n) for n in _TIMES], [math.log(max(t, 1e-7)) for t in times]).slope


def main() -> None:
    """Print the table."""
    print(f"| grows | n | {' | '.join(f'{n} n' if n > 1 else 'n' for n in _TIMES)} | exponent |")
    print("|---|---|---|---|---|---|---|")
    for name, (size, make) in GROWING.items():
        times = [seconds(make(size * n)) for n in _TIMES]
        print(f"| {name} | {size} | {' | '.join(f'{t / times[0]:.1f}' for t in times)} | {exponent(times):.2f} |", flush=True)  # fmt: skip
    usual, million = seconds(_message(*[_OBX] * 40)), seconds(_message(_OBX, numbers="1~" * 1_000_000))
    print(f"\na million repetitions are refused in the time of {million / usual:.0f} reports of 40 observations")


if __name__ == "__main__":
    main()
