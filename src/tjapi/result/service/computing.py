"""Bringing computed items in line with what they are computed from, whoever said it: a department or the laboratory."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from tjapi.catalog.models import Item
from tjapi.exam.models import ExamLine
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.formulas import FORMULAS, Person
from tjapi.result.rules.reading import read
from tjapi.result.rules.revisions import SETTLED, ResultStatus
from tjapi.result.rules.values import Value
from tjapi.result.service.book import LIS, Book, Entry

COMPUTED = "computed"
_Place = tuple[ExamLine, Item]


def compute(uow: UnitOfWork, book: Book, lines: Iterable[ExamLine]) -> None:
    """Bring the computed items of lines in line; without an input, or outside of its domain, an item has no value.

    What a laboratory computes itself is its own: where it ever reported the item, nothing is computed here. On a department's line a
    value is a draft until the signature; on a laboratory's it is as final as the values that it comes from.
    """
    for line in {line.id: line for line in lines}.values():
        for item in book.items_of(line):
            if item.code in FORMULAS and not book.said_by(line.id, item.id, LIS):
                _bring(uow, book, (line, item))


def record(
    uow: UnitOfWork, book: Book, place: _Place, value: str, status: ResultStatus, source: str, reason: str | None = None,
    remarks: Iterable[str] = (), coded: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Record what was entered or computed here, after everything that was said of the item before. The value can be read."""
    line, item = place
    reading = read(item.kind, value, [item.unit or ""]) if value else None
    # Entries are made under a lock, so they have an order; two servers' clocks that differ must not turn it round.
    at = max(uow.now, book.last_moment(line.id, item.id) or uow.now)
    entry = Entry(
        line=line,
        item=item,
        status=status,
        value=reading.value if reading is not None else Value("", ""),
        unit=item.unit,
        observed_at=at,
        issued_at=at,
        source=source,
        reason=reason,
        remarks=tuple(remarks),
        coded=coded,
    )
    book.add(uow, entry)


def computed_value(number: Decimal) -> Value | None:
    """Return what was computed as a value; None where it is no number that an item takes."""
    reading = read("computed", f"{number:f}")
    return None if reading is None else reading.value


def _bring(uow: UnitOfWork, book: Book, place: _Place) -> None:
    line, item = place
    formula = FORMULAS[item.code]
    inputs = book.inputs_of(line, item)
    known = [one.exact for one in inputs if one.exact is not None]
    computed: Decimal | None = None
    if len(known) == len(inputs):
        computed = formula.compute(known, Person(book.exam.sex, book.exam.age_years))
        if computed is not None and computed_value(computed) is None:
            computed = None  # of figures that can hardly be, no number comes out that anybody could read
    now = book.now_at(line.id, item.id)
    if computed is None:
        if now is not None:
            record(uow, book, place, "", "entered_in_error", COMPUTED)
        return
    value = f"{computed:f}"
    if line.performed_by == "lis":
        _follow(uow, book, place, value, _status({one.status for one in inputs}))
    elif now is None or now.raw_value != value:
        # What was signed once is corrected; before, it is a draft.
        record(uow, book, place, value, "corrected" if now and now.status in SETTLED else "preliminary", COMPUTED)


def _status(of_inputs: Collection[str]) -> ResultStatus:
    """Return the status of what is computed: that of the least settled value that it comes from; corrected where one was."""
    if not SETTLED.issuperset(of_inputs):
        return "preliminary"
    return "corrected" if "corrected" in of_inputs else "final"


def _follow(uow: UnitOfWork, book: Book, place: _Place, value: str, status: ResultStatus) -> None:
    """Bring what a laboratory's values make to value and status: both depend on the values alone, not on the order in which they came."""
    line, item = place
    now = book.now_at(line.id, item.id)
    if now is not None and (now.raw_value, now.status) == (value, status):
        return
    if now is not None and now.status in SETTLED and status != "corrected":
        # Neither a final value nor a corrected one makes room by itself.
        record(uow, book, place, "", "entered_in_error", COMPUTED)
    record(uow, book, place, value, status, COMPUTED)
