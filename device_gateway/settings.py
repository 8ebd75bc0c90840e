"""Settings of the gateway process, from `TJ_GATEWAY_*` environment variables."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network
THIS_MACHINE: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class GatewaySettings(BaseSettings):
    """Everything an installation may want to change; times in seconds unless named otherwise."""

    model_config = SettingsConfigDict(env_prefix="TJ_GATEWAY_", extra="ignore")

    listen: str = "lis=mllp://127.0.0.1:2575"
    """Channels, separated by commas: `<source>=<protocol>://<host>:<port>[?peers=…&plain]`. The source is the API's `X-Source`.

    `mllps` is MLLP under TLS: `cert`, `key` and `clients` are PEM files; a client needs a certificate of an authority in `clients`. `peers` are
    the addresses or networks (CIDR) that may connect, separated by `|`. Beyond this machine both are said: who may connect, and
    `plain` where it is not encrypted.
    """
    allowed_peers: Annotated[tuple[Network, ...], NoDecode] = THIS_MACHINE
    """Networks that may connect to channels that name none, CIDR, separated by commas. Default: this machine alone."""
    journal: Path = Path("gateway-journal.sqlite3")
    """The SQLite file in which a message is durable before it is acknowledged. Put it on a local disk."""
    journal_key: SecretStr = SecretStr("")
    """64 hex digits that seal the bodies in the journal; unset: they are read from `journal_key_file`."""
    journal_key_file: Path | None = None
    """Made at the first start where it is missing; unset: beside the journal. Keep a copy: without it nothing in the journal opens."""
    retention_days: float = 30.0
    """Delivered messages older than this are dropped from the journal; refused ones never are."""
    max_frame_bytes: int = 10 * 1024 * 1024
    inter_byte_timeout: float = 30.0
    """Silence allowed within a frame."""
    max_connections: int = 512
    handshake_timeout: float = 10.0
    """A TLS handshake that takes longer is given up."""

    api_url: str = "http://127.0.0.1:8000"
    client_id: str = "device-gateway"
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    """Read anew for each token, so that a secret may be rotated, or written after this process started."""
    uplink_concurrency: int = Field(default=8, ge=1, le=64)
    uplink_timeout: float = 30.0

    health_host: str = "127.0.0.1"
    health_port: int | None = None
    """`GET /health` is served here; none when unset, a free port when 0."""
    log_level: str = "info"

    @field_validator("allowed_peers", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value

    def secret(self) -> str:
        """Return the client secret; raises `OSError` when its file cannot be read."""
        if self.client_secret_file:
            return self.client_secret_file.read_text(encoding="utf-8").strip()
        return self.client_secret.get_secret_value() if self.client_secret else ""
