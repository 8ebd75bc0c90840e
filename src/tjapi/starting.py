"""What must hold before a process of an installation takes work: what is wrong is said with the way to mend it, and the process does not start.

Two kinds: what the settings and files say (`of_settings`, pure but for reading the seal), and what the database says (`of_database`). A
database that is away is waited for: starting before it is no fault.
"""

import asyncio
import contextlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError

from tjapi import demo, wiring
from tjapi.identity import service as identity
from tjapi.kernel.db import DATABASE_TROUBLE, is_passing
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import is_demo_seal
from tjapi.kernel.security.keys import KeyMissingError, is_worthless, load_master_key
from tjapi.kernel.security.principal import SYSTEM
from tjapi.kernel.settings import DEMO_MARK, Settings

log = structlog.get_logger("starting")
_AGAIN_SECONDS = 1.0
EX_CONFIG = 78
_STAFF_AT_MOST = 10_000
# undefined_table, undefined_function, undefined_schema, undefined_column: the migrations have not been here.
_NOT_MIGRATED = frozenset({"42P01", "42883", "3F000", "42703"})
# invalid_authorization, invalid_password: the roles are made by `tjapi migrate`, their passwords derive from the master key.
_NO_LOGIN = frozenset({"28000", "28P01"})
_NO_DATABASE = "3D000"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a process does not start, and what to do about it, in both languages."""

    code: str
    zh: str
    en: str

    def __str__(self) -> str:
        """Return the line that is printed."""
        return f"{self.code}: {self.zh} · {self.en}"


POOLER = Refusal(
    "pooler", "数据库连接经过会换后端的连接池(如 pgbouncer),行级权限的签名上下文不能保持;请让 TJ_DATABASE_URL 直连 PostgreSQL",
    "between us and PostgreSQL a pooler changes the backend (such as pgbouncer), and the signed context of row security does not hold;"
    " let TJ_DATABASE_URL name PostgreSQL itself",
)  # fmt: skip
NOT_MIGRATED = Refusal(
    "not-migrated",
    "数据库尚未升级到本版本;请先运行 tjapi migrate 与 tjapi load",
    "the database has not been brought to this version; run tjapi migrate and tjapi load first",
)
NO_LOGIN = Refusal(
    "no-login", "数据库不接受本系统的角色:尚未运行 tjapi migrate,或主密钥与当时不同",
    "the database refuses our roles: tjapi migrate has not run, or the master key is another one than it was",
)  # fmt: skip
NO_DATABASE = Refusal(
    "no-database", "TJ_DATABASE_URL 中的数据库不存在", "the database that TJ_DATABASE_URL names does not exist"
)
AWAY = Refusal(
    "away", "数据库没有应答", "the database does not answer; is it running, and does TJ_DATABASE_URL name it?"
)
NO_ADDRESS = Refusal(
    "no-address", "未设置 TJ_DATABASE_URL", "TJ_DATABASE_URL is not set; `tjapi up` brings a database of its own"
)


def of_settings(settings: Settings) -> list[Refusal]:
    """Return what the settings and files of an installation have that no process may start with; a demo may have all but no address."""
    found = [] if settings.database_url else [NO_ADDRESS]
    if settings.environment == "demo":
        return found
    try:
        key = load_master_key(settings.master_key.get_secret_value() if settings.master_key else None, settings.state)
        if is_worthless(key):
            found.append(
                Refusal(
                    "default-key", "主密钥是示例值或几乎没有随机性;请用 tjapi key make 生成",
                    "the master key is an example or hardly random; make one with tjapi key make",
                )
            )  # fmt: skip
    except (KeyMissingError, ValueError) as error:
        found.append(Refusal("no-key", "没有可用的主密钥", str(error)))
    if DEMO_MARK in settings.hospital_name:
        found.append(
            Refusal(
                "demo-name",
                "医院名称仍是演示名称;请设置 TJ_HOSPITAL_NAME",
                "the hospital's name is the demo's; set TJ_HOSPITAL_NAME",
            )
        )
    if is_demo_seal(settings.seal_folder):
        found.append(
            Refusal(
                "demo-seal", "电子印章是演示印章;请在 TJ_SEAL 放入医院自己的证书",
                "the seal is the demo's own; put the hospital's certificate where TJ_SEAL points",
            )
        )  # fmt: skip
    return found


def demo_accounts(staff: Iterable[tuple[str, str, str]], clients: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return who of an installation came with the demo and may still sign in, of (name to sign in with, shown name, state)."""
    ours = {(username, name) for username, name, *_ in demo.STAFF} | {
        (client, name) for client, name, *_ in demo.CLIENTS
    }
    return [login for login, name, state in (*staff, *clients) if state != "disabled" and (login, name) in ours]


async def of_database(runtime: Runtime) -> list[Refusal]:
    """Return what the database has that no process may start with. Raises what a database that is away raises."""
    if not await runtime.database.keeps_context():
        return [POOLER]
    if runtime.settings.environment == "demo":
        return []
    async with runtime.units.read(SYSTEM) as uow:
        staff = [(one.username, one.name, one.status) for one in await identity.staff_page(uow, None, _STAFF_AT_MOST)]
        clients = [(one.client_id, one.name, one.status) for one in await identity.clients(uow)]
    found = demo_accounts(staff, clients)
    if not found:
        return []
    listed = ", ".join(found)
    return [
        Refusal(
            "demo-accounts", f"仍有可登录的演示账号:{listed};请停用它们,或为生产另建数据库",
            f"accounts of the demo can still sign in: {listed}; disable them, or give production a database of its own",
        )
    ]  # fmt: skip


def of_trouble(error: BaseException) -> Refusal | None:
    """Return what a database's refusal means for a start; None: it passes, or it is something else."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    if state in _NOT_MIGRATED:
        return NOT_MIGRATED
    if state in _NO_LOGIN:
        return NO_LOGIN
    if state == _NO_DATABASE:
        return NO_DATABASE
    return POOLER if isinstance(error, asyncpg.ProtocolViolationError) else None


async def examine(settings: Settings, *, patient: bool = True) -> list[Refusal]:
    """Return every reason against starting. `patient`: wait for a database that is away; else raise what it raises."""
    found = of_settings(settings)
    if found:
        return found
    runtime = wiring.build(settings, pool=1)
    try:
        while True:
            try:
                return await of_database(runtime)
            except DATABASE_TROUBLE as error:
                known = of_trouble(error)
                if known is not None:
                    return [known]
                if not (patient and is_passing(error)):
                    raise
                log.warning("starting.database_away")
            await asyncio.sleep(_AGAIN_SECONDS)
    finally:
        with contextlib.suppress(*DATABASE_TROUBLE):
            await wiring.close(runtime)


def refuse_or_go_on(settings: Settings) -> None:
    """Return when the installation may start; else say why not on stderr and end the process with 78 (EX_CONFIG)."""
    found = asyncio.run(examine(settings))
    for refusal in found:
        print(f"tjapi: {refusal}", file=sys.stderr)  # noqa: T201 - before there is anybody else to tell
    if found:
        sys.exit(EX_CONFIG)
