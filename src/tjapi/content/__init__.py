"""The medical content as one work: held against itself (`checking`), and printed for whoever signs it (`book`). Pure; the contexts below own the rows."""

from tjapi.content.book import book
from tjapi.content.checking import Fault, check, graded, unverified

__all__ = ["Fault", "book", "check", "graded", "unverified"]
