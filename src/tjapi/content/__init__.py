"""The medical content as one work: held against itself (`checking`), printed for whoever signs it (`book`), and tried on values (`trying`). Pure; the contexts below own the rows."""

from tjapi.content.book import book
from tjapi.content.checking import Fault, check, graded, unverified
from tjapi.content.trying import Judged, NoSuchItemError, Person, Said, try_values

__all__ = [
    "Fault",
    "Judged",
    "NoSuchItemError",
    "Person",
    "Said",
    "book",
    "check",
    "graded",
    "try_values",
    "unverified",
]
