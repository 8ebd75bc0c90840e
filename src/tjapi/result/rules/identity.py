"""Whose result it is: what a message says of the person beside what we know. Pure."""

from dataclasses import dataclass
from datetime import date

from tjapi.result.rules.values import plain


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is said to be; None: not said."""

    exam_no: str | None
    name: str | None
    sex: str | None
    birth_date: date | None


def disagreement(ours: Identity, theirs: Identity) -> list[str] | None:
    """Return None when a report may be filed, else the fields that do not agree (reliability.md, 14).

    The exam number, the name, and birth date with sex are compared as far as they are said. A different exam number refuses, always.
    With our exam number one of the other two may differ (names are mangled on their way); without it none may, and one must agree.
    """
    agrees: dict[str, bool] = {}
    if theirs.exam_no:
        agrees["exam_no"] = plain(theirs.exam_no).upper() == (ours.exam_no or "").upper()
    if theirs.name:
        agrees["name"] = _name(theirs.name) == _name(ours.name or "")
    if theirs.birth_date and theirs.sex in ("male", "female"):
        agrees["birth_date"] = (theirs.birth_date, theirs.sex) == (ours.birth_date, ours.sex)
    against = [field for field, equal in agrees.items() if not equal]
    tolerated = 1 if agrees.get("exam_no") else 0
    if any(agrees.values()) and "exam_no" not in against and len(against) <= tolerated:
        return None
    return against


def _name(text: str) -> str:
    return plain(text).replace(" ", "").replace("•", "·").casefold()
