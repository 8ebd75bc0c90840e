"""What a child's end means."""

from typing import Literal

Excess = Literal["too-long", "too-large", "died"]


class Excessive(Exception):  # noqa: N818 - named for the finding
    """Whatever went beyond its limits or brought down its own process: a job that does so twice is set aside."""


class Overrun(Excessive):
    """Work went beyond its limits or brought down its own process: a verdict on what was given, which the same input meets again."""

    def __init__(self, what: Excess) -> None:
        """Keep which limit it was: time, memory (or size of the answer), or a process that died of it."""
        super().__init__(what)
        self.what: Excess = what


class Broken(Exception):  # noqa: N818 - named for the finding
    """The function raised what it does not declare: a bug of ours that this input meets each time. `kind` is the exception's class."""

    def __init__(self, kind: str) -> None:
        """Keep the class; the message may quote data."""
        super().__init__(kind)
        self.kind = kind
