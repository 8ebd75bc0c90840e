"""Which laboratory systems we can speak to. A vendor is one file and one line in `VENDORS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.lis import hl7_mllp
from adapters.lis.contract import LabReport, LisClient


class Parse(Protocol):
    """Reads one message; `charset` is what a person chose for a doubtful one. Raises `UnparsableReport`."""

    def __call__(self, raw: bytes, charset: str | None = None) -> LabReport:
        """Return what the message says."""
        ...


@dataclass(frozen=True, slots=True)
class Vendor:
    """How to reach one vendor's system, and how to read what it sends.

    `split` parts a batch into its messages and names what is wrong around them; `charsets` are what a message may be read in.
    """

    client: Callable[[Mapping[str, object]], LisClient]
    parse: Parse
    split: Callable[[bytes], tuple[tuple[bytes, ...], tuple[str, ...]]]
    charsets: tuple[str, ...]


VENDORS: dict[str, Vendor] = {
    "hl7_mllp": Vendor(hl7_mllp.client, hl7_mllp.parse, hl7_mllp.split, hl7_mllp.CHARSETS),
}


def client(vendor: str, config: Mapping[str, object]) -> LisClient:
    """Make a client; raises `KeyError` for an unknown vendor, `ValueError` for a bad or unknown setting."""
    return VENDORS[vendor].client(config)


def parser(vendor: str) -> Parse:
    """Return the vendor's `parse`; it raises `UnparsableReport`. Raises `KeyError` for an unknown vendor."""
    return VENDORS[vendor].parse
