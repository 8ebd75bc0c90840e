"""Reading a laboratory's message: the one function that a child process is given, for every vendor."""

from adapters.lis import registry
from adapters.lis.contract import BeyondLimits, LabReport
from adapters.wire import bounds


def read(vendor: str, raw: bytes) -> LabReport:
    """Read a message. Raises UnparsableReport; BeyondLimits, which is one, where it holds too much."""
    if len(raw) > bounds.MOST_BYTES:
        raise BeyondLimits(f"more than {bounds.MOST_BYTES} bytes")
    return registry.parser(vendor)(raw)
