"""Every knob, each a `TJ_…` environment variable; `tjapi settings` lists them. Secrets may come from `TJ_…_FILE`."""

import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# What stands between the user and the last @ of the authority: a password may hold an @ of its own.
_PASSWORD = re.compile(r"(://[^/?#:]*:)[^?#]*@")
_SECRET_IN_QUERY = re.compile(r"([?&](?:password|passwd|token|secret|key)=)[^&#]*", re.IGNORECASE)
PACKAGE = Path(__file__).resolve().parents[1]


def project_file(name: str) -> Path:
    """Return a data folder of the project: from the checkout, or from inside the installed wheel."""
    checkout = PACKAGE.parents[1] / name
    return checkout if checkout.exists() else PACKAGE / "_data" / name


DEMO_MARK = "演示"
"""What the names of a demo hold, and no hospital's."""


class Settings(BaseSettings):
    """What a process of tjapi is told from outside."""

    model_config = SettingsConfigDict(env_prefix="TJ_", extra="ignore", hide_input_in_errors=True)

    state: Path = Field(
        Path(".state"), description="folder of everything that must survive: database, files, keys, logs"
    )
    environment: Literal["demo", "production"] = Field(
        "production",
        description="demo loads the demo hospital and prints 演示 on documents; production does neither, and refuses to start with a demo's"
        " accounts, seal, name or key. `tjapi up` alone is demo unless told",
    )
    demo_people: int = Field(
        300, ge=0, le=5_000, description="how many invented examinees the demo hospital has, with their years and the work of a day; 0: none"
    )  # fmt: skip
    database_url: str | None = Field(
        None,
        description="postgresql+asyncpg://user:password@host/database; unset: embedded PostgreSQL. The user needs CREATEROLE"
        " for `tjapi migrate` only; processes log in under roles of their own",
    )
    database_role_prefix: str = Field(
        "tj", pattern=r"^[a-z][a-z0-9_]{0,20}$", description="prefix of the database roles"
    )
    database_pool: int = Field(6, ge=1, le=100, description="connections per process and role")
    statement_timeout_ms: int = Field(15_000, ge=100, description="longest single statement of a request")
    redis_url: str | None = Field(
        None, description="redis:// or unix:// address; unset: embedded Valkey. May vanish at any moment"
    )
    master_key: SecretStr | None = Field(
        None,
        description="64 hex digits from which every other key is derived; unset: STATE/master.key, made at first start",
    )
    campuses: str | None = Field(
        None,
        pattern=r"^\d{1,5}:[A-Z]{1,2}:[^,:]{1,40}(,\d{1,5}:[A-Z]{1,2}:[^,:]{1,40})*$",
        description="the hospital's campuses, number:letter:name, separated by commas; the letter begins exam numbers; unset: `1:A:本院`, in the demo two. Later ones may be added",
    )
    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=0, le=65535, description="port the API listens on")
    public_url: str | None = Field(None, description="how clients reach the API; unset: http://host:port")
    docs: bool | None = Field(
        None, description="whether the API serves its reference and contract (/docs, /redoc, /openapi, /guide); unset: in the demo only"
    )  # fmt: skip
    metrics_peers: str = Field(
        "127.0.0.0/8,::1/128",
        description="addresses or networks that may read /metrics, separated by commas; empty: nobody",
    )
    hsts_seconds: int = Field(
        31_536_000, ge=0, description="for how long browsers keep to HTTPS (HSTS), where TJ_PUBLIC_URL is https; 0: not said"
    )  # fmt: skip
    gateway_secret_file: Path | None = Field(
        None, description="where `tjapi load` writes the secret of the gateway (0600); unset: STATE/gateway.secret, in production alone"
    )  # fmt: skip
    advisories: Path | None = Field(
        None, description="file of known vulnerabilities in the OSV format (JSON list, JSON lines, or zip) for `tjapi advisories`"
    )  # fmt: skip
    access_token_seconds: int = Field(900, ge=30, le=86_400, description="life of an access token")
    session_idle_minutes: int = Field(
        120,
        ge=15,
        le=43_200,
        description="a session that is not renewed for so long ends; an access token lives on to its own end",
    )
    session_hours: int = Field(24, ge=1, le=2_160, description="a session ends after so long, used or not")
    step_up_minutes: int = Field(
        10,
        ge=0,
        le=1_440,
        description="how long a proof of who one is counts for what asks for it anew (recalls, bulk unmasking); 0: never asked",
    )
    second_factor_roles: str | None = Field(
        None,
        pattern=r"^[a-z_0-9,]*$",
        description="roles that sign in with a second factor; unset: the three administrators, in the demo none",
    )
    password_days: int = Field(
        90, ge=0, le=3_650, description="a password older than so many days must be changed; 0: never"
    )
    stream_seconds: float = Field(60, gt=0, description="how often a live stream is asked anew whether it may go on")
    lockout_after: int = Field(
        5,
        ge=1,
        le=50,
        description="failed logins of an account from one address before a pause (doubling from 30 s to 15 min)",
    )
    hash_slots: int = Field(
        max(1, (os.cpu_count() or 2) // 2),
        ge=1,
        le=64,
        description="passwords and secrets that a process hashes at a time, each 0.1 s of a core",
    )
    hash_queue: int = Field(24, ge=0, le=1_000, description="how many more may wait to be hashed; beyond: 429")
    rate_factor: float = Field(
        1.0,
        gt=0,
        le=10_000,
        description="widens every limit on how often something may be done by a caller or an address",
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks of reverse proxies, separated by commas: from these alone X-Forwarded-For counts",
    )
    password_min_length: int = Field(10, ge=8, le=128, description="shortest password (等保 2.0, 8.1.4.1)")
    body_limit: int = Field(2 * 1024 * 1024, ge=1024, description="largest JSON body, bytes")
    upload_limit: int = Field(
        12 * 1024 * 1024, ge=1024, description="largest raw body of an upload or an inbound message, bytes"
    )
    request_seconds: float = Field(30, gt=0, description="longest request; the live stream is exempt")
    worker_slots: int = Field(8, ge=1, le=200, description="jobs one worker runs at a time")
    job_lease_seconds: float = Field(8, ge=1, description="a job whose worker is silent for so long is taken back")
    sweep_seconds: float = Field(
        5, gt=0, description="how often the sweeper looks for orphans (reliability.md 15: every 10 s at least)"
    )
    stall_seconds: float = Field(
        15,
        ge=1,
        description="a worker whose event loop stands still for so long ends itself; the job that held it counts as overrun",
    )
    lis_vendor: str = Field("hl7_mllp", description="the LIS adapter to use (adapters/lis)")
    lis_host: str = Field("127.0.0.1", description="where the LIS listens for orders")
    lis_port: int = Field(2576, ge=1, le=65535, description="port the LIS listens on for orders")
    lis_charset: Literal["UTF-8", "GB18030"] = Field("UTF-8", description="charset of the orders we send")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="what the log keeps")
    hospital_name: str = Field("桂澄中医医院(演示)", description="printed on documents")
    seal: Path | None = Field(
        None,
        description="folder with seal.pem, seal.key (PKCS#8, 0600) and ca.pem of the hospital's electronic seal; unset: STATE/seal, where"
        " the demo makes its own",
    )
    tsa_url: str | None = Field(None, description="RFC 3161 timestamp authority for the seal (PAdES-B-T); unset: B-B")
    payment_required: bool = Field(False, description="whether lines wait for payment before they are released")

    @field_validator("trusted_proxies", "metrics_peers")
    @classmethod
    def _networks(cls, value: str) -> str:
        """Refuse what is no network, when the process starts."""
        for network in filter(None, value.replace(" ", "").split(",")):
            ip_network(network)
        return value.replace(" ", "")

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        """Let a secret come from a file: `TJ_MASTER_KEY_FILE=/run/secrets/key`."""
        for name in ("MASTER_KEY", "DATABASE_URL", "REDIS_URL"):
            path = os.environ.get(f"TJ_{name}_FILE")
            if path and not values.get(name.lower()):
                values[name.lower()] = Path(path).read_text(encoding="utf-8").strip()
        return values

    @property
    def serves_docs(self) -> bool:
        """Return whether the reference and the contract are served."""
        return self.environment == "demo" if self.docs is None else self.docs

    @property
    def seal_folder(self) -> Path:
        """Return where the seal is."""
        return self.seal or self.state / "seal"

    @property
    def base_url(self) -> str:
        """Return the address that clients are told."""
        return self.public_url or f"http://{self.host}:{self.port}"


def shown(settings: Settings) -> dict[str, str]:
    """Return what each setting holds, for people: secrets as ***, and so the passwords of addresses."""
    told: dict[str, str] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            told[name] = "***"
        elif isinstance(value, str) and "://" in value:
            told[name] = _PASSWORD.sub(r"\1***@", _SECRET_IN_QUERY.sub(r"\1***", value))
        else:
            told[name] = "" if value is None else str(value)
    return told
