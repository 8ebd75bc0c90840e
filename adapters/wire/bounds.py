"""How much of anything a message may hold: counted in one pass, before anybody reads it. Pure.

The numbers are far beyond what laboratories send (a microbiology report has some hundred segments) and far below what harms: what is
refused here would cost the reader, the database or the person who looks at it more than it can be worth.
"""

import re

from adapters.wire.hl7v2 import Message

MOST_BYTES = 10 * 1024 * 1024
MOST_SEGMENTS = 5_000
MOST_FIELDS = 500
MOST_REPETITIONS = 1_000
MOST_PARTS = 10_000
"""Components and subcomponents of one field."""


class TooMuch(ValueError):  # noqa: N818 - named for the finding
    """A message holds more of something than any honest one. `what` names it and its place, never a value."""

    def __init__(self, what: str) -> None:
        """Keep what there is too much of."""
        super().__init__(what)
        self.what = what


def check(message: Message) -> None:
    """Refuse a message with too many of anything. Raises TooMuch."""
    text, separators = message.text, message.separators
    if text.count("\r") + text.count("\n") > MOST_SEGMENTS:
        raise TooMuch(f"more than {MOST_SEGMENTS} lines")
    for line in re.split(r"[\r\n]", text):
        if line.count(separators.field) > MOST_FIELDS:
            raise TooMuch(f"{_name(line)}: more than {MOST_FIELDS} fields")
        if _repeats(line, separators.repetition) <= MOST_REPETITIONS and (
            _repeats(line, separators.component) + _repeats(line, separators.subcomponent) <= MOST_PARTS
        ):
            continue
        for number, field in enumerate(line.split(separators.field)):
            if _repeats(field, separators.repetition) > MOST_REPETITIONS:
                raise TooMuch(f"{_name(line)}-{number}: more than {MOST_REPETITIONS} repetitions")
            if _repeats(field, separators.component) + _repeats(field, separators.subcomponent) > MOST_PARTS:
                raise TooMuch(f"{_name(line)}-{number}: more than {MOST_PARTS} parts")


def _repeats(text: str, separator: str) -> int:
    return text.count(separator) if separator else 0


def _name(line: str) -> str:
    """Return a segment's name, if it is one: what stands there instead may be somebody's text."""
    return line[:3] if re.fullmatch(r"[A-Z][A-Z0-9]{2}", line[:3]) else "a line"
