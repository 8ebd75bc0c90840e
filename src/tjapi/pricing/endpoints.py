"""HTTP of pricing."""

from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound
from tjapi.examinee.errors import ExamineeNotFound
from tjapi.kernel.problem import Problem
from tjapi.kernel.routing import ReadUnit, operation, router
from tjapi.pricing import service
from tjapi.pricing.errors import (
    ItemGroupNotForSex,
    ItemGroupNotOffered,
    ItemGroupsExclude,
    ItemGroupTwice,
    ItemGroupUnsuitable,
    PackageChoiceInvalid,
    PackageNotOffered,
)
from tjapi.pricing.schemas import QuoteIn, QuoteOut

pricing = router("pricing")
QUOTE: list[type[Problem]] = [
    ExamPackageNotFound, ItemGroupNotFound, PackageNotOffered, ItemGroupNotOffered, ItemGroupTwice, PackageChoiceInvalid, ItemGroupsExclude,
    ItemGroupUnsuitable, ItemGroupNotForSex,
]  # fmt: skip
"""Why something cannot be ordered."""


@pricing.post(
    "/quotes",
    **operation("quote", "试算价格", "What it costs, line by line, and why", permission="pricing.read", requirement=["E7.2"], body=True,
                problems=[*QUOTE, ExamineeNotFound]),
)  # fmt: skip
async def quote(uow: ReadUnit, body: QuoteIn) -> QuoteOut:
    return service.shape(await service.ask(uow, body))
