"""Whose result it is: what a message says of the person beside what we know. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from tjapi.result.rules.values import plain

_RESIDENT = re.compile(r"\d{15}|\d{17}[\dX]", re.ASCII)
_DIGITS_SHOWN = re.compile(r"[\d*]+X?", re.ASCII)
SameName = Callable[[str, str], bool]
"""The one rule for names: whether two spellings are one name."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is said to be; None, an empty name and the sex `unknown`: not said. `names` are all spellings of the name that were given.

    `names_another` is said of a message alone: one of its numbers is that of another exam of ours, or of another examinee.
    `is_theirs` is said of a message alone: whether a whole ID number in it is this person's; False: it is that of somebody else.
    """

    exam_no: str | None
    names: tuple[str, ...]
    sex: str | None
    birth_date: date | None
    is_theirs: bool | None = None
    names_another: bool = False


def disagreement(ours: Identity, theirs: Identity, same_name: SameName) -> list[str] | None:
    """Return None when a report may be filed, else what does not agree, or what it would have had to say (reliability.md, 14).

    A barcode or a number of an order leads to an exam; whose results they are, the message says too. Each thing that it says must agree,
    each on its own, and nothing outweighs another: exam number, whatever other number of ours, ID number, sex, birth date. A name may be another one only where a whole
    ID number agrees (a maiden name, a translation); any of its spellings will do. Sex and birth date are shared by many: a message with
    neither a name nor a number of the person is for somebody to look at.
    """
    against = []
    if theirs.exam_no and plain(theirs.exam_no).upper() != (ours.exam_no or "").upper():
        against.append("exam_no")
    if theirs.names_another:
        against.append("number_of_another")
    if theirs.is_theirs is False:
        against.append("id_number")
    names = [name for name in theirs.names if name.strip()]
    if names and not theirs.is_theirs and not any(same_name(mine, name) for mine in ours.names for name in names):
        against.append("name")
    if not names and not theirs.exam_no and theirs.is_theirs is None:
        against.append("name_missing")
    sexes = {sex for sex in (ours.sex, theirs.sex) if sex in ("male", "female")}
    if len(sexes) > 1:
        against.append("sex")
    if theirs.birth_date is not None and theirs.birth_date != ours.birth_date:
        against.append("birth_date")
    return against or None


def shows_another(masked: str, numbers: Iterable[str]) -> bool:
    """Say whether what a masked resident's number shows (690101********1234) is none of these; who has none contradicts nothing.

    A mask of the number's own length is compared place by place; of a shorter or longer one, its beginning and its end. Letters are
    shown by the numbers of passports and permits, which are renewed.
    """
    if not _DIGITS_SHOWN.fullmatch(masked):
        return False
    whole = [number.upper() for number in numbers if _RESIDENT.fullmatch(number.upper())]
    return bool(whole) and not any(_may_be(masked, number) for number in whole)


def _may_be(masked: str, number: str) -> bool:
    if len(masked) == len(number):
        return all(shown in ("*", real) for shown, real in zip(masked, number, strict=True))
    shown = masked.split("*")
    return number.startswith(shown[0]) and number.endswith(shown[-1])
