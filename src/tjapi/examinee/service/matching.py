"""Whole lists held against the people whom the campus knows."""

from collections.abc import Sequence

from tjapi.examinee import repository
from tjapi.kernel.uow import UnitOfWork


async def names_by_number(uow: UnitOfWork, indexes: Sequence[bytes]) -> dict[bytes, str]:
    """Return the names of those known by these ID numbers, by blind index; whom no campus of the caller has met is not among them."""
    return dict(await repository.names_by_number(uow, indexes))
