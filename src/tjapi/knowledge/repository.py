"""Questions that the knowledge base asks of its own tables."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import String, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.models import Finding, KnowledgeRule, KnowledgeVersion


async def active_id(uow: UnitOfWork) -> UUID | None:
    """Return the id of the active version."""
    return await uow.session.scalar(select(KnowledgeVersion.id).where(KnowledgeVersion.state == "active"))


async def version(uow: UnitOfWork, version_id: UUID) -> KnowledgeVersion | None:
    """Return a version."""
    return await uow.session.get(KnowledgeVersion, version_id)


async def lock(uow: UnitOfWork) -> None:
    """Keep two people from changing which version there is, or is active, at once."""
    await uow.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("knowledge", 0))))


async def active(uow: UnitOfWork) -> KnowledgeVersion | None:
    """Return the active version."""
    return await uow.session.scalar(select(KnowledgeVersion).where(KnowledgeVersion.state == "active"))


async def shipped(uow: UnitOfWork) -> KnowledgeVersion | None:
    """Return the newest version that came with the product."""
    query = select(KnowledgeVersion).where(KnowledgeVersion.shipped).order_by(KnowledgeVersion.number.desc()).limit(1)
    return await uow.session.scalar(query)


async def of_content(uow: UnitOfWork, sha256: str) -> KnowledgeVersion | None:
    """Return the version of a content."""
    return await uow.session.scalar(select(KnowledgeVersion).where(KnowledgeVersion.sha256 == sha256))


async def of_number(uow: UnitOfWork, number: int) -> UUID | None:
    """Return the id of the version of a number."""
    return await uow.session.scalar(select(KnowledgeVersion.id).where(KnowledgeVersion.number == number))


async def next_number(uow: UnitOfWork) -> int:
    """Return the number of the next version."""
    return (await uow.session.scalar(select(func.max(KnowledgeVersion.number))) or 0) + 1


async def versions(uow: UnitOfWork, *, after: int | None, size: int) -> Sequence[KnowledgeVersion]:
    """Return a page of versions, newest first, one too many."""
    query = select(KnowledgeVersion).order_by(KnowledgeVersion.number.desc()).limit(size + 1)
    if after is not None:
        query = query.where(KnowledgeVersion.number < after)
    return (await uow.session.scalars(query)).all()


async def put(uow: UnitOfWork, table: type[Finding | KnowledgeRule], rows: Sequence[dict[str, object]]) -> None:
    """Write the rows of a version."""
    if rows:
        await uow.session.execute(insert(table), rows)


async def findings(uow: UnitOfWork, version_id: UUID) -> Sequence[Finding]:
    """Return the findings of a version."""
    return (
        await uow.session.scalars(select(Finding).where(Finding.version_id == version_id).order_by(Finding.code))
    ).all()


async def rules(uow: UnitOfWork, version_id: UUID) -> Sequence[KnowledgeRule]:
    """Return the rules of a version."""
    query = select(KnowledgeRule).where(KnowledgeRule.version_id == version_id).order_by(KnowledgeRule.code)
    return (await uow.session.scalars(query)).all()


async def findings_page(
    uow: UnitOfWork, version_id: UUID, *, q: str | None, kind: str | None, after: Sequence[str] | None, size: int
) -> Sequence[Finding]:
    """Return a page of findings, weightiest first, one too many; `q` is part of the name, of a synonym, initials or an ICD-10 code."""
    query = select(Finding).where(Finding.version_id == version_id)
    if q is not None:
        lowered = q.lower()
        query = query.where(
            or_(
                Finding.name.contains(q, autoescape=True), Finding.pinyin.startswith(lowered, autoescape=True),
                Finding.icd10.istartswith(q, autoescape=True), func.lower(Finding.code).startswith(lowered, autoescape=True),
                Finding.synonyms.cast(String).contains(q, autoescape=True),
            )
        )  # fmt: skip
    if kind is not None:
        query = query.where(Finding.kind == kind)
    if after is not None:
        query = query.where(tuple_(-Finding.importance, Finding.code) > (-int(after[0]), after[1]))
    query = query.order_by(-Finding.importance, Finding.code).limit(size + 1)
    return (await uow.session.scalars(query)).all()


async def rules_page(
    uow: UnitOfWork, version_id: UUID, *, purpose: str | None, after: str | None, size: int
) -> Sequence[KnowledgeRule]:
    """Return a page of rules by code, one too many."""
    query = select(KnowledgeRule).where(KnowledgeRule.version_id == version_id)
    if purpose is not None:
        query = query.where(KnowledgeRule.purpose == purpose)
    if after is not None:
        query = query.where(KnowledgeRule.code > after)
    return (await uow.session.scalars(query.order_by(KnowledgeRule.code).limit(size + 1))).all()


async def counts(uow: UnitOfWork, version_ids: Collection[UUID]) -> dict[UUID, tuple[int, int, int, int]]:
    """Return how many findings, rules that find, rules that alert, and rows of unread source versions have."""
    found = {version_id: [0, 0, 0, 0] for version_id in version_ids}
    of_findings = select(Finding.version_id, func.count(), func.count().filter(~Finding.verified))
    for version_id, total, unread in await uow.session.execute(
        of_findings.where(Finding.version_id.in_(version_ids)).group_by(Finding.version_id)
    ):
        found[version_id][0], found[version_id][3] = total, unread
    of_rules = select(
        KnowledgeRule.version_id, KnowledgeRule.purpose, func.count(), func.count().filter(~KnowledgeRule.verified)
    ).where(KnowledgeRule.version_id.in_(version_ids))
    for version_id, purpose, total, unread in await uow.session.execute(
        of_rules.group_by(KnowledgeRule.version_id, KnowledgeRule.purpose)
    ):
        found[version_id][1 if purpose == "finding" else 2] = total
        found[version_id][3] += unread
    return {version_id: (n[0], n[1], n[2], n[3]) for version_id, n in found.items()}
