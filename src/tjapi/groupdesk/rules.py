"""How far a member has come. Pure."""

from typing import Literal

Standing = Literal["listed", "booked", "unfinished", "finished", "no_show", "cancelled"]
STANDINGS: tuple[Standing, ...] = ("listed", "booked", "unfinished", "finished", "no_show", "cancelled")
EXAMINED: tuple[str, ...] = ("ready_for_review", "in_review", "finalized")
"""States of an exam of which nothing is outstanding: what is left is the doctors' work."""
NOT_HERE: tuple[str, ...] = ("prepared",)
NOTHING_TO_LOSE: tuple[str, ...] = ("prepared",)
"""States in which an exam may be given another group and price, or be cancelled because somebody did not come."""
