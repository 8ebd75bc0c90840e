"""The stage on which the contract is tried."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.stage import Stage, load_schema, offline_document, play, serve
from tjapi.kernel import logs


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The contract as the code makes it."""
    return offline_document()


@pytest.fixture(scope="session")
def stage(document: dict[str, Any], worker_name: str) -> Iterator[Stage]:
    """A served application on a clone of its own, every operation of which has succeeded once."""
    logs.configure("CRITICAL")
    with serve(f"tj_contract_{worker_name}", load_schema(document)) as held:
        play(held)
        yield held
