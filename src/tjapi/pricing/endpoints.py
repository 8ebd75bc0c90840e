"""HTTP of pricing."""

from uuid import UUID

from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound
from tjapi.employer import service as employers
from tjapi.employer.errors import MemberNotFound, MemberNotPlaced
from tjapi.examinee.errors import ExamineeNotFound
from tjapi.kernel.problem import Problem
from tjapi.kernel.routing import ReadUnit, operation, router
from tjapi.pricing import service
from tjapi.pricing.errors import (
    CapExceeded,
    ChoiceInvalid,
    ItemGroupContained,
    ItemGroupNotForSex,
    ItemGroupNotOffered,
    ItemGroupOverlaps,
    ItemGroupsExclude,
    ItemGroupTwice,
    ItemGroupUnsuitable,
    PackageChoiceInvalid,
    PackageNotOffered,
    PregnancyContradictsSex,
)
from tjapi.pricing.schemas import QuoteIn, QuoteOut

pricing = router("pricing")
QUOTE: list[type[Problem]] = [
    ExamPackageNotFound, ItemGroupNotFound, PackageNotOffered, ItemGroupNotOffered, ItemGroupTwice, PackageChoiceInvalid, ItemGroupsExclude,
    ItemGroupOverlaps, ItemGroupContained, ItemGroupUnsuitable, ItemGroupNotForSex,
]  # fmt: skip
"""Why something cannot be ordered."""


@pricing.post(
    "/quotes",
    **operation("quote", "试算价格", "What it costs, line by line, and why", permission="pricing.read", requirement=["E7.2"], body=True,
                problems=[*QUOTE, ExamineeNotFound, PregnancyContradictsSex]),
)  # fmt: skip
async def quote(uow: ReadUnit, body: QuoteIn) -> QuoteOut:
    return service.shape(await service.ask(uow, body))


@pricing.get(
    "/members/{member_id:uuid}/quote",
    **operation("quoteMember", "成员试算", "What a member costs, and who pays what of it", permission="pricing.read",
                requirement=["E7.2", "E2.2", "E2.5"], problems=[*QUOTE, MemberNotFound, MemberNotPlaced, ChoiceInvalid, CapExceeded]),
)  # fmt: skip
async def quote_member(uow: ReadUnit, member_id: UUID) -> QuoteOut:
    return service.shape(await service.quote_member(uow, await employers.member(uow, member_id)))
