"""What every installation begins with: campuses, roles, starter content, the gateway's client, the first administrators.

Loading twice is loading once; what the hospital changed stays. Secrets of clients that the installation runs itself derive from the
master key: two installations have different ones, and a restart the same.
"""

import json
import os
import secrets
from pathlib import Path

from tjapi.appointment import service as appointments
from tjapi.catalog import service as catalog
from tjapi.identity import flows
from tjapi.identity import service as identity
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import make_demo_seal
from tjapi.kernel.security.keys import KeyRing
from tjapi.kernel.security.principal import SYSTEM
from tjapi.knowledge import service as knowledge

GATEWAY = "device-gateway"
GATEWAY_SECRET = "gateway.secret"  # noqa: S105 - the name of a file
GATEWAY_SCOPES = ("message.push",)
CAMPUSES = {"demo": "1:A:本部院区,2:B:城东院区", "production": "1:A:本院"}
ADMINISTRATORS = {
    "admin": ("admin", "first-admin.json"), "security_admin": ("security", "first-security-admin.json"),
    "auditor": ("auditor", "first-auditor.json"),
}  # fmt: skip
"""The three administrators: role, user name, and the file that holds the first password."""


def client_secret(keys: KeyRing, client_id: str) -> str:
    """Return the secret of a client that this installation runs itself."""
    return keys.text(f"client-secret/{client_id}")


def campuses(text: str) -> list[tuple[int, str, str]]:
    """Return the campuses of the setting: number, letter, name."""
    rows = [row.split(":") for row in text.split(",")]
    return [(int(number), letter, name) for number, letter, name in rows]


async def load(runtime: Runtime) -> None:
    """Load the base. In production the first administrators' passwords go to STATE/first-….json, three files for three people, and the gateway's secret beside it."""
    settings, state = runtime.settings, runtime.settings.state
    async with runtime.units.open(SYSTEM) as uow:
        await identity.load_defaults(uow, campuses(settings.campuses or CAMPUSES[settings.environment]))
    async with runtime.units.open(SYSTEM) as uow:
        await appointments.load_defaults(uow, [campus.id for campus in await identity.campuses(uow)])
    async with runtime.units.open(SYSTEM) as uow:
        await catalog.load_starter(uow)
    async with runtime.units.open(SYSTEM) as uow:
        await knowledge.load_starter(uow, signed=settings.environment == "demo")
    secret = client_secret(runtime.keys, GATEWAY)
    hashed = await flows.hashed_secret(runtime, secret)
    async with runtime.units.open(SYSTEM) as uow:
        await identity.trust_client(uow, GATEWAY, "设备网关", GATEWAY_SCOPES, secret, hashed)
    if settings.environment == "demo":
        make_demo_seal(settings.seal_folder, settings.hospital_name)
    if settings.gateway_secret_file:
        write_private(settings.gateway_secret_file, secret)
    if settings.environment == "production":
        write_private(state / GATEWAY_SECRET, secret)
        for kind in ADMINISTRATORS:
            await name_administrator(runtime, kind)


async def name_administrator(runtime: Runtime, kind: str, *, another: bool = False) -> Path | None:
    """Make the first administrator of a kind where nobody is one, or `another`, for when the last one is gone; return the file of the password.

    Whoever can run this holds the machine and its keys: there is nobody above to let the account in.
    """
    username, file = ADMINISTRATORS[kind]
    password, hashed = await flows.new_password(runtime)
    path = runtime.settings.state / file
    async with runtime.units.open(SYSTEM) as uow:
        made = await identity.first_administrator(uow, kind, username, password, hashed, another=another)
        if made is None:
            return None
        # Before the commit: an account whose password nobody knows would be worse than a file without an account.
        write_private(path, json.dumps({"username": made, "password": password}))
    return path


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
