"""The front desk for tests of appointments."""

import asyncpg
import pytest

from tests.tjapi.appointment.desk import Desk
from tests.tjapi.world import SignIn
from tjapi.kernel.runtime import Runtime


@pytest.fixture
def desk(runtime: Runtime, sign_in: SignIn, admin: asyncpg.Connection) -> Desk:
    return Desk(runtime, sign_in, admin)
