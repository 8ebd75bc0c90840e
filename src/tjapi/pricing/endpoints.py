"""HTTP of pricing."""

from tjapi.catalog.errors import ExamPackageNotFound, ItemGroupNotFound
from tjapi.kernel.routing import ReadUnit, operation, router
from tjapi.pricing import service
from tjapi.pricing.errors import ItemGroupNotOffered, ItemGroupTwice, PackageNotOffered
from tjapi.pricing.schemas import QuoteIn, QuoteOut

pricing = router("pricing")


@pricing.post(
    "/quotes",
    **operation("quote", "试算价格", "What it costs, line by line, and why", permission="pricing.read", requirement=["E7.2"], body=True,
                problems=[ExamPackageNotFound, ItemGroupNotFound, PackageNotOffered, ItemGroupNotOffered, ItemGroupTwice]),
)  # fmt: skip
async def quote(uow: ReadUnit, body: QuoteIn) -> QuoteOut:
    return service.shape(await service.quote(uow, body.package_id, body.item_group_ids))
