"""`tjapi doctor`: checks an installation and says how to mend what is wrong."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
from cryptography import x509
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from tjapi import content, starting
from tjapi.catalog import service as catalog
from tjapi.kernel.seal import seal_expires
from tjapi.kernel.settings import Settings, project_file
from tjapi.knowledge import service as knowledge

_LITTLE_SPACE = 2 * 2**30
_SOON_DAYS = 30
_LATE_SECONDS = 300
_PEM = re.compile(r"(?:cert|clients)=([^&,\s]+)")
_FONT = "_shared/fonts/NotoSansSC-Regular.ttf"
_MARK = {"ok": "✓", "warning": "!", "error": "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and how to mend it."""

    name: str
    level: Literal["ok", "warning", "error"]
    found: str
    mend: str = ""


async def examine(state: Path, *, deep: bool = False) -> list[Check]:
    """Look at everything; nothing is changed. `deep`: the medical content as well, which takes seconds.

    What `tjapi up` started is found by STATE/demo.json; any other installation by its settings.
    """
    checks = [_python(), _space(state), _key(state), _templates()]
    if deep:
        checks += _content()
    try:
        settings = Settings().model_copy(update={"state": state})
    except ValidationError as error:
        named = ", ".join(f"TJ_{one['loc'][0]}".upper() for one in error.errors(include_input=False) if one["loc"])
        return [*checks, Check("settings", "error", f"not accepted: {named}", "tjapi settings")]
    checks += [
        _refusals(settings, state),
        _seal(settings),
        *_gateway_certificates(os.environ.get("TJ_GATEWAY_LISTEN", "")),
    ]
    told: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((state / "demo.json").read_text(encoding="utf-8"))
    if not told and not settings.database_url:
        return [*checks, Check("server", "warning", f"nothing has been started with {state}", "make run")]
    health = told.get("ports", {}).get("gateway_health") or os.environ.get("TJ_GATEWAY_HEALTH_PORT")
    base = told.get("base_url") or f"http://127.0.0.1:{settings.port}"
    async with httpx.AsyncClient(timeout=3, trust_env=False) as http:
        server, neighbours, gateway = await asyncio.gather(
            _server(http, base), _neighbours(http, base), _gateway(http, health)
        )
    checks += [*server, *neighbours, *gateway]
    checks += [
        _listener(name, port) for name, port in told.get("ports", {}).items() if name not in ("api", "gateway_health")
    ]
    checks += _processes(state)
    return checks


def _refusals(settings: Settings, state: Path) -> Check:
    """Say what keeps processes from starting; `tjapi up` names its own database, so that its folder needs no address."""
    found = [
        one for one in starting.of_settings(settings) if one.code != "no-address" or not (state / "demo.json").exists()
    ]
    if (state / "demo.json").exists() and "environment" not in settings.model_fields_set:
        found = starting.of_settings(settings.model_copy(update={"environment": "demo", "database_url": "up"}))
    return Check(
        "may start", "error" if found else "ok", "; ".join(map(str, found)) or "nothing speaks against it", "mend each; a process ends with 78 until then"
    )  # fmt: skip


def _until(name: str, ends: datetime | None, missing: str, mend: str) -> Check:
    """Say how long a certificate holds: a warning a month before, an error once it has ended."""
    if ends is None:
        return Check(name, "warning", missing, mend)
    days = (ends - datetime.now(UTC)).days
    level: Literal["ok", "warning", "error"] = "error" if days < 0 else "warning" if days < _SOON_DAYS else "ok"
    return Check(name, level, f"until {ends:%Y-%m-%d}, {days} days", mend)


def _seal(settings: Settings) -> Check:
    return _until(
        "seal certificate",
        seal_expires(settings.seal_folder),
        "none: no report can be sealed",
        "put seal.pem, seal.key and ca.pem where TJ_SEAL points",
    )


def _gateway_certificates(listen: str) -> list[Check]:
    """Look at the certificates that the channels of TJ_GATEWAY_LISTEN name, ours and those of whom we let in."""
    checks: list[Check] = []
    for name in dict.fromkeys(_PEM.findall(listen)):
        try:
            ends = min(
                (one.not_valid_after_utc for one in x509.load_pem_x509_certificates(Path(name).read_bytes())),
                default=None,
            )
        except (OSError, ValueError):
            ends = None
        checks.append(
            _until(f"certificate {Path(name).name}", ends, "cannot be read", "renew it, and restart the gateway")
        )
    return checks


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok" if sys.version_info >= (3, 11) else "error", version, "Python 3.11 or newer is needed")


def _space(state: Path) -> Check:
    folder = next(p for p in (state, *state.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    return Check(
        "disk",
        "ok" if free > _LITTLE_SPACE else "error",
        f"{free / 2**30:.1f} GiB free",
        f"make room on the disk of {state}",
    )


def _key(state: Path) -> Check:
    path = state / "master.key"
    if os.environ.get("TJ_MASTER_KEY") or os.environ.get("TJ_MASTER_KEY_FILE"):
        return Check("master key", "ok", "from the environment")
    if not path.exists():
        return Check(
            "master key", "warning", "none yet", "`make run` makes one; keep a copy of it outside this machine"
        )
    is_private = path.stat().st_mode & 0o077 == 0
    return Check(
        "master key",
        "ok" if is_private else "error",
        "present" if is_private else "others can read it",
        f"chmod 600 {path}",
    )


def _templates() -> Check:
    folder = project_file("report_templates")
    is_there = (folder / _FONT).exists()
    return Check(
        "templates and fonts",
        "ok" if is_there else "error",
        str(folder),
        "reinstall: the checkout or the wheel is incomplete",
    )


def _content() -> list[Check]:
    starter, known = catalog.read_starter(), knowledge.read_starter()
    faults, unread = content.check(starter, known), content.unverified(starter, known)
    open_ = {kind: counts for kind, counts in unread.items() if counts[0]}
    grave = [rule.code for rule in known.critical if rule.important_class == "A" and not rule.verified]
    mend = "have the head of the laboratory and the chief physician check and sign them: tjapi content report"
    return [
        Check(
            "medical content", "error" if faults else "ok", f"{len(faults)} faults" if faults else "hangs together", "tjapi content check"
        ),
        Check(
            "medical defaults", "warning" if open_ else "ok",
            "not verified against their source: " + ", ".join(f"{n} of {of} {kind}" for kind, (n, of) in open_.items()), mend,
        ),
        Check("class A rules", "warning" if grave else "ok", f"not verified: {', '.join(grave)}" if grave else "verified", mend),
    ]  # fmt: skip


async def _server(http: httpx.AsyncClient, base: str) -> list[Check]:
    try:
        ready = (await http.get(f"{base}/readyz")).json()
        database, valkey = bool(ready["database"]), bool(ready["valkey"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return [
            Check("api", "error", f"no sound answer at {base}", "make run, or tjapi serve; its log says why it ended")
        ]
    return [
        Check("api", "ok", base),
        Check("database", "ok" if database else "error", "answers" if database else "does not answer", "see the log of PostgreSQL"),
        Check("valkey", "ok" if valkey else "warning", "answers" if valkey else "does not answer", "work goes on, up to 1 s slower"),
        _worker(ready) if database else Check("worker", "warning", "not known while the database does not answer", "mend the database first"),
    ]  # fmt: skip


async def _neighbours(http: httpx.AsyncClient, base: str) -> list[Check]:
    """Say who does not answer us, and what waits: from the figures that the API gives its own machine."""
    try:
        answer = await http.get(f"{base}/metrics")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return [
                Check(
                    "neighbours",
                    "warning",
                    "the API does not show its figures here",
                    "name this machine in TJ_METRICS_PEERS",
                )
            ]
        figures = {
            (one.name, *one.labels.values()): one.value
            for family in text_string_to_metric_families(answer.text)
            for one in family.samples
        }
    except (httpx.HTTPError, ValueError):
        return []
    return judged(figures)


def judged(figures: Mapping[tuple[str, ...], float]) -> list[Check]:
    """Judge the figures of an API, by metric and label values, as the shipped alarm rules do."""
    retrying = {name[1]: n for name, n in figures.items() if name[0] == "tjapi_jobs_retrying" and n}
    failed = figures.get(("tjapi_requisitions", "failed"), 0)
    stalled = [f"{n:.0f} × {name} tried again" for name, n in retrying.items()] + (
        [f"{failed:.0f} orders failed"] if failed else []
    )
    person = sum(figures.get(("tjapi_inbox_messages", state), 0) for state in ("quarantined", "unmatched"))
    overdue, dead = figures.get(("tjapi_critical_values", "overdue"), 0), figures.get(("tjapi_jobs", "dead"), 0)
    unfiled = figures.get(("tjapi_inbox_oldest_unfiled_seconds",), 0)
    return [
        Check("neighbours", "error" if failed else "warning" if stalled else "ok", ", ".join(stalled) or "none is being tried again", "GET /api/v1/jobs names the error; is the LIS up?"),
        Check("critical values", "warning" if overdue else "ok", f"{overdue:.0f} overdue", "call the department on duty: GET /api/v1/critical-values?overdue=true"),
        Check("unfiled messages", "error" if unfiled > _LATE_SECONDS else "ok", f"the oldest waits {unfiled:.0f} s", "is a worker alive?"),
        Check("messages for a person", "warning" if person else "ok", f"{person:.0f}", "GET /api/v1/inbound-messages"),
        Check("dead jobs", "warning" if dead else "ok", f"{dead:.0f}", "GET /api/v1/jobs?state=dead, then :retry"),
    ]  # fmt: skip


async def _gateway(http: httpx.AsyncClient, port: Any) -> list[Check]:
    if not port:
        return [
            Check(
                "gateway",
                "warning",
                "its health port is not known here",
                "set TJ_GATEWAY_HEALTH_PORT for the gateway and for this command",
            )
        ]
    try:
        health = (await http.get(f"http://127.0.0.1:{port}/health")).json()
        waits = float(health.get("oldest_seconds", 0))
    except (httpx.HTTPError, ValueError, AttributeError):
        return [Check("gateway", "error", "does not answer", "see the log of the gateway")]
    is_late = health.get("status") != "ok" or waits > _LATE_SECONDS
    return [
        Check(
            "gateway",
            "error" if is_late else "ok",
            json.dumps(health),
            "is the API up, and the gateway's secret right?",
        )
    ]


def _worker(ready: dict[str, Any]) -> Check:
    state = str(ready.get("worker", "unknown"))
    found = {
        "ok": "takes what is due",
        "absent": "none lives: no message is filed, no report made",
        "stalled": "lives, and its event loop does not turn",
        "behind": f"a job is due for {ready.get('oldest_due_seconds')} s and nobody takes it",
    }.get(state, state)
    return Check("worker", "ok" if state == "ok" else "error", found, "see STATE/logs/worker.log and /api/v1/jobs")


def _listener(name: str, port: int) -> Check:
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(1)
        is_open = probe.connect_ex(("127.0.0.1", port)) == 0
    return Check(
        name,
        "ok" if is_open else "error",
        f"port {port} {'open' if is_open else 'closed'}",
        f"see STATE/logs of {name}",
    )


def _processes(state: Path) -> list[Check]:
    try:
        processes = json.loads((state / "processes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    many = {name: p["restarts"] for name, p in processes.items() if p["restarts"]}
    return [
        Check(
            "restarts",
            "warning" if many else "ok",
            json.dumps(many) if many else "none",
            "see the log of each in STATE/logs",
        )
    ]


async def run(state: Path, *, as_json: bool, deep: bool = False) -> int:
    """Print every check; 1 when something is wrong."""
    checks = await asyncio.create_task(examine(state, deep=deep))
    if as_json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            mend = f"  → {check.mend}" if check.level != "ok" and check.mend else ""
            print(f"{_MARK[check.level]} {check.name:<22}{check.found}{mend}")
    return int(any(check.level == "error" for check in checks))
