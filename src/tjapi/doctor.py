"""`tjapi doctor`: checks an installation and says how to mend what is wrong."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from tjapi import content
from tjapi.catalog import service as catalog
from tjapi.kernel.settings import project_file
from tjapi.knowledge import service as knowledge

_LITTLE_SPACE = 2 * 2**30
_FONT = "_shared/fonts/NotoSansSC-Regular.ttf"
_MARK = {"ok": "✓", "warning": "!", "error": "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and how to mend it."""

    name: str
    level: Literal["ok", "warning", "error"]
    found: str
    mend: str = ""


async def examine(state: Path) -> list[Check]:
    """Look at everything; nothing is changed."""
    checks = [_python(), _space(state), _key(state), _templates(), *_content()]
    told: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        told = json.loads((state / "demo.json").read_text(encoding="utf-8"))
    if not told:
        return [*checks, Check("server", "warning", f"nothing has been started with {state}", "make run")]
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        checks += await _server(http, told)
    for name, port in told.get("ports", {}).items():
        if name not in ("api", "gateway_health"):
            checks.append(_listener(name, port))
    checks += _processes(state)
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


async def _server(http: httpx.AsyncClient, told: dict[str, Any]) -> list[Check]:
    try:
        ready = (await http.get(f"{told['base_url']}/readyz")).json()
    except (httpx.HTTPError, ValueError):
        return [
            Check("api", "error", f"no answer at {told['base_url']}", "make run; STATE/logs/api.log says why it ended")
        ]
    checks = [Check("api", "ok", told["base_url"])]
    checks.append(
        Check(
            "database",
            "ok" if ready["database"] else "error",
            "answers" if ready["database"] else "does not answer",
            "see logs/postgres.log",
        )
    )
    checks.append(
        Check(
            "valkey",
            "ok" if ready["valkey"] else "warning",
            "answers" if ready["valkey"] else "does not answer",
            "work goes on, up to 1 s slower",
        )
    )
    checks.append(_worker(ready))
    with contextlib.suppress(httpx.HTTPError, ValueError):
        health = (await http.get(f"http://127.0.0.1:{told['ports']['gateway_health']}/health")).json()
        return [*checks, Check("gateway", "ok", json.dumps(health))]
    return [*checks, Check("gateway", "error", "does not answer", "see STATE/logs/gateway.log")]


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


async def run(state: Path, *, as_json: bool) -> int:
    """Print every check; 1 when something is wrong."""
    checks = await asyncio.create_task(examine(state))
    if as_json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            mend = f"  → {check.mend}" if check.level != "ok" and check.mend else ""
            print(f"{_MARK[check.level]} {check.name:<22}{check.found}{mend}")
    return int(any(check.level == "error" for check in checks))
