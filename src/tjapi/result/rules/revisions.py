"""Choosing the current one of many revisions, and the steps of a line that follow. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ResultStatus = Literal["preliminary", "final", "corrected", "entered_in_error"]
STATUSES: tuple[ResultStatus, ...] = ("preliminary", "final", "corrected", "entered_in_error")
SETTLED: frozenset[str] = frozenset({"final", "corrected"})
GIVEN_UP = "given_up"
"""Where the status of an item's value is asked: it has none, and a person has said that none will come."""
_RANK: Mapping[str, int] = {"preliminary": 0, "final": 1, "corrected": 2}

# HL7 table 0085 (OBX-11). Absent ones (I pending, O, N, X "cannot be obtained", U) hold no value to file: a person looks at them.
LIS_STATUS: Mapping[str, ResultStatus] = {
    "P": "preliminary", "R": "preliminary", "S": "preliminary", "F": "final", "C": "corrected", "W": "entered_in_error",
    "D": "entered_in_error",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """What choosing needs of one revision; `value` is a `Value.same`.

    `observed_at` is when it was observed, `issued_at` when it was said; `order` is the place among entries made by hand, which are made
    under a lock one after another, and 0 for messages, whose order of arrival means nothing. `meaning` tells any two apart.
    """

    id: UUID
    status: str
    value: str
    observed_at: datetime
    issued_at: datetime
    order: int
    meaning: str
    gravity: int = 0
    """How grave its flag is, or the laboratory's own: of values that contradict each other the gravest is shown."""
    fullness: int = 0
    """How many flags and remarks it bears: of what says the same, the one that says most of it is shown."""
    message: UUID | None = None
    """The message that said it."""
    saw: frozenset[UUID] | None = None
    """What a person who struck a value had before them; what is said later, be it the same, is not struck."""

    @property
    def moment(self) -> tuple[datetime, int]:
        """When it was observed."""
        return self.observed_at, self.order

    @property
    def breath(self) -> tuple[str, datetime, int, datetime]:
        """What values share that were said together: status, moment, and when they were said."""
        return self.status, self.observed_at, self.order, self.issued_at

    @property
    def saying(self) -> tuple[str, str, datetime, int]:
        """What a later message repeats when it says the same again."""
        return self.status, self.value, self.observed_at, self.order

    @property
    def sequence(self) -> tuple[datetime, int, datetime, str]:
        """A total order that does not depend on arrival."""
        return self.observed_at, self.order, self.issued_at, self.meaning


Statement = tuple[datetime | None, bool, bool]
"""What tells two statements of one value apart: when it was measured, whether it is a correction, whether the laboratory calls it critical."""


def statement(status: str, observed_at: datetime | None, *, alarm: bool) -> Statement:
    """Return what a revision states beside its value. Final after preliminary, and what is sent again, state the same of one measurement.

    `observed_at`: None where whoever says it has no moment of measuring of their own.
    """
    return observed_at, status == "corrected", alarm


@dataclass(frozen=True, slots=True)
class Stated:
    """A revision as one statement of its result; `value` is a `Value.same`; `stands`: nothing has struck it."""

    revision_id: UUID
    result_id: UUID
    value: str
    word: Statement
    stands: bool


def standing(facts: Iterable[Fact]) -> list[Fact]:
    """Return the values that no entered_in_error has struck.

    Of what was said before it, it strikes the values equal to the one it repeats, whenever they were observed; or, when it repeats none
    that is known, whatever was observed up to its own moment. What is said again afterwards stands. With a value go those of a lower
    status that it had replaced: they do not come back. What its own message gives beside it, it does not strike: one number is taken
    back, and another stands.
    """
    held = list(facts)
    struck: set[UUID] = set()
    for wrong in held:
        if wrong.status == "entered_in_error":
            struck |= _struck(held, wrong)
    return [f for f in held if f.status != "entered_in_error" and f.id not in struck]


def _struck(held: Sequence[Fact], wrong: Fact) -> set[UUID]:
    seen = [f for f in held if f.status != "entered_in_error" and _is_before(f, wrong)]
    given = _given_beside(held, wrong)
    equal = [f for f in seen if wrong.value and f.value == wrong.value]
    # Of a number that nobody knows, beside one that is given, nothing else is taken back: a person decides between the two.
    until_now = [] if wrong.value and given else [f for f in seen if f.moment <= wrong.moment and f.value not in given]
    hit = equal or until_now
    highest = max((_RANK[f.status] for f in hit), default=0)
    until = max([wrong.moment, *(f.moment for f in hit)])
    lower = {f.id for f in seen if _RANK[f.status] < highest and f.moment <= until and f.value not in given}
    return {f.id for f in hit} | lower


def _given_beside(held: Sequence[Fact], wrong: Fact) -> frozenset[str]:
    """Return the values that the message of a withdrawal gives besides the one that it takes back."""
    if wrong.message is None:
        return frozenset()
    return frozenset(
        f.value
        for f in held
        if f.message == wrong.message and f.status != "entered_in_error" and f.value != wrong.value
    )


def _is_before(fact: Fact, wrong: Fact) -> bool:
    if wrong.saw is not None and fact.id not in wrong.saw:
        return False
    # Entries by hand are ordered among themselves; of messages, when they were said is the one clock that both bear.
    return fact.moment <= wrong.moment if wrong.order or fact.order else fact.issued_at <= wrong.issued_at


def strikes(facts: Iterable[Fact], wrong: UUID) -> bool:
    """Say whether a withdrawal takes anything back, or gives another value beside: one that does neither is for a person to look at."""
    held = list(facts)
    return any(_struck(held, f) or _given_beside(held, f) for f in held if f.id == wrong)


def current(facts: Iterable[Fact]) -> Fact | None:
    """Return the current value of a result: the same for every order in which the same facts arrive.

    Corrected before final before preliminary. Of several corrected, and of several preliminary, the one observed last (said last, at
    the same moment). Of several final ones the first: F is replaced by C only (reliability.md, 10). Of values that contradict each
    other, see `rivals`, the gravest; of those that say the same, the one that says most beside it.
    """
    valid = standing(facts)
    if len(valid) == 1:
        return valid[0]
    chosen = _chosen(valid)
    if chosen is None:
        return None
    shown = max([chosen, *_contradicting(valid, chosen)], key=lambda f: (f.gravity, f.id == chosen.id, f.meaning))
    same = [f for f in valid if f.saying == shown.saying]
    fullest = max((f.gravity, f.fullness) for f in same)
    return min((f for f in same if (f.gravity, f.fullness) == fullest), key=lambda f: f.sequence)


def _chosen(valid: Sequence[Fact]) -> Fact | None:
    for status in ("corrected", "final", "preliminary"):
        found = [f for f in valid if f.status == status]
        if found:
            # Hand entries come one after another: each of them is a breath of its own.
            return (min if status == "final" else max)(found, key=lambda f: f.sequence)
    return None


def _contradicting(valid: Sequence[Fact], chosen: Fact) -> list[Fact]:
    """Return the other values that nothing decides against: the laboratory's last word is the current one, or it is contested.

    They are every other final value beside a final one; what was said in one breath; a preliminary value of the same report; and
    whatever was said after the current value was said last, though by its status or its moment it does not replace it.
    """
    last = max(f.issued_at for f in valid if f.saying == chosen.saying)
    return [
        f
        for f in valid
        if f.value != chosen.value
        and (
            f.breath == chosen.breath
            or f.status == chosen.status == "final"
            or (not f.order and not chosen.order and f.issued_at > last)
            or (f.message is not None and f.message == chosen.message and f.status == "preliminary")
        )
    ]


def rivals(facts: Iterable[Fact]) -> list[Fact]:
    """Return the values that contradict the current one and that nothing decides: a person must ask the laboratory."""
    held = list(facts)
    shown = current(held) if len(held) > 1 else None
    if shown is None:
        return []
    valid = standing(held)
    chosen = _chosen(valid)
    assert chosen is not None
    contest = [f for f in [chosen, *_contradicting(valid, chosen)] if f.value != shown.value]
    return sorted(contest, key=lambda f: f.sequence)


def contested(facts: Iterable[Fact]) -> bool:
    """Say whether another value contradicts the current one, and nothing decides between them."""
    return bool(rivals(facts))


def line_target(
    state: str, statuses: Sequence[str | None], *, verify: bool, questioned: bool = False
) -> tuple[str, ...]:
    """Return the steps of a line whose items have current revisions of these statuses (None: no value; `GIVEN_UP`: none will come).

    `verify` says that values speak for themselves once all are final or corrected (the laboratory has verified them); a department's
    line is verified by its signature. A line that loses a value steps back, so that the exam is complete no longer; so does one of
    which somebody has been asked something (`questioned`). Of which no item has a value, nothing was examined, whatever was given up.
    """
    complete = bool(statuses) and all(s in SETTLED or s == GIVEN_UP for s in statuses) and not questioned
    if all(s is None or s == GIVEN_UP for s in statuses):
        before = "collected" if verify else "started"
        # Whatever a laboratory says of a tube, also that a value was wrong, it says because it has the tube.
        arrived = (before,) if verify else ()
        steps = {"verified": ("resulted", before), "resulted": (before,), "released": arrived, "sent": arrived}
        return steps.get(state, ())
    if verify and complete:
        return () if state == "verified" else ("verified",) if state == "resulted" else ("resulted", "verified")
    if state == "verified" and not complete:
        return ("resulted",)
    return () if state in ("resulted", "verified") else ("resulted",)


def meaning(parts: Iterable[object]) -> str:
    """Return the digest that is equal for messages that say the same: line, item, sub-id, status, times, value, flags and remarks."""
    said = json.dumps([p if p is None else str(p) for p in parts], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def digest(current: Iterable[tuple[UUID, UUID]], sheets: Iterable[tuple[int, int]], facts_version: int = 0) -> str:
    """Return the digest of what a reviewer sees: results and their current revisions, sheets and their versions, and the exam's facts.

    `facts_version` is how often sex, birth date or pregnancy were corrected.
    """
    said = [f"{result_id}={revision_id}" for result_id, revision_id in current]
    said += [f"{department_id}={version}" for department_id, version in sheets]
    said += [f"facts={facts_version}"] if facts_version else []
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()
