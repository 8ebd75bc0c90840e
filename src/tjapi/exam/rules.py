"""State machines of an exam and of its lines, exam numbers, ages."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, Literal, Protocol, TypeVar

from tjapi.catalog.rules import Age

Key = TypeVar("Key")
ExamState = Literal[
    "prepared", "checked_in", "in_progress", "sheet_returned", "ready_for_review", "in_review", "finalized", "on_hold", "cancelled",
]  # fmt: skip
LineState = Literal[
    "ordered", "released", "sent", "collected", "started", "resulted", "verified",
    "withdrawn", "refused", "waived", "deferred", "substituted", "specimen_rejected",
]  # fmt: skip

Doubt = Literal["past_date", "second_exam", "closed_day", "far_date"]
DOUBTS: dict[Doubt, tuple[str, str]] = {
    "past_date": ("体检日期早于今天", "the day of the exam is past"),
    "second_exam": ("受检者当天已有体检", "the examinee has an exam on that day already"),
    "closed_day": ("院区当天不开诊", "the campus is closed on that day"),
    "far_date": ("体检日期在一年以后", "the day of the exam is more than a year ahead"),
}
"""What may be meant and is rather a slip: asked back, and taken only when somebody says that it is meant."""
Covering = Literal["paid", "remitted"]
"""How what a person owes ends: it was paid, or it is not asked for (免收)."""
LineAction = Literal[
    "added",
    "withdrawn",
    "substituted",
    "refused",
    "waived",
    "deferred",
    "reinstated",
    "made_up",
    "kept",
    "consented",
    "consent_withdrawn",
]
LINE_ACTIONS: tuple[LineAction, ...] = (
    "added", "withdrawn", "substituted", "refused", "waived", "deferred", "reinstated", "made_up", "kept", "consented",
    "consent_withdrawn",
)  # fmt: skip

EXAM_MOVES: dict[str, frozenset[str]] = {
    "prepared": frozenset({"checked_in", "cancelled", "on_hold"}),
    "checked_in": frozenset({"in_progress", "cancelled", "on_hold"}),
    "in_progress": frozenset({"sheet_returned", "ready_for_review", "on_hold"}),
    "sheet_returned": frozenset({"in_progress", "ready_for_review", "on_hold"}),
    "ready_for_review": frozenset({"in_review", "in_progress", "sheet_returned", "on_hold"}),
    "in_review": frozenset({"finalized", "ready_for_review", "in_progress", "sheet_returned"}),
    "finalized": frozenset({"in_review"}),
    "on_hold": frozenset({"prepared", "checked_in", "in_progress", "sheet_returned", "ready_for_review"}),
    "cancelled": frozenset(),
}
LINE_MOVES: dict[str, frozenset[str]] = {
    "ordered": frozenset({"released", "withdrawn", "refused", "waived", "deferred", "substituted"}),
    "released": frozenset(
        {"sent", "collected", "started", "resulted", "withdrawn", "refused", "waived", "deferred", "substituted"}
    ),
    "sent": frozenset(
        {"collected", "started", "resulted", "withdrawn", "refused", "waived", "deferred", "substituted"}
    ),
    "collected": frozenset({"resulted", "specimen_rejected"}),
    "started": frozenset({"resulted", "refused", "waived", "deferred"}),
    "resulted": frozenset({"verified", "collected", "started"}),
    "verified": frozenset({"resulted"}),
    "specimen_rejected": frozenset({"collected", "resulted", "released", "withdrawn", "refused", "waived", "deferred"}),
    "deferred": frozenset({"ordered", "refused", "waived", "withdrawn"}),
    "refused": frozenset({"ordered"}),
    "waived": frozenset({"ordered"}),
    "withdrawn": frozenset(),
    "substituted": frozenset(),
}
UNDONE: frozenset[str] = frozenset(
    {"ordered", "released", "sent", "collected", "started", "resulted", "specimen_rejected", "deferred"}
)
DOUBTED = "line_doubted"
"""Why an exam cannot be finalized of which somebody else may have given the specimen or been examined."""
TAKEN: frozenset[str] = frozenset({"collected", "started", "resulted", "verified"})
"""Lines for which somebody gave a specimen or stood before a doctor."""
ORDERED_OUT: frozenset[str] = frozenset({"released", "sent"})
"""What is asked of whoever performs it: of a laboratory's line the tube may be drawn, and nobody has said so."""
ON_REPORT: frozenset[str] = frozenset({"verified", "refused", "waived"})
"""Lines about which the report says something and nothing more is to be done."""
FOR_THE_PERSON: frozenset[str] = frozenset({"ordered", "released", "sent", "started", "specimen_rejected"})
"""Lines for which the person must still be here."""
BLOOD: frozenset[str] = frozenset({"whole_blood", "serum", "plasma"})
DRAWN: frozenset[str] = frozenset({"collected", "resulted", "verified"})
GONE: frozenset[str] = frozenset({"withdrawn", "substituted"})
"""Lines that are no part of the exam any more: they cost nothing, and their item group may be ordered again."""
UNCHARGED: frozenset[str] = GONE | {"refused", "waived"}
"""Lines that are not carried out: nobody owes anything for them, and what was paid is given back."""
ASIDE: frozenset[str] = UNCHARGED | {"deferred"}
"""Lines that nobody carries out, or not now: whether they suit the person is asked when they come back."""
OPEN_FOR_LINES: frozenset[str] = frozenset(
    {"prepared", "checked_in", "in_progress", "sheet_returned", "ready_for_review", "in_review"}
)
"""States in which lines may be added and set aside: any before the final sign-off."""
ENDED: tuple[str, ...] = ("finalized", "cancelled")
"""States in which nobody waits for anything of an exam."""
LIVE_FOR_RESULTS: frozenset[str] = frozenset(
    {"released", "sent", "specimen_rejected", "collected", "started", "resulted", "verified"}
)
"""A line whose specimen was rejected waits for the result of the next one."""
PREGNANT, NO_INTERCOURSE = "pregnant", "no_intercourse"
"""What results may hint at of their person; a hint is one of these and what says it: "pregnant:UHCG"."""


def hinted(kind: str, hints: Iterable[str], settled: Iterable[str] = ()) -> list[str]:
    """Return the hints of a kind of which no person has spoken yet."""
    spoken = set(settled)
    return [one for one in hints if one.partition(":")[0] == kind and one not in spoken]


_EXAM_NO = re.compile(r"[A-Z][A-Z0-9]{0,9}[0-9]{10}[0-9X]")
_DIGITS = 10
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Marks:
    """What follows from the lines of an exam besides its state: what the day's board counts it under, what is owed, what may be given back.

    `owed_fen`: what the person has to pay and has not, whether the campus lets unpaid people begin or not. `refund_fen`: what was paid
    and is not owed any more. `blood_drawn`: blood of the exam was taken. `examined`: nothing is left for the person to do or to decide
    today; results may still be on their way.
    """

    owed_fen: int = 0
    refund_fen: int = 0
    blood_drawn: bool = False
    examined: bool = False

    @property
    def awaits_payment(self) -> bool:
        """Whether something is owed: what is free never is."""
        return self.owed_fen > 0


class Charged(Protocol):
    """What a line says of money and of how far it is."""

    @property
    def state(self) -> str: ...  # noqa: D102 - plain data
    @property
    def specimen(self) -> str | None: ...  # noqa: D102
    @property
    def person_share_fen(self) -> int: ...  # noqa: D102
    @property
    def paid_fen(self) -> int: ...  # noqa: D102
    @property
    def remitted_fen(self) -> int: ...  # noqa: D102


class Covered(Charged, Protocol):
    """A line with what was said when it was covered."""

    @property
    def coverings(self) -> Sequence[str]: ...  # noqa: D102 - plain data


class Named(Protocol):
    """What a line is called in a log."""

    @property
    def code(self) -> str: ...  # noqa: D102 - plain data
    @property
    def private(self) -> bool: ...  # noqa: D102


def logged(lines: Iterable[Named]) -> list[str]:
    """Return the codes of lines for the audit trail, which is read by who may not know what is private."""
    return ["PRIVATE" if line.private else line.code for line in lines]


def logged_item(code: str, *, private: bool, **words: str) -> dict[str, str]:
    """Return what the audit trail holds of an item: of a private one neither its code nor what somebody wrote of it."""
    return {"item": "PRIVATE"} if private else {"item": code, **words}


def owed(line: Charged) -> int:
    """Return what the person still has to pay of a line, fen: nothing of one that is not carried out, and all of one that is deferred."""
    if line.state in UNCHARGED:
        return 0
    return max(line.person_share_fen - line.paid_fen - line.remitted_fen, 0)


def covering(how: Covering, reference: str | None, reason: str | None) -> str:
    """Return in one text what was said when a line was covered: the same again is a repetition, and nothing else is."""
    return ":".join((how, reference or "", reason or ""))


def covered_otherwise(line: Covered, said: str) -> Covering | None:
    """Return how a line was covered of which nothing is owed, where this covering (`said`) would be kept nowhere; None where it may be said."""
    # Of what was covered before coverings were kept nobody knows how: it is taken for the same one.
    if owed(line) > 0 or said in line.coverings or not line.coverings or not (line.paid_fen or line.remitted_fen):
        return None
    return "paid" if line.paid_fen else "remitted"


def refundable(line: Charged) -> int:
    """Return what was paid of a line and is not owed any more, fen: never more than was paid."""
    if line.state in UNCHARGED:
        return line.paid_fen
    return min(line.paid_fen, max(line.paid_fen + line.remitted_fen - line.person_share_fen, 0))


def marks(lines: Iterable[Charged]) -> Marks:
    """Return what follows from lines."""
    every = list(lines)
    here = [line for line in every if line.state not in GONE]
    return Marks(
        sum(map(owed, every)),
        sum(map(refundable, every)),
        any(line.specimen in BLOOD and line.state in DRAWN for line in here),
        bool(here) and not any(line.state in FOR_THE_PERSON for line in here),
    )


_FAR = timedelta(days=366)


def doubts(day: date, today: date, *, has_exam: bool, closed: bool = False) -> tuple[Doubt, ...]:
    """Return what is asked back of an exam on a day, of somebody who has another one on that day or has none; `closed`: the campus is."""
    found: dict[Doubt, bool] = {
        "past_date": day < today, "second_exam": has_exam, "closed_day": closed, "far_date": day > today + _FAR,
    }  # fmt: skip
    return tuple(doubt for doubt, doubtful in found.items() if doubtful)


Standing = Literal["on_hold", "cancelled", "not_checked_in", "no_lines"]


def standing(state: str, *, has_lines: bool) -> Standing | None:
    """Say what of an exam itself, whatever its lines are, keeps it from being finalized."""
    if state in ("on_hold", "cancelled"):
        return "on_hold" if state == "on_hold" else "cancelled"
    if state == "prepared":
        return "not_checked_in"
    return None if has_lines else "no_lines"


@dataclass(frozen=True, slots=True)
class Decided(Generic[Key]):
    """What people decided for the examinee beside what is offered: item groups that were added, and that were taken away."""

    added: frozenset[Key]
    gone: frozenset[Key]


def decided(lines: Iterable[tuple[object, Key, str]], steps: Iterable[tuple[object, str, bool]]) -> Decided[Key]:
    """Return what people decided of an exam's lines.

    `lines` are (line, item group, state); `steps` are (line, action, brought about by the offer alone) in order: the last one of a group
    counts. What came back as another line is not gone.
    """
    every = list(lines)
    group_of = {line: group for line, group, _ in every}
    here = {group for _, group, state in every if state not in GONE}
    last = {line: by_offer for line, action, by_offer in steps if action == "added"}
    ends = {group_of[line]: by_offer for line, action, by_offer in steps if action in GONE}
    added = {group for line, group, state in every if state not in GONE and last.get(line) is False}
    return Decided(
        frozenset(added), frozenset(group for group, by_offer in ends.items() if not by_offer and group not in here)
    )


@dataclass(frozen=True, slots=True)
class Repricing(Generic[Key]):
    """What pricing an exam anew does to its item groups: what stays and is priced anew, what comes, what goes, what is kept as decided."""

    stays: tuple[Key, ...]
    comes: tuple[Key, ...]
    goes: tuple[Key, ...]
    kept: tuple[Key, ...]


def repricing(here: Sequence[Key], wanted: Sequence[Key], people: Decided[Key]) -> Repricing[Key]:
    """Say what becomes of an exam whose offer is another one now: a price may change, what was decided for the examinee does not."""
    return Repricing(
        stays=tuple(group for group in here if group in wanted),
        comes=tuple(group for group in wanted if group not in here and group not in people.gone),
        goes=tuple(group for group in here if group not in wanted and group not in people.added),
        kept=tuple(group for group in here if group not in wanted and group in people.added),
    )


def way_out(state: str) -> Literal["substitute", "reinstate", "stays"]:
    """Say what may become of a line that another group is in the way of."""
    if may_move(LINE_MOVES, state, "substituted"):
        return "substitute"
    return "reinstate" if may_move(LINE_MOVES, state, "ordered") else "stays"


def may_move(moves: dict[str, frozenset[str]], current: str, to: str) -> bool:
    """Say whether a state machine allows a step."""
    return to in moves.get(current, frozenset())


def exam_no(campus_code: str, day: date, number: int) -> str:
    """Return the human number of an exam: campus, day, running number, check digit. such as `A26112200017`.

    The check digit is a weighted sum modulo 11 (10 is written X, which Code 128 carries), so a mistyped digit does not find another person.
    """
    body = f"{day:%y%m%d}{number:04d}"
    return f"{campus_code}{body}{check_digit(body)}"


def exam_no_read(raw: str) -> str | None:
    """Return a scanned or typed exam number in its one spelling; None when it is none, or a digit of it is wrong."""
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", raw)).upper()
    if not _EXAM_NO.fullmatch(number):
        return None
    # A campus's code may end in digits and a day may have more than 9,999 exams: whatever division the check digit fits.
    bodies = [number[at:-1] for at in range(1, len(number) - _DIGITS)]
    return number if any(body.isdigit() and check_digit(body) == number[-1] for body in bodies) else None


def check_digit(digits: str) -> str:
    """Return the check character of a string of digits."""
    total = sum(int(d) * _WEIGHTS[i % len(_WEIGHTS)] for i, d in enumerate(digits))
    rest = total % 11
    return "X" if rest == 10 else str(rest)  # noqa: PLR2004


def age_on(birth: date, day: date) -> tuple[int, int]:
    """Return the age in completed years and in days on the day of the exam."""
    age = Age.on(birth, day)
    return age.years, age.days


def age_text(birth: date, day: date) -> str:
    """Return an age as it is written: years, for the first year completed months, for the first month days."""
    age = Age.on(birth, day)
    if age.years:
        return f"{age.years}岁"
    return f"{age.months}个月" if age.months else f"{age.days}天"
