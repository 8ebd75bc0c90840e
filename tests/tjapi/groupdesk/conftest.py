"""What tests of the group desk stand on."""

import asyncpg
import pytest

from tests.tjapi.groupdesk.batch import Batch
from tjapi.kernel.runtime import Runtime


@pytest.fixture
def batch(runtime: Runtime, admin: asyncpg.Connection) -> Batch:
    return Batch(runtime, admin)
