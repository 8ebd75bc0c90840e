"""Versions as they are read: one, its content, how it differs from the one in use."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.schemas import RangeIn
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import repository
from tjapi.knowledge.criticality import clocks_of
from tjapi.knowledge.errors import (
    KnowledgeVersionNotFound,
)
from tjapi.knowledge.models import Finding, KnowledgeRule, KnowledgeVersion
from tjapi.knowledge.schemas import (
    ChangeOut,
    ChangesOut,
    ContentIn,
    CriticalRuleIn,
    Input,
    RuleIn,
    VersionOut,
)


async def held_version(uow: UnitOfWork, version_id: UUID) -> KnowledgeVersion:
    """Return a version. Raises KnowledgeVersionNotFound."""
    found = await repository.version(uow, version_id)
    if found is None:
        raise KnowledgeVersionNotFound
    return found


async def content_of(uow: UnitOfWork, version_id: UUID) -> ContentIn:
    """Return a version as it would be written."""
    rules = await repository.rules(uow, version_id)
    return ContentIn.model_validate({
        "clocks": (await held_version(uow, version_id)).clocks, "ranges": (await held_version(uow, version_id)).ranges,
        "findings": [fields_of(finding) for finding in await repository.findings(uow, version_id)],
        "rules": [
            {**fields_of(rule, RuleIn), "finding": rule.finding_code} for rule in rules if rule.purpose == "finding"
        ],
        "critical": [fields_of(rule, CriticalRuleIn) for rule in rules if rule.purpose == "critical"],
    })  # fmt: skip


def fields_of(row: Finding | KnowledgeRule, shape: type[Input] | None = None) -> dict[str, Any]:
    """Return the columns of a row but its version; with `shape`, those that a client would write."""
    asked = {c.key for c in row.__table__.columns} - {"version_id"}
    return {key: getattr(row, key) for key in asked & (set(shape.model_fields) if shape is not None else asked)}


async def changes(uow: UnitOfWork, version_id: UUID) -> ChangesOut:
    """Say how a version differs from the active one. Raises KnowledgeVersionNotFound."""
    await held_version(uow, version_id)
    now = await repository.active_id(uow)
    theirs, ours = await _rows(uow, version_id), (await _rows(uow, now) if now is not None else {})
    in_force = await catalog.ranges_in_force(uow, business_day(uow.now))
    for row in (await held_version(uow, version_id)).ranges:
        given = RangeIn.model_validate(row)
        if not given.withdrawn:
            theirs["range", given.key] = given.model_dump(mode="json")
        if given.key in in_force:
            ours["range", given.key] = in_force[given.key].model_dump(mode="json")
    found = []
    for key in sorted(theirs.keys() | ours.keys()):
        new, old = theirs.get(key), ours.get(key)
        if new == old:
            continue
        fields = sorted(f for f in new if new[f] != old.get(f)) if new is not None and old is not None else []
        change = "added" if old is None else "removed" if new is None else "changed"
        found.append(ChangeOut.model_validate({"what": key[0], "code": key[1], "change": change, "fields": fields}))
    return ChangesOut(version_id=version_id, active_id=now, changes=found)


async def drafted_ranges(uow: UnitOfWork, version_id: UUID) -> list[RangeIn]:
    """Return the ranges that a version brings. Raises KnowledgeVersionNotFound."""
    return [RangeIn.model_validate(row) for row in (await held_version(uow, version_id)).ranges]


async def _rows(uow: UnitOfWork, version_id: UUID) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of a version as they are compared."""
    version = await held_version(uow, version_id)
    found: dict[tuple[str, str], dict[str, Any]] = {("critical", "CLOCKS"): asdict(clocks_of(version.clocks))}
    for finding in await repository.findings(uow, version_id):
        found["finding", finding.code] = fields_of(finding)
    for rule in await repository.rules(uow, version_id):
        found["critical" if rule.purpose == "critical" else "rule", rule.code] = fields_of(rule)
    return found


async def of_number(uow: UnitOfWork, number: int) -> UUID | None:
    """Return the id of the version of a number; None where there is none."""
    return await repository.of_number(uow, number)


async def versions(uow: UnitOfWork, *, after: Sequence[str] | None, size: int) -> Sequence[KnowledgeVersion]:
    """Return a page of versions, newest first, one too many."""
    return await repository.versions(uow, after=int(after[0]) if after else None, size=size)


async def findings_page(
    uow: UnitOfWork, *, q: str | None, kind: str | None, after: Sequence[str] | None, size: int
) -> Sequence[Finding]:
    """Return a page of the active version's findings, weightiest first, one too many."""
    now = await repository.active_id(uow)
    return await repository.findings_page(uow, now, q=q, kind=kind, after=after, size=size) if now else []


async def rules_page(
    uow: UnitOfWork, *, purpose: str | None, after: Sequence[str] | None, size: int
) -> Sequence[KnowledgeRule]:
    """Return a page of the active version's rules by code, one too many."""
    now = await repository.active_id(uow)
    return (
        await repository.rules_page(uow, now, purpose=purpose, after=after[0] if after else None, size=size)
        if now
        else []
    )


async def out(uow: UnitOfWork, found: Sequence[KnowledgeVersion]) -> list[VersionOut]:
    """Return the public shape of versions."""
    counts = await repository.counts(uow, [v.id for v in found])
    return [
        VersionOut.model_validate({
            "id": v.id, "number": v.number, "state": v.state, "note": v.note, "sha256": v.sha256, "created_at": v.created_at,
            "ranges": len(v.ranges), "activated_at": v.activated_at, "approved_at": v.approved_at, "signed_at": v.signed_at, "effective_on": v.effective_on, **dict(zip(("findings", "rules", "critical", "unverified"), counts[v.id], strict=True)),
        })
        for v in found
    ]  # fmt: skip
