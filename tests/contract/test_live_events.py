"""What the stream says is what the contract says of it, topic by topic."""

import ast
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.contract.stage import Stage
from tjapi.kernel.security.principal import SYSTEM
from tjapi.operations.live import LIVE_EVENT

SOURCE = Path(__file__).parents[2] / "src" / "tjapi"


def _announced() -> set[str]:
    """Return every topic that a call of `announce` or `announce_many` in the source names."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in {"announce", "announce_many"} and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


@pytest.mark.requirement("P2")
def test_the_contract_lists_every_topic_that_is_announced_and_no_other(document: dict[str, Any]) -> None:
    mapping = document["components"]["schemas"]["LiveEvent"]["discriminator"]["mapping"]
    assert set(mapping) == _announced()


@pytest.mark.requirement("P3")
def test_what_was_announced_while_every_operation_was_played_has_the_shape_of_its_topic(stage: Stage) -> None:
    async def rows() -> list[dict[str, Any]]:
        async with stage.runtime.database.session("reader", SYSTEM) as session:
            held = await session.execute(text("select topic, at, campus_id, data from live_event order by id"))
            return [dict(row._mapping) for row in held]

    heard = stage.run(rows())
    for event in heard:
        LIVE_EVENT.validate_python(event)
    assert len({event["topic"] for event in heard}) > 9, sorted({event["topic"] for event in heard})
