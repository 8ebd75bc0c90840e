"""`python -m device_gateway`: settings come from `TJ_GATEWAY_*`."""

import asyncio
import os

from device_gateway.app import run
from device_gateway.settings import GatewaySettings


def main() -> None:
    """Start the gateway and stay until told to stop. What it writes is its owner's alone."""
    os.umask(0o077)
    asyncio.run(run(GatewaySettings()))


if __name__ == "__main__":
    main()
