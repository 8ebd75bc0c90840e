"""Which laboratory systems we can speak to. A vendor is one file and one line in `VENDORS`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.lis import hl7_mllp
from adapters.lis.contract import LabReport, LisClient


@dataclass(frozen=True, slots=True)
class Vendor:
    """How to reach one vendor's system, and how to read what it sends."""

    client: Callable[[Mapping[str, object]], LisClient]
    parse: Callable[[bytes], LabReport]


VENDORS: dict[str, Vendor] = {
    "hl7_mllp": Vendor(hl7_mllp.client, hl7_mllp.parse),
}


def client(vendor: str, config: Mapping[str, object]) -> LisClient:
    """Make a client; raises `KeyError` for an unknown vendor, `ValueError` for a bad or unknown setting."""
    return VENDORS[vendor].client(config)


def parser(vendor: str) -> Callable[[bytes], LabReport]:
    """Return the vendor's `parse`; it raises `UnparsableReport`. Raises `KeyError` for an unknown vendor."""
    return VENDORS[vendor].parse
