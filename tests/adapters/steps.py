"""How much work reading takes, counted instead of timed: calls, and the characters that each call looks at.

A quadratic that splits a field once per repetition makes few calls, each of them long: the length of what is looked at is what shows it.
"""

import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def steps(work: Callable[[], object]) -> int:
    """Return calls plus the characters or bytes that built-in methods and regular expressions were given."""
    count = 0

    def see(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += 1
        if event == "c_call":
            of = getattr(argument, "__self__", None)
            if isinstance(of, str | bytes):
                count += len(of)
        elif event == "call" and frame.f_code.co_filename == re.__file__:
            count += len(frame.f_locals.get("string", ""))

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
