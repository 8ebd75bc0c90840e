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
    """How grave its flag is: of values said in one breath the gravest is shown."""
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
    def sequence(self) -> tuple[datetime, int, datetime, str]:
        """A total order that does not depend on arrival."""
        return self.observed_at, self.order, self.issued_at, self.meaning


def standing(facts: Iterable[Fact]) -> list[Fact]:
    """Return the values that no entered_in_error has struck.

    It strikes, of what was observed up to its own moment, the values equal to the one it repeats; or all, when it repeats none that is
    known. With a value go those of a lower status that it had replaced: they do not come back.
    """
    held = list(facts)
    struck: set[UUID] = set()
    for wrong in held:
        if wrong.status != "entered_in_error":
            continue
        before = [
            f
            for f in held
            if f.status != "entered_in_error" and f.moment <= wrong.moment and (wrong.saw is None or f.id in wrong.saw)
        ]
        hit = [f for f in before if wrong.value and f.value == wrong.value] or before
        highest = max((_RANK[f.status] for f in hit), default=0)
        struck |= {f.id for f in hit} | {f.id for f in before if _RANK[f.status] < highest}
    return [f for f in held if f.status != "entered_in_error" and f.id not in struck]


def current(facts: Iterable[Fact]) -> Fact | None:
    """Return the current value of a result: the same for every order in which the same facts arrive.

    Corrected before final before preliminary. Of several corrected, and of several preliminary, the one observed last (said last, at
    the same moment). Of several final ones the first: F is replaced by C only, see `contested` (reliability.md, 10). Of several that
    were said in one breath (two measurements in one report) the gravest.
    """
    held = list(facts)
    if len(held) == 1 and held[0].status != "entered_in_error":
        return held[0]
    valid = standing(held)
    corrected = [f for f in valid if f.status == "corrected"]
    final = [f for f in valid if f.status == "final"]
    if corrected:
        chosen = max(corrected, key=lambda f: f.sequence)
    elif final:
        chosen = min(final, key=lambda f: f.sequence)
    elif valid:
        chosen = max(valid, key=lambda f: f.sequence)
    else:
        return None
    # Hand entries come one after another: each of them is a breath of its own.
    together = [f for f in valid if f.breath == chosen.breath]
    return max(together, key=lambda f: (f.gravity, f.meaning == chosen.meaning, f.meaning))


def rivals(facts: Iterable[Fact]) -> list[Fact]:
    """Return the values that contradict the current one and that nothing decides: a person must ask the laboratory.

    They are every other final value, and whatever was said in one breath with the current one.
    """
    held = list(facts)
    chosen = current(held) if len(held) > 1 else None
    if chosen is None:
        return []
    return [
        f
        for f in standing(held)
        if f.value != chosen.value and (f.breath == chosen.breath or (f.status == chosen.status == "final"))
    ]


def contested(facts: Iterable[Fact]) -> bool:
    """Say whether another value contradicts the current one, and nothing decides between them."""
    return bool(rivals(facts))


def line_target(
    state: str, statuses: Sequence[str | None], *, verify: bool, questioned: bool = False
) -> tuple[str, ...]:
    """Return the steps of a line whose items have current revisions of these statuses (None: no value).

    `verify` says that values speak for themselves once all are final or corrected (the laboratory has verified them); a department's
    line is verified by its signature. A line that loses a value steps back, so that the exam is complete no longer; so does one of
    which somebody has been asked something (`questioned`).
    """
    complete = bool(statuses) and all(s in SETTLED for s in statuses) and not questioned
    if all(s is None for s in statuses):
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
    """Return the digest that is equal for messages that say the same: line, item, sub-id, status, time of observation, value."""
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
