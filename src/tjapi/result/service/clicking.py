"""What may be clicked for a descriptive item, and the text that clicks make: with what rules ask for in use now."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import Item
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.composing import (
    Click,
    Composed,
    NotComposableError,
    Option,
    codes,
    compose,
    faults,
    kept_mentions,
    options,
    settled,
)
from tjapi.knowledge.rules import leaves
from tjapi.result.errors import ResultsInvalid
from tjapi.result.schemas import (
    ClickableOut,
    ClickablePlaceOut,
    ClickablesOut,
    CodedFinding,
    CodedText,
    ComposedMentionOut,
    ComposedOut,
    ResultsIn,
)


async def clickables(uow: UnitOfWork, item_id: UUID) -> ClickablesOut:
    """Return what may be clicked for an item; nothing for one that is not described. Raises ItemNotFound."""
    item = await catalog.item(uow, item_id)
    offered = options(item.code, await _asked(uow, item)) if item.kind == "text" else ()
    usual = compose([], "all", item_code=item.code, item_name=item.name, usual=item.normal_default or "").text
    return ClickablesOut(item_id=item.id, normal_text=usual, findings=[_option_out(one) for one in offered])


async def preview(uow: UnitOfWork, item_id: UUID, given: CodedText) -> ComposedOut:
    """Return the text that clicks make for an item. Raises ItemNotFound, ResultsInvalid."""
    item = await catalog.item(uow, item_id)
    errors: list[FieldError] = []
    made = await _compose(uow, item, given, "", errors)
    if made is None:
        raise ResultsInvalid(errors=errors)
    return ComposedOut(
        text=made.text,
        mentions=[
            ComposedMentionOut(
                concept=one.concept, name=one.name, assertion=one.assertion, size_mm=None if one.size_mm is None else f"{one.size_mm:f}",
                grave=one.grave and one.stands,
            )
            for one in made.mentions
        ],
    )  # fmt: skip


async def composed(uow: UnitOfWork, items: Mapping[UUID, Item], given: ResultsIn) -> dict[UUID, Composed]:
    """Return the texts of what was clicked in results, by item. Raises ResultsInvalid, naming every field."""
    errors: list[FieldError] = []
    found: dict[UUID, Composed] = {}
    for i, one in enumerate(given.results):
        item = items.get(one.item_id)
        # Of what is no item of the department, entering says so itself.
        if one.coded is None or item is None:
            continue
        made = await _compose(uow, item, one.coded, f"/results/{i}/coded", errors)
        if made is not None:
            found[one.item_id] = made
    if errors:
        raise ResultsInvalid(errors=errors)
    return found


def coded_of(given: CodedText, made: Composed) -> dict[str, Any]:
    """Return what is kept beside a composed text: what was clicked, and what the text speaks of."""
    return {**given.model_dump(mode="json"), "mentions": kept_mentions(made.mentions)}


async def _compose(uow: UnitOfWork, item: Item, given: CodedText, at: str, errors: list[FieldError]) -> Composed | None:
    if item.kind != "text":
        errors.append(FieldError(at, "not-described", "该项目不是描述性项目", "the item is not a descriptive one"))
        return None
    wanted = {one.concept for one in given.findings}
    offered = {one.concept: one for one in options(item.code, await _asked(uow, item), wanted)}
    clicks = [settled(_click(one), offered.get(one.concept), item.code) for one in given.findings]
    wrong = [_error(one.field, one.code, one.zh, one.en, at) for one in faults(clicks, given.normal, offered)]
    if not wrong:
        try:
            return compose(
                clicks, given.normal, item_code=item.code, item_name=item.name, usual=item.normal_default or ""
            )
        except NotComposableError as fault:
            zh, en = (
                "这样点选写不出可准确读回的文字,请改为手工录入",
                "no text of this is read as it was clicked; write it by hand",
            )
            wrong.append(_error(str(fault.index), "not-composable", zh, en, at))
    errors += wrong
    return None


def _error(field: str, code: str, zh: str, en: str, at: str) -> FieldError:
    inner = "/normal" if field == "normal" else f"/findings/{field}".rstrip("/")
    return FieldError(f"{at}{inner}", code, zh, en)


def _click(given: CodedFinding) -> Click:
    return Click(
        given.concept, given.site or "", given.side, given.term or "", given.assertion, tuple(map(Decimal, given.sizes_mm)), given.number,
        given.grade or "",
    )  # fmt: skip


async def _asked(uow: UnitOfWork, item: Item) -> frozenset[str]:
    """Return the concepts that rules in use ask for in an item."""
    active = await knowledge.active(uow)
    rules = active.rules if active is not None else ()
    said = [
        given
        for rule in rules
        if item.code in rule.items
        for name, given in leaves(rule.condition)
        if name == "concept"
    ]
    return codes() & {code for given in said if given["item"] == item.code for code in given.get("in", ())}


def _option_out(one: Option) -> ClickableOut:
    places = [
        ClickablePlaceOut(
            site=place.code or None, name=place.name, terms=list(place.terms), sided=place.sided, scheme=place.scheme or None,
            grades=list(place.grades),
        )
        for place in one.places
    ]  # fmt: skip
    return ClickableOut(concept=one.concept, name=one.name, asks_size=one.asks_size, grave=one.grave, places=places)
