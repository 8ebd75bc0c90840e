"""What must be told of ten composed people, and what must never be: the words of their printed conclusions.

`TJ_COMPOSED=folder` leaves the reports there as PDF and pictures, to be read as a chief physician and as the patient would.
"""

import os
from pathlib import Path

import pytest

from tests.composed import PEOPLE, keep, play, printed
from tests.tjapi.world import SignIn, World
from tjapi.catalog import service as catalog
from tjapi.kernel.runtime import Runtime

pytestmark = pytest.mark.requirement("X15", "E4.3", "E4.4")


@pytest.mark.parametrize("name", PEOPLE)
def test_what_is_composed_of_somebody_is_examined(name: str) -> None:
    groups = {group.code: group.items for group in catalog.read_starter().item_groups}
    examined = {code for group in PEOPLE[name].groups for code in groups[group]}
    assert PEOPLE[name].values.keys() - examined == set()


@pytest.mark.parametrize("name", PEOPLE)
async def test_what_is_told_of_somebody_composed(name: str, runtime: Runtime, sign_in: SignIn) -> None:
    person = PEOPLE[name]
    _, data = await play(World(runtime, sign_in), person)
    if folder := os.environ.get("TJ_COMPOSED"):
        keep(Path(folder), name, printed(data, runtime.clock.now()))
    cards = data["conclusions"]
    titles = "；".join(card["title"] for card in cards)
    said = "；".join(f"{card['title']}，{card['detail']}，{card['advice']}，{card['lifestyle']}" for card in cards)
    assert [word for word in person.must if word not in titles] == [], titles
    assert [word for word in person.never if word in said] == [], said
    grave = [card["title"] for card in cards if card["level"] == "critical"]
    assert [word for word in person.critical if not any(word in title for title in grave)] == [], grave
