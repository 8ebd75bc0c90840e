"""`make bench`: each path beside its floor, interleaved in one run; ratios, never absolute times.

    python -m bench [--exams 20000] [--rounds 5] [--seconds 2] [--only exam,list,…]
    python -m bench --growth 200000     (reads and lists at a tenth of the exams and at all of them)

Load generator, API process, PostgreSQL and Valkey share the machine's cores. A path is a whole request over a real socket:
authentication, permission, row-level security, idempotency and audit included. Its floor is in `paths`. A run ends with an error only
when something is not answered as it should be; that a goal is missed is said in the table.
"""

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import uvloop

from bench import fixture, messages, paths, queue
from bench.fixture import Copies
from bench.house import House, running
from bench.load import Counter, Measured, connections, for_a_while, measure
from tjapi.kernel import logs

_SHARES = {"past": 0.66, "open": 0.12, "prepared": 0.16, "awaiting": 0.06}
_CALM = 3
_MESSAGES = 120


async def _fill(house: House, size: int) -> dict[str, Copies]:
    originals = await fixture.templates(house)
    made, first = {}, 0
    for kind in fixture.KINDS:
        count = int(size * _SHARES[kind])
        made[kind] = await fixture.copy(house, kind, originals[kind], first, count)
        first += count
    await fixture.settle(house.admin)
    return made


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m bench", description="each path beside its floor")
    asked.add_argument("--exams", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=float, default=2)
    asked.add_argument("--only", default="", help="parts of the table, separated by commas")
    asked.add_argument("--growth", type=int, default=0, help="measure growth up to so many exams, and nothing else")
    return asked.parse_args()


async def main() -> None:
    """Start what is needed, fill it, measure, print."""
    given = _arguments()
    logs.configure("ERROR")
    async with running() as house:
        if given.growth:
            await _growth(house, given)
            return
        began = time.perf_counter()
        made = await _fill(house, given.exams)
        print(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {given.exams} exams × 30 lines × 60 results (filled in {time.perf_counter() - began:.0f} s),",
            end=" ",
        )
        print(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {given.rounds} rounds of {given.seconds:g} s, {paths.CLIENTS} clients\n"
        )
        print(
            "| path | reached/s | floor/s | ratio | goal | met | API CPU µs | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|---|---|"
        )
        wanted = set(filter(None, given.only.split(",")))
        async with connections(house.port, paths.CLIENTS) as sockets:
            for name, make in paths.PATHS.items():
                if not wanted or name in wanted:
                    _row(*await _measured(house, made, sockets, make, given))
        for name, part in _PARTS.items():
            if not wanted or name in wanted:
                await part(house, made, given)
        print(f"\nload at the end {os.getloadavg()[0]:.1f}")


async def _measured(
    house: House, made: dict[str, Copies], sockets: list[paths.Connection], make: paths.Make, given: argparse.Namespace
) -> tuple[paths.Path, Measured]:
    path, bare = await make(house, made, sockets)
    try:
        return path, await measure(
            path.whole, path.floor, clients=paths.CLIENTS, floor_clients=len(bare), rounds=given.rounds, seconds=given.seconds, api=house.api
        )  # fmt: skip
    finally:
        for connection in bare:
            await connection.close()


def _row(path: paths.Path, found: Measured) -> None:
    p50, p99 = found.latency_ms(0.5), found.latency_ms(0.99)
    calm = not path.calm or p99 <= _CALM * p50
    goal = f"≥ {path.goal}{f', p99 ≤ {_CALM} × p50' if path.calm else ''}"
    print(
        f"| {path.name} | {found.per_second:.0f} | {found.floor:.0f} | {found.ratio:.2f} | {goal} | {_met(found.ratio >= path.goal and calm)} |"
        f" {found.cpu_us:.0f} | {p50:.1f} | {p99:.1f} |", flush=True,
    )  # fmt: skip


def _met(reached: bool) -> str:
    return "yes" if reached else "no"


async def _hl7(house: House, made: dict[str, Copies], given: argparse.Namespace) -> None:
    message = (await messages.reports(house, made["awaiting"], 0, 1))[0]
    acknowledged, theirs, read = messages.parse_ratio(message)
    ratio = acknowledged / theirs
    print(
        f"| HL7 ORU, 40 OBX: parse and acknowledge (beside: python-hl7's parse) | {acknowledged:.0f} | {theirs:.0f} | {ratio:.0f} | ≥ 30 | {_met(ratio >= 30)} | – | – | – |"
    )
    print(
        f"| … read in full, every observation (beside: python-hl7's parse) | {read:.0f} | {theirs:.0f} | {read / theirs:.1f} | – | – | – | – | – |"
    )
    rates, floors = [], []
    floors.append(await messages.floor(house, made["awaiting"], message, given.seconds, 1))
    rates.append(await messages.end_to_end(house, made["awaiting"], min(_MESSAGES, made["awaiting"].count // 2 - 8)))
    floors.append(await messages.floor(house, made["awaiting"], message, given.seconds, 2))
    ratio = rates[0] / statistics.mean(floors)
    print(
        f"| HL7 ORU, 40 OBX, end to end: durable before ACK, and filed (beside: bare inserts) | {rates[0]:.0f} | {statistics.mean(floors):.0f} | {ratio:.2f} | ≥ 0.5 | {_met(ratio >= 0.5)} | – | – | – |",
        flush=True,
    )


async def _jobs(house: House, _made: dict[str, Copies], _given: argparse.Namespace) -> None:
    rate = await queue.throughput(house)
    print(f"| empty jobs, one worker | {rate:.0f} | – | – | ≥ 500/s | {_met(rate >= 500)} | – | – | – |", flush=True)
    waits = await queue.idle_start(house)
    p50, p99 = waits[len(waits) // 2], waits[min(len(waits) - 1, int(len(waits) * 0.99))]
    print(
        f"| a job's start on an idle worker | – | – | – | p99 ≤ 50 ms | {_met(p99 <= 50)} | – | {p50:.1f} | {p99:.1f} |",
        flush=True,
    )


_PARTS: dict[str, Callable[[House, dict[str, Copies], argparse.Namespace], Awaitable[None]]] = {
    "hl7": _hl7,
    "jobs": _jobs,
}
_GROWING = ("exam", "list")


async def _growth(house: House, given: argparse.Namespace) -> None:
    """Print how the time of a read grows with the number of exams: the exponent of a power law through two sizes."""
    originals = (await fixture.templates(house))["past"]
    small, large = given.growth // 10, given.growth
    small -= small % len(originals)  # the others go on, template by template, where these end
    made = {"past": await fixture.copy(house, "past", originals, 0, small)}
    await fixture.settle(house.admin)
    before = await _times(house, made, given)
    await fixture.copy(house, "past", originals, small, large - small)
    made = {"past": Copies("past", 0, large, originals)}
    await fixture.settle(house.admin)
    after = await _times(house, made, given)
    print(f"| path | {small} exams, ms | {large} exams, ms | exponent | goal | met |\n|---|---|---|---|---|---|")
    for name in _GROWING:
        exponent = math.log(after[name] / before[name]) / math.log(large / small)
        print(
            f"| {name} | {before[name]:.2f} | {after[name]:.2f} | {exponent:.2f} | ≤ 0.10 | {_met(exponent <= 0.1)} |"
        )


async def _times(house: House, made: dict[str, Copies], given: argparse.Namespace) -> dict[str, float]:
    """Return the median time of one request after another, ms, of each path that is to grow little."""
    found = {}
    async with connections(house.port, 1) as sockets:
        for name in _GROWING:
            path, bare = await paths.PATHS[name](house, made, sockets)
            await for_a_while(path.whole, 1, 3, counter := Counter())
            _, *took = await for_a_while(path.whole, 1, given.seconds * given.rounds, counter)
            found[name] = statistics.median(took) * 1e3
            for connection in bare:
                await connection.close()
    return found


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
