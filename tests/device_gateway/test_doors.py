"""Who may speak to the gateway, and who may read what it keeps."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import sqlite3
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.wire import mllp
from device_gateway.channel import parse_channels
from device_gateway.journal import Arrival, Journal
from device_gateway.sealing import KeyMissingError
from tests.device_gateway.gateway_peers import NAME, Api, exchange, gateway, oru

pytestmark = pytest.mark.requirement("P4")
KEY, OTHER = "11" * 32, "22" * 32
BODY = oru("M1")


def arrival(message_id: str = "M1", body: bytes = BODY) -> Arrival:
    return Arrival("lis", message_id, "a", "application/hl7-v2", body, "2026-08-01T09:30:00+08:00")


def files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file())


# --- the journal ---


async def test_nothing_of_a_message_stands_in_the_journal_in_clear(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite3", KEY)
    await journal.store(arrival())
    kept = b"".join(one.read_bytes() for one in files(tmp_path))
    assert NAME.encode() not in kept
    assert b"GLU" not in kept
    assert (await journal.read(1)).body == BODY
    journal.close()


async def test_a_body_opens_in_its_own_row_alone_and_with_its_own_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = Journal(path, KEY)
    await journal.store(arrival())
    await journal.store(arrival("M2", oru("M2", "9.9")))
    journal.close()
    with pytest.raises(KeyMissingError):
        Journal(path, OTHER)
    with sqlite3.connect(path) as one:
        one.execute("UPDATE message SET body = (SELECT body FROM message WHERE id = 2) WHERE id = 1")
    journal = Journal(path, KEY)
    with pytest.raises(KeyMissingError):
        await journal.read(1)
    assert (await journal.read(2)).body == oru("M2", "9.9")
    journal.close()


async def test_a_sealed_journal_without_its_key_does_not_start_and_makes_no_other(tmp_path: Path) -> None:
    path, key = tmp_path / "j.sqlite3", tmp_path / "keys" / "journal.key"
    journal = Journal(path, key_file=key)
    await journal.store(arrival())
    journal.close()
    kept = key.read_text()
    key.unlink()
    with pytest.raises(KeyMissingError, match=r"journal\.key"):
        Journal(path, key_file=key)
    assert not key.exists()
    key.write_text(kept)
    journal = Journal(path, key_file=key)
    assert (await journal.read(1)).body == BODY
    journal.close()


async def test_what_a_journal_of_before_holds_in_clear_is_sealed_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    journal = Journal(path, KEY)
    for number in range(3):
        await journal.store(arrival(f"M{number}", oru(f"M{number}")))
    journal.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executemany("UPDATE message SET body = ? WHERE message_id = ?", [(oru(f"M{n}"), f"M{n}") for n in range(3)])
        old.execute("ALTER TABLE message DROP COLUMN sealed")
    assert NAME.encode() in path.read_bytes()
    journal = Journal(path, KEY)
    assert [(await journal.read(at)).body for at in (1, 2, 3)] == [oru(f"M{n}") for n in range(3)]
    journal.close()
    assert NAME.encode() not in b"".join(one.read_bytes() for one in files(tmp_path))


@pytest.fixture
def wide_mask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("wide_mask")
async def test_what_the_gateway_writes_is_its_owners_alone_whatever_the_mask_it_was_started_under(
    tmp_path: Path,
) -> None:
    api = Api()
    folder = tmp_path / "deep"
    async with gateway(tmp_path, api, JOURNAL=str(folder / "journal.sqlite3")) as gw:
        await exchange(gw.port, BODY)
        assert len(files(folder)) >= 3
        assert {stat.S_IMODE(one.stat().st_mode) for one in files(folder)} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.usefixtures("wide_mask")
async def test_a_journal_that_was_open_to_all_is_closed_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite3"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE other (a)")
    assert stat.S_IMODE(path.stat().st_mode) & 0o044
    journal = Journal(path, KEY)
    await journal.store(arrival())
    assert {stat.S_IMODE(one.stat().st_mode) for one in files(tmp_path)} == {0o600}
    journal.close()


# --- who may connect ---


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("lis=mllp://0.0.0.0:2575", "who may connect"),
        ("lis=mllp://10.1.1.1:2575?plain", "who may connect"),
        ("lis=mllp://lis.hospital:2575?plain", "who may connect"),
        ("lis=mllp://0.0.0.0:2575?peers=10.1.2.3", "not encrypted"),
        ("lis=mllp://[::]:2575?peers=fd00::/64", "not encrypted"),
        ("lis=mllps://127.0.0.1:2575", "cert, key, clients"),
        ("lis=mllps://0.0.0.0:1?peers=10.1.2.3&cert=a&key=b", "clients"),
        ("lis=mllp://127.0.0.1:1?peer=10.1.2.3", "not a setting of a channel: peer"),
        ("lis=mllp://127.0.0.1:1?peers=10.1.2.300", "10.1.2.300"),
    ],
)
def test_a_channel_that_would_be_open_wider_than_anybody_said_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_channels(text)


def test_a_channel_knows_its_own_peers_and_certificates() -> None:
    plain, under_tls, here = parse_channels(
        "lis=mllp://0.0.0.0:1?peers=10.1.2.3|10.2.0.0/16&plain, his=mllps://0.0.0.0:2?peers=10.9.0.1&cert=a&key=b&clients=c,"
        " ecg=mllp://127.0.0.1:3"
    )
    assert [str(one) for one in plain.peers] == ["10.1.2.3/32", "10.2.0.0/16"]
    assert plain.tls is None
    assert under_tls.tls is not None
    assert (under_tls.tls.cert, under_tls.tls.key, under_tls.tls.clients) == (Path("a"), Path("b"), Path("c"))
    assert [str(one) for one in here.peers] == ["127.0.0.0/8", "::1/128"]


async def test_a_peer_of_one_channel_is_not_heard_on_another(tmp_path: Path) -> None:
    api = Api()
    async with gateway(tmp_path, api, LISTEN="lis=mllp://127.0.0.1:0?peers=127.0.0.2/32") as gw:
        with contextlib.suppress(ConnectionError):
            assert await exchange(gw.port, BODY) == []
        reader, writer = await asyncio.open_connection("127.0.0.1", gw.port, local_addr=("127.0.0.2", 0))
        writer.write(mllp.frame(BODY))
        assert b"MSA|AA|M1" in await asyncio.wait_for(reader.read(4096), 10)
        writer.close()


# --- TLS ---


def authority(folder: Path, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = _certificate(subject, subject, key, key, ca=True)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made, key


def issue(folder: Path, name: str, by: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = _certificate(subject, by[0].subject, key, by[1], ca=False)
    cert, file = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, file


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *, ca: bool
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return made.add_extension(names, critical=False).sign(by, hashes.SHA256())


def client(ca: Path, files: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    if files is not None:
        context.load_cert_chain(*files)
    return context


async def said_under(context: ssl.SSLContext | None, port: int) -> bytes:
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(mllp.frame(BODY))
        said = await asyncio.wait_for(reader.read(4096), 10)
        writer.close()
        return said
    return b""


async def test_under_tls_a_client_is_heard_with_a_certificate_of_ours_and_with_nothing_else(tmp_path: Path) -> None:
    ours, strangers = authority(tmp_path, "ours"), authority(tmp_path, "strangers")
    cert, key = issue(tmp_path, "gateway", ours)
    lis, stranger = issue(tmp_path, "lis", ours), issue(tmp_path, "stranger", strangers)
    ca = tmp_path / "ours.pem"
    api = Api()
    listen = f"lis=mllps://127.0.0.1:0?cert={cert}&key={key}&clients={ca}"
    async with api.serving(), gateway(tmp_path, api, LISTEN=listen, HANDSHAKE_TIMEOUT="1") as gw:
        for context in (client(ca), client(ca, stranger), None):
            assert await said_under(context, gw.port) == b""
        # Who connects and says nothing is given up, and holds no place for ever.
        reader, writer = await asyncio.open_connection("127.0.0.1", gw.port)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
        assert (await gw.health())["pending"] == 0
        assert b"MSA|AA|M1" in await said_under(client(ca, lis), gw.port)
        await api.has("M1")
