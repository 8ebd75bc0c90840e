"""Facts: what happened, in the past tense, with ids and no personal data."""

import dataclasses
import re
from typing import Any, ClassVar


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact of a context. `campus_id` says whose row security the jobs it starts run under; None: the whole hospital."""

    name: ClassVar[str] = ""
    campus_id: int | None

    def payload(self) -> dict[str, Any]:
        """Return the fact as JSON-able data: ids as text."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def kebab(name: str) -> str:
    """Return `exam-already-cancelled` of `ExamAlreadyCancelled`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
