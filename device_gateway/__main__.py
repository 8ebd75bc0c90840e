"""`python -m device_gateway`: settings come from `TJ_GATEWAY_*`."""

import asyncio

from device_gateway.app import run
from device_gateway.settings import GatewaySettings


def main() -> None:
    """Start the gateway and stay until told to stop."""
    asyncio.run(run(GatewaySettings()))


if __name__ == "__main__":
    main()
