"""Reading a laboratory's message: the one function that a child process is given, for every vendor."""

from adapters.lis import registry
from adapters.lis.contract import Batch, BeyondLimits, LabReport
from adapters.wire import bounds


def read(vendor: str, raw: bytes, charset: str | None = None) -> LabReport | Batch:
    """Read a message, or part a batch into its messages; `charset` is what people chose for a doubtful one.

    Raises UnparsableReport; BeyondLimits, which is one, where it holds too much.
    """
    if len(raw) > bounds.MOST_BYTES:
        raise BeyondLimits(f"more than {bounds.MOST_BYTES} bytes")
    messages, faults = registry.VENDORS[vendor].split(raw)
    if len(messages) > 1:
        return messages, faults
    return registry.parser(vendor)(raw, charset)
