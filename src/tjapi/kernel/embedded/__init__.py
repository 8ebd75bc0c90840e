"""PostgreSQL and Valkey without an installation, and a supervisor that keeps a few programs alive.

    async with Supervisor(state) as supervisor:
        database = EmbeddedPostgres(state)
        await supervisor.add(database)
        await supervisor.start(ProcessSpec("api", [sys.executable, "-m", "…"], env={...}, ready=answers))
        await supervisor.run_forever()

Everything lives under one state folder: `postgres/`, `valkey/`, `logs/`, `processes.json`. Nothing listens on TCP, nothing needs root (and
PostgreSQL gives root up), and nothing outlives the supervising process: not if it's stopped, not if it's killed.
Linux is what this is built for; elsewhere a killed supervisor leaves its children.
"""

from .errors import EmbeddedError
from .ports import free_port
from .postgres import EmbeddedPostgres
from .supervisor import ProcessSpec, Service, Supervisor
from .valkey import EmbeddedValkey

__all__ = ["EmbeddedError", "EmbeddedPostgres", "EmbeddedValkey", "ProcessSpec", "Service", "Supervisor", "free_port"]
