"""`make bench`: each path beside its floor, interleaved in one run; ratios, never absolute times.

    python -m bench [--exams 20000] [--rounds 5] [--seconds 2] [--only exam,list]

Load generator, API process, PostgreSQL and Valkey share the machine's cores. A path is a whole request over a real socket:
authentication, permission, row-level security, idempotency and audit included. Its floor is in `paths`. A run ends with an error only
when something is not answered as it should be; that a goal is missed is said in the table.
"""

import argparse
import os
from datetime import UTC, datetime

import uvloop

from bench import fixture, paths
from bench.fixture import Copies
from bench.house import House, running
from bench.load import connections, measure
from tjapi.kernel import logs

_SHARES = {"past": 0.7, "open": 0.12, "prepared": 0.12, "awaiting": 0.06}


async def _fill(house: House, size: int) -> dict[str, Copies]:
    originals = await fixture.templates(house)
    made, first = {}, 0
    for kind in fixture.KINDS:
        count = int(size * _SHARES[kind])
        made[kind] = await fixture.copy(house, kind, originals[kind], first, count)
        first += count
    await fixture.settle(house.admin)
    return made


async def main() -> None:
    """Start what is needed, fill it, measure, print."""
    asked = argparse.ArgumentParser(prog="python -m bench", description="each path beside its floor")
    asked.add_argument("--exams", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=float, default=2)
    asked.add_argument("--only", default="")
    given = asked.parse_args()
    logs.configure("ERROR")
    async with running() as house:
        began = datetime.now(UTC)
        made = await _fill(house, given.exams)
        seconds = (datetime.now(UTC) - began).total_seconds()
        load = os.getloadavg()[0]
        print(
            f"{given.exams} exams in {seconds:.0f} s; {os.cpu_count()} cores, load {load:.1f}; {given.rounds} rounds of {given.seconds} s\n"
        )
        await _measure(house, made, given)


async def _measure(house: House, made: dict[str, Copies], given: argparse.Namespace) -> None:
    wanted = set(filter(None, given.only.split(",")))
    print(
        "| path | requests/s | floor/s | ratio | goal | met | CPU µs | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|---|---|"
    )
    async with connections(house.port, paths.CLIENTS) as sockets:
        for name, make in paths.PATHS.items():
            if wanted and name not in wanted:
                continue
            path, bare = await make(house, made, sockets)
            found = await measure(
                path.whole, path.floor, clients=paths.CLIENTS, floor_clients=len(bare), rounds=given.rounds, seconds=given.seconds, api=house.api
            )  # fmt: skip
            for connection in bare:
                await connection.close()
            p50, p99 = found.latency_ms(0.5), found.latency_ms(0.99)
            met = found.ratio >= path.goal and (not path.calm or p99 <= 3 * p50)
            print(
                f"| {path.name} | {found.per_second:.0f} | {found.floor:.0f} | {found.ratio:.2f} | ≥ {path.goal} | {'yes' if met else 'no'} |"
                f" {found.cpu_us:.0f} | {p50:.1f} | {p99:.1f} |", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    uvloop.run(main())
