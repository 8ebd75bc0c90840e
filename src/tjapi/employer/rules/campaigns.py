"""State machines of campaigns, members and imports; groups and who belongs to them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

CampaignState = Literal["draft", "open", "completed", "reopened"]
MemberState = Literal["listed", "booked", "done", "no_show", "cancelled"]
MemberDecision = Literal["done", "no_show", "cancelled"]
MaritalStatus = Literal["single", "married", "divorced", "widowed", "unknown"]
Placement = Literal["matched", "assigned", "none", "ambiguous"]
ImportState = Literal["received", "previewed", "committed", "refused", "discarded"]
BeyondCap = Literal["self_paid", "refused"]
AddOns = Literal["self_paid", "within_cap"]
RepricingOutcome = Literal["repriced", "same", "left_alone"]
DiscountTarget = Literal["everything", "package", "item_group"]

MARITAL_STATUSES = ("single", "married", "divorced", "widowed", "unknown")
REPRICINGS = ("repriced", "same", "left_alone")
PLACEMENTS = ("matched", "assigned", "none", "ambiguous")
CAMPAIGN_MOVES: dict[str, frozenset[str]] = {
    "draft": frozenset({"open"}),
    "open": frozenset({"completed"}),
    "completed": frozenset({"reopened"}),
    "reopened": frozenset({"completed"}),
}
MEMBER_MOVES: dict[str, frozenset[str]] = {
    "listed": frozenset({"booked", "done", "no_show", "cancelled"}),
    "booked": frozenset({"listed", "done", "no_show", "cancelled"}),
    "done": frozenset({"booked"}),
    "no_show": frozenset({"listed"}),
    "cancelled": frozenset({"listed"}),
}
IMPORT_MOVES: dict[str, frozenset[str]] = {
    "received": frozenset({"previewed", "refused", "discarded"}),
    "previewed": frozenset({"received", "committed", "discarded"}),
    "committed": frozenset(),
    "refused": frozenset({"received", "discarded"}),
    "discarded": frozenset(),
}
ACTIVE: frozenset[str] = frozenset({"draft", "open", "reopened"})
"""Campaigns whose groups and members may change."""
BOOKABLE: frozenset[str] = frozenset({"open", "reopened"})
TERMINAL: frozenset[str] = frozenset({"done", "no_show", "cancelled"})


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of a group's rule: all of it must hold; what is None or empty asks for nothing. Ages in completed years, inclusive."""

    sex: str = "any"
    age_from: int | None = None
    age_to: int | None = None
    marital_status: str | None = None
    posts: frozenset[str] = frozenset()
    hazards: frozenset[str] = frozenset()

    def unmet(self, facts: "Facts") -> list[str]:
        """Return what keeps a member out: the names of facts that do not fit, `missing_…` where the list does not say them."""
        found = []
        if self.sex != "any":
            found += _asked("sex", None if facts.sex == "unknown" else facts.sex, facts.sex == self.sex)
        if self.age_from is not None or self.age_to is not None:
            low, high = self.age_from or 0, 1_000 if self.age_to is None else self.age_to
            found += _asked("age", facts.age, facts.age is not None and low <= facts.age <= high)
        if self.marital_status is not None:
            said = None if facts.marital_status == "unknown" else facts.marital_status
            found += _asked("marital_status", said, said == self.marital_status)
        if self.posts:
            found += _asked("post", facts.post, facts.post in self.posts)
        if self.hazards:
            found += _asked("hazards", facts.hazards or None, bool(self.hazards & facts.hazards))
        return found


def _asked(name: str, said: object, holds: bool) -> list[str]:
    if holds:
        return []
    return [f"missing_{name}" if said is None else name]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a list says about a member, as far as groups ask for it."""

    sex: str = "unknown"
    age: int | None = None
    marital_status: str = "unknown"
    post: str | None = None
    hazards: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupRule:
    """A group and its rows: a member belongs who meets one of them; a group without rows takes nobody by itself."""

    id: UUID
    code: str
    criteria: Sequence[Criterion]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a member belongs. `reason` is, of nobody's, what each group missed; of several's, their codes."""

    placement: Placement
    group_id: UUID | None = None
    reason: dict[str, list[str]] = field(default_factory=dict)


def place(groups: Iterable[GroupRule], facts: Facts) -> Placed:
    """Say to which one group somebody belongs, or that it is none or several, and why."""
    fitting: list[GroupRule] = []
    missed: dict[str, list[str]] = {}
    for group in groups:
        rows = [row.unmet(facts) for row in group.criteria]
        if any(not row for row in rows):
            fitting.append(group)
        else:
            # The row that came nearest says most.
            missed[group.code] = min(rows, key=len, default=["no_rule"])
    if len(fitting) == 1:
        return Placed("matched", fitting[0].id)
    if fitting:
        return Placed("ambiguous", None, {group.code: [] for group in fitting})
    return Placed("none", None, missed)


def outgrown(groups: Sequence[GroupRule], group_id: UUID, then: Facts, on_the_day: Facts) -> Placed | None:
    """Return where somebody placed by rule belongs on the day of the exam, where that is another group than it was: the age is that of the day."""
    if place(groups, then).group_id != group_id:
        return None  # the rules have changed since, or a person decided
    now = place(groups, on_the_day)
    return None if now.group_id == group_id else now


def years_on(birth: date, day: date) -> int:
    """Return the age in completed years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def may_move(moves: dict[str, frozenset[str]], current: str, to: str) -> bool:
    """Say whether a state machine allows a step."""
    return to in moves.get(current, frozenset())
