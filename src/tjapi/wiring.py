"""The one composition root: who hears what, in which order; which jobs there are; which neighbours are called.

Reactions run in the order in which they are listed here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.lis import registry as lis_registry
from adapters.lis.contract import (
    Batch,
    BeyondLimits,
    LabObservation,
    LabRefusal,
    LabReport,
    LabResult,
    LisClient,
    UnparsableReport,
)
from tjapi.appointment.jobs import JOBS as APPOINTMENT_JOBS
from tjapi.appointment.reactions import REACTIONS as APPOINTMENT_REACTIONS
from tjapi.conclusion.reactions import REACTIONS as CONCLUSION_REACTIONS
from tjapi.critical_value.jobs import JOBS as CRITICAL_JOBS
from tjapi.critical_value.reactions import REACTIONS as CRITICAL_REACTIONS
from tjapi.employer.flows import READ_LIST
from tjapi.employer.jobs import JOBS as EMPLOYER_JOBS
from tjapi.employer.reactions import REACTIONS as EMPLOYER_REACTIONS
from tjapi.exam.reactions import REACTIONS as EXAM_REACTIONS
from tjapi.frontdesk.jobs import JOBS as FRONTDESK_JOBS
from tjapi.frontdesk.reactions import REACTIONS as FRONTDESK_REACTIONS
from tjapi.groupdesk.jobs import JOBS as GROUPDESK_JOBS
from tjapi.groupdesk.reactions import REACTIONS as GROUPDESK_REACTIONS
from tjapi.guidance.reactions import REACTIONS as GUIDANCE_REACTIONS
from tjapi.identity import service as identity
from tjapi.identity.rules import BULK, PERMISSIONS, RATES, STEP_UP, STEP_UP_IN_BULK
from tjapi.kernel import problem
from tjapi.kernel.broker import Broker
from tjapi.kernel.child.pool import Children, Work
from tjapi.kernel.clock import Clock, SystemClock
from tjapi.kernel.db import Database, Look
from tjapi.kernel.events import Event
from tjapi.kernel.jobs.spec import Aside, JobCancelled, JobSpec
from tjapi.kernel.limits import Limits, Rate
from tjapi.kernel.live import LiveHub
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.seal import Seal
from tjapi.kernel.security.fields import FieldCipher
from tjapi.kernel.security.keys import KeyRing, load_master_key
from tjapi.kernel.security.passwords import Hasher
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.security.tokens import TokenClaims, TokenMint
from tjapi.kernel.settings import Settings, project_file
from tjapi.kernel.storage import LocalStorage, Storage
from tjapi.kernel.uow import Announcements, Listener, Reaction, ReactionToMany, UnitOfWork, Units
from tjapi.knowledge.jobs import JOBS as KNOWLEDGE_JOBS
from tjapi.operations.rules import DICTIONARIES
from tjapi.portal import service as portal
from tjapi.portal.reactions import REACTIONS as PORTAL_REACTIONS
from tjapi.report.jobs import JOBS as REPORT_JOBS
from tjapi.report.printing import Printing
from tjapi.report.reactions import REACTIONS as REPORT_REACTIONS
from tjapi.requisition.jobs import JOBS as REQUISITION_JOBS
from tjapi.requisition.reactions import IN_BULK as REQUISITION_IN_BULK
from tjapi.requisition.reactions import REACTIONS as REQUISITION_REACTIONS
from tjapi.result.jobs import JOBS as RESULT_JOBS
from tjapi.result.reactions import IN_BULK as RESULT_IN_BULK
from tjapi.result.reactions import REACTIONS as RESULT_REACTIONS

# A report of 5,000 segments takes half a second of a slow processor and 60 MB.
READ_REPORT = Work(
    "adapters.lis.reading:read", seconds=10, memory=512 * 2**20,
    classes=(LabReport, LabResult, LabObservation, LabRefusal), verdicts=(UnparsableReport, BeyondLimits),
)  # fmt: skip
SEAL_FOOT = "体检专用章"
REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    *EMPLOYER_REACTIONS, *EXAM_REACTIONS, *APPOINTMENT_REACTIONS, *REQUISITION_REACTIONS, *RESULT_REACTIONS, *GUIDANCE_REACTIONS, *CRITICAL_REACTIONS, *CONCLUSION_REACTIONS, *FRONTDESK_REACTIONS, *GROUPDESK_REACTIONS, *REPORT_REACTIONS, *PORTAL_REACTIONS,
)  # fmt: skip
IN_BULK: Mapping[Reaction, ReactionToMany] = {**REQUISITION_IN_BULK, **RESULT_IN_BULK}
"""Reactions that have a way for many facts at once; the others hear them one by one."""
JOBS: tuple[JobSpec, ...] = (
    *KNOWLEDGE_JOBS,
    *EMPLOYER_JOBS,
    *APPOINTMENT_JOBS,
    *REQUISITION_JOBS,
    *RESULT_JOBS,
    *CRITICAL_JOBS,
    *REPORT_JOBS,
    *GROUPDESK_JOBS,
    *FRONTDESK_JOBS,
)


class LisGate:
    """The LIS as flows see it: a client for orders, and what reads what comes back, in a child."""

    def __init__(self, settings: Settings, children: Children) -> None:
        self._settings = settings
        self._children = children
        self._client: LisClient | None = None

    @property
    def client(self) -> LisClient:
        """Return the client, made at the first call: only the worker sends orders."""
        if self._client is None:
            config = {
                "host": self._settings.lis_host,
                "port": self._settings.lis_port,
                "charset": self._settings.lis_charset,
            }
            self._client = lis_registry.client(self._settings.lis_vendor, config)
        return self._client

    async def read(self, _source: str, raw: bytes, charset: str | None = None) -> LabReport | Batch:
        """Read a message of the LIS, or part a batch, in a child; `charset` is what people chose for a doubtful one.

        Raises UnparsableReport, BeyondLimits, Overrun, Broken.
        """
        read: LabReport | Batch = await self._children.ask(READ_REPORT, self._settings.lis_vendor, raw, charset)
        return read

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            await self._client.close()


class SealBox:
    """Where the seal is kept: its key is read when something is sealed, which only the worker does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seal: Seal | None = None

    def open(self) -> Seal:
        """Return the seal. Raises SealMissingError."""
        if self._seal is None:
            font = project_file("report_templates") / "_shared" / "fonts" / "NotoSansSC-Bold.ttf"
            self._seal = Seal(
                self._settings.seal_folder, rim=self._settings.hospital_name, foot=SEAL_FOOT, font=font, tsa_url=self._settings.tsa_url
            )  # fmt: skip
        return self._seal


@dataclass(frozen=True, slots=True)
class Services:
    """The neighbours of flows."""

    lis: LisGate
    children: Children
    printing: Printing
    storage: Storage
    watermark: str | None
    seal_box: "SealBox"
    payment_required: bool

    @property
    def seal(self) -> Seal:
        """The hospital's seal. Raises SealMissingError."""
        return self.seal_box.open()

    async def close(self) -> None:
        """Let go of every neighbour."""
        await self.lis.close()
        await self.children.close()
        await self.printing.close()


async def authenticate(look: Look, claims: TokenClaims) -> Principal | None:
    """Return the principal of a token: staff and clients from identity, examinees from the portal."""
    if claims.kind == "examinee":
        return await portal.authenticate(look, claims)
    return await identity.authenticate(look, claims)


def announcements(
    reactions: Iterable[tuple[type[Event], Reaction]] = REACTIONS, jobs: Iterable[JobSpec] = JOBS
) -> Announcements:
    """Return who hears what."""
    heard: dict[type[Event], list[Reaction]] = {}
    for event, reaction in reactions:
        heard.setdefault(event, []).append(reaction)
    told = {spec.name: spec.aside for spec in jobs if spec.aside is not None}
    heard.setdefault(JobCancelled, []).append(_tells(told))
    listeners: dict[type[Event], list[Listener]] = {}
    for spec in jobs:
        for event in spec.on:
            listeners.setdefault(event, []).append(
                Listener(spec.name, spec.max_attempts, _drawn(spec.lane), _drawn(spec.key))
            )
    return Announcements(heard, IN_BULK, listeners)


def _tells(told: Mapping[str, Aside]) -> Reaction:
    """Return what says to whoever waits for a job that it was cancelled before it ran."""

    async def tell(uow: UnitOfWork, event: JobCancelled) -> None:
        if event.job in told:
            await told[event.job](uow, event.given, "cancelled")

    return tell


def _drawn(field: str | None) -> Callable[[Any], str | None]:
    return (lambda _event: None) if field is None else (lambda event: f"{field}:{getattr(event, field)}")


def build(settings: Settings, *, clock: Clock | None = None, pool: int | None = None) -> Runtime:
    """Build what a process holds. Nothing connects before it is used."""
    problem.speak(DICTIONARIES | {"permission": PERMISSIONS})
    keys = KeyRing(
        load_master_key(settings.master_key.get_secret_value() if settings.master_key else None, settings.state)
    )
    cipher = FieldCipher(keys)
    clock = clock or SystemClock()
    database = Database(settings, keys, pool=pool)
    broker = Broker(settings.redis_url)
    storage = LocalStorage(settings.state / "files", keys)
    units = Units(database, clock, cipher, announcements(), broker.poke)
    watermark = "演示" if settings.environment == "demo" else None
    children = Children((READ_REPORT.function, READ_LIST.function))
    services = Services(
        LisGate(settings, children), children, Printing(settings.hospital_name, project_file("report_templates"), settings.base_url), storage, watermark,
        SealBox(settings), settings.payment_required,
    )  # fmt: skip
    return Runtime(
        settings=settings, clock=clock, keys=keys, cipher=cipher, mint=TokenMint(keys), database=database, broker=broker,
        storage=storage, units=units, live=LiveHub(database), authenticate=authenticate,
        jobs={spec.name: spec for spec in JOBS}, services=services, hasher=Hasher(settings.hash_slots, settings.hash_queue),
        limits=Limits(broker, keys.of("limits/1"), settings.database_url or "", clock.now, factor=settings.rate_factor),
        rates={name: Rate(name, most, seconds) for name, (most, seconds) in RATES.items()},
        in_bulk={name: Rate(f"{name}|bulk", BULK * RATES[name][0], RATES[name][1]) for name in STEP_UP_IN_BULK}, step_up=STEP_UP,
    )  # fmt: skip


async def close(runtime: Runtime) -> None:
    """Let go of everything."""
    await runtime.services.close()
    runtime.hasher.close()
    await runtime.broker.close()
    await runtime.database.close()
