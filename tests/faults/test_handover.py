"""Whatever the gateway acknowledges, the API takes: an AA is never followed by a refusal that nobody sees."""

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.wire import hl7v2
from device_gateway.channel import parse_channels
from device_gateway.protocols import hl7v2 as protocol
from device_gateway.protocols.hl7v2 import read
from tjapi.installation import GATEWAY, client_secret
from tjapi.kernel.runtime import Runtime

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.requirement("E3.5", "I2")]


@pytest.fixture(scope="module")
async def gateway(own_url: str, own_runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    """The gateway's own login."""
    async with httpx.AsyncClient(base_url=own_url, timeout=10, trust_env=False) as client:
        body = {"client_id": GATEWAY, "client_secret": client_secret(own_runtime.keys, GATEWAY)}
        answer = await client.post("/api/v1/auth/client-token", json=body)
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.mark.parametrize(
    "message_id",
    ["LIS0001", "LIS 0002", "a.b-c_d#e/f:3", "N" * 199, "N" * 200, "检验0004", "\x01x", "~^&", "", "x\x7f", "…"],
)
async def test_every_message_id_that_the_gateway_takes_or_makes_is_taken_by_the_api(
    gateway: httpx.AsyncClient, message_id: str
) -> None:
    frame = read(
        hl7v2.build(
            [["MSH", "LIS", "", "", "", "20261123", "", ("ORU", "R01"), message_id, "P", "2.5.1"], ["PID", "1"]]
        )
    )
    headers = {
        "X-Source": "lis",
        "X-Message-Id": frame.message_id,
        "Content-Type": frame.content_type,
        "X-Sender": frame.sender,
    }
    headers |= {"X-Quarantine": frame.reason} if frame.reason else {}
    answer = await gateway.post("/api/v1/inbound-messages", content=frame.body, headers=headers)
    assert answer.status_code == 202, (frame.message_id, answer.text)
    assert answer.json()["state"] == ("quarantined" if frame.fault else "received")


@pytest.mark.parametrize(
    "reason",
    sorted(
        {
            getattr(protocol, name)
            for name in (
                "CHARSET_DOUBTFUL",
                "UNPARSABLE",
                "NO_USABLE_ID",
                "BATCH_DIFFERS",
                "FRAME_NOT_ENDED",
                "OUTSIDE_A_FRAME",
            )
        }
        | {"content-differs"}
    ),
)
@pytest.mark.parametrize("sender", ["", "LIS/LAB", "%E6%A3%80%7C/", "sha256:" + "f" * 64])
async def test_every_reason_and_sender_that_the_gateway_gives_is_taken_by_the_api(
    gateway: httpx.AsyncClient, reason: str, sender: str
) -> None:
    headers = {
        "X-Source": "lis",
        "X-Message-Id": f"R-{reason}",
        "Content-Type": "application/octet-stream",
        "X-Quarantine": reason,
    }
    headers |= {"X-Sender": sender} if sender else {}
    answer = await gateway.post("/api/v1/inbound-messages", content=b"MSH|", headers=headers)
    assert (answer.status_code, answer.json()["state"]) == (202, "quarantined"), answer.text


@pytest.mark.parametrize("source", ["lis", "lis-2", "lis_2", "l", "l" * 32, "2lis"])
async def test_every_channel_name_that_the_gateway_takes_is_taken_by_the_api(
    gateway: httpx.AsyncClient, source: str
) -> None:
    try:
        (channel,) = parse_channels(f"{source}=mllp://127.0.0.1:2575")
    except ValueError:
        return
    headers = {"X-Source": channel.source, "X-Message-Id": f"FROM-{source}", "Content-Type": "application/hl7-v2"}
    answer = await gateway.post("/api/v1/inbound-messages", content=b"MSH|", headers=headers)
    assert answer.status_code == 202, answer.text
