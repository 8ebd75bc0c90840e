"""What an operator is told: by the doctor, by `settings`, by metrics and the alarms that are shipped."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml
from typer.testing import CliRunner

from device_gateway.health import JOURNAL_OK, METRICS, serve_health
from device_gateway.journal import Journal
from tests.conftest import MASTER_KEY, serving
from tjapi import cli, doctor, probe, wiring
from tjapi.kernel import metrics
from tjapi.kernel.inbox import STATES
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import make_demo_seal, seal_expires
from tjapi.kernel.settings import Settings, shown

ROOT = Path(__file__).resolve().parents[2]
RULES: dict[str, Any] = yaml.safe_load((ROOT / "monitoring" / "alerts.yml").read_text(encoding="utf-8"))
PROMTOOL = shutil.which("promtool")


def _tjapi(*argv: str, **told: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TJ_")}
    return subprocess.run(
        [sys.executable, "-m", "tjapi.cli", *argv],
        env=kept | told,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.requirement("P4")
def test_settings_print_what_they_hold_and_no_secret() -> None:
    held = Settings(
        database_url="postgresql+asyncpg://u:s3cr@t/x@db:5432/t", redis_url="redis://:hush@valkey:6379/0", master_key=MASTER_KEY, hospital_name="江州"
    )  # fmt: skip
    told = shown(held)
    assert told["hospital_name"] == "江州"
    assert told["master_key"] == "***"
    assert told["database_url"] == "postgresql+asyncpg://u:***@db:5432/t"
    assert told["redis_url"] == "redis://:***@valkey:6379/0"
    assert (
        shown(held.model_copy(update={"tsa_url": "https://tsa.example/?token=abc&x=1"}))["tsa_url"]
        == "https://tsa.example/?token=***&x=1"
    )
    said = CliRunner().invoke(
        cli.app, ["settings", "--json"], env={"TJ_REDIS_URL": "redis://:hush@v/0", "TJ_MASTER_KEY": MASTER_KEY}
    )
    assert "hush" not in said.stdout
    assert MASTER_KEY not in said.stdout
    assert json.loads(said.stdout)["TJ_REDIS_URL"] == {"held": "redis://:***@v/0", "told": True}


@pytest.mark.parametrize(
    ("argv", "told", "word"),
    [
        (["migrate"], {"TJ_DATABASE_URL": "postgresql+asyncpg://u:p@127.0.0.1:1/x"}, "away"),
        (["load"], {}, "no-address"),
        (["doctor"], {"TJ_PORT": "nonsense"}, "TJ_PORT"),
        (["migrate"], {"TJ_PORT": "nonsense"}, "TJ_PORT"),
        (["administrator", "admin"], {"TJ_DATABASE_URL": "postgresql+asyncpg://u:p@127.0.0.1:1/x"}, "away"),
    ],
)
def test_what_an_operator_got_wrong_is_said_in_a_line(
    argv: list[str], told: dict[str, str], word: str, tmp_path: Path
) -> None:
    ended = _tjapi(
        *argv,
        TJ_STATE=str(tmp_path),
        TJ_HOSPITAL_NAME="江州",
        TJ_MASTER_KEY="".join(f"{n:02x}" for n in range(100, 228, 4)),
        **told,
    )
    assert "Traceback" not in ended.stderr
    assert ended.returncode != 0
    assert word in ended.stderr + ended.stdout


def test_the_doctor_judges_the_figures_and_names_who_does_not_answer() -> None:
    sound = {check.name: check.level for check in doctor.judged({})}
    assert set(sound.values()) == {"ok"}
    ill: dict[tuple[str, ...], float] = {
        ("tjapi_jobs_retrying", "requisition.send"): 3, ("tjapi_requisitions", "failed"): 2, ("tjapi_critical_values", "overdue"): 1,
        ("tjapi_inbox_messages", "unmatched"): 4, ("tjapi_inbox_oldest_unfiled_seconds",): 301, ("tjapi_jobs", "dead"): 1,
    }  # fmt: skip
    found = {check.name: check for check in doctor.judged(ill)}
    assert {name for name, check in found.items() if check.level == "error"} == {
        "neighbours",
        "unfiled messages",
    }
    assert found["neighbours"].found == "3 × requisition.send tried again, 2 orders failed"
    assert (
        found["messages for a person"].level == found["dead jobs"].level == found["critical values"].level == "warning"
    )
    # A neighbour that is tried again for a moment is no fault of the installation.
    (again, *_) = doctor.judged({("tjapi_jobs_retrying", "requisition.send"): 1})
    assert (again.name, again.level) == ("neighbours", "warning")


async def test_the_doctor_reads_a_running_installation(runtime: Runtime, settings: Settings, tmp_path: Path) -> None:
    make_demo_seal(tmp_path / "seal", "x")
    async with serving(wiring.build(runtime.settings)) as url:
        (tmp_path / "demo.json").write_text(json.dumps({"base_url": url, "ports": {}}), encoding="utf-8")
        found = {check.name: check for check in await doctor.examine(tmp_path)}
    assert (found["api"].level, found["database"].level, found["worker"].level) == ("ok", "ok", "error")
    assert "neighbours" in found
    assert found["seal certificate"].level == "ok"
    assert "medical content" not in found  # with --deep alone


async def test_the_doctor_calls_a_strangers_answer_unsound(tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        writer.close()

    stranger = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = stranger.sockets[0].getsockname()[1]
    (tmp_path / "demo.json").write_text(
        json.dumps({"base_url": f"http://127.0.0.1:{port}", "ports": {"gateway_health": port}}), encoding="utf-8"
    )
    found = {check.name: check.level for check in await doctor.examine(tmp_path)}
    stranger.close()
    assert (found["api"], found["gateway"]) == ("error", "error")


def test_certificates_that_end_are_named() -> None:
    now = datetime.now(UTC)
    for days, level in ((-1, "error"), (10, "warning"), (200, "ok")):
        ends = datetime.fromtimestamp(now.timestamp() + days * 86_400, UTC)
        assert doctor._until("x", ends, "", "").level == level
    assert (
        doctor._gateway_certificates("lis=mllps://0.0.0.0:1?cert=/nowhere/a.pem&key=/k&clients=/nowhere/b.pem")[0].level
        == "warning"
    )
    assert seal_expires(Path("/nowhere")) is None


def test_a_probe_ends_with_what_is_wrong(tmp_path: Path) -> None:
    assert probe.ask("http://127.0.0.1:1/readyz", []) != ""


# --- metrics and alarms -----------------------------------------------------------------------------------------------------


def _known() -> set[str]:
    ours = {f"{m.name}{'_total' if m.type == 'counter' else ''}" for m in metrics.REGISTRY.collect()}
    return ours | {name for name, _ in METRICS.values()} | {JOURNAL_OK[0], "up"}


def _rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


@pytest.mark.requirement("P4")
def test_every_metric_that_an_alarm_names_is_served() -> None:
    for rule in _rules():
        named = set(re.findall(r"\b(tjapi_[a-z_]+|up)\b", re.sub(r'"[^"]*"', "", rule["expr"])))
        assert named, rule["alert"]
        assert named <= _known(), (rule["alert"], named - _known())
        assert {"summary", "description"} == set(rule["annotations"])
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_state_that_an_alarm_names_is_one() -> None:
    states = {
        state
        for rule in _rules()
        for told in re.findall(r'tjapi_inbox_messages\{state=~"([^"]+)"', rule["expr"])
        for state in told.split("|")
    }
    assert states
    assert states <= set(STATES)


@pytest.mark.skipif(PROMTOOL is None, reason="needs promtool (`make operator` installs it)")
def test_prometheus_takes_the_rules() -> None:
    assert PROMTOOL
    for what, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        ran = subprocess.run(
            [PROMTOOL, "check", what, str(ROOT / "monitoring" / file)], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr


async def test_the_figures_count_what_there_is(runtime: Runtime, admin: asyncpg.Connection) -> None:
    async with (
        serving(wiring.build(runtime.settings)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        told = (await client.get("/metrics")).text
        overdue = await admin.fetchval(
            "select count(*) from critical_value where state not in ('dismissed','closed','superseded') and due_at < now()"
        )
        assert f'tjapi_critical_values{{kind="overdue"}} {float(overdue)}' in told
        for line in (
            'tjapi_database_pool{kind="size",role="reader"}',
            "tjapi_audit_oldest_unsealed_seconds ",
            "tjapi_seal_certificate_seconds_left ",
        ):
            assert line in told, line


async def test_the_gateway_gives_its_figures_and_none_that_it_cannot_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3", "ab" * 32)
    server = await serve_health(journal, "127.0.0.1", 0, lambda: {"lis": 1})
    port = server.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        told = (await client.get("/metrics")).text
        for name, _ in METRICS.values():
            assert re.search(rf"^{name} 0(\.0)?$", told, re.MULTILINE), name
        assert f"{JOURNAL_OK[0]} 1" in told
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/other")).status_code == 404
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as beside:
            for (table,) in beside.execute(
                "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            ).fetchall():
                beside.execute(f"drop table {table}")
            beside.commit()
        told = (await client.get("/metrics")).text
        assert f"{JOURNAL_OK[0]} 0" in told
        assert METRICS["pending"][0] not in told
    server.close()
    await asyncio.to_thread(journal.close)
