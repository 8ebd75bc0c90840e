"""Content that ships with a release: active on the first day, beside the hospital's own later on."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Any
from uuid import UUID

from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import repository
from tjapi.knowledge.merging import Key, merged
from tjapi.knowledge.schemas import (
    ContentIn,
    CriticalRuleIn,
    FindingIn,
    RuleIn,
)
from tjapi.knowledge.service.reading import content_of
from tjapi.knowledge.service.signing import put_into_use
from tjapi.knowledge.service.writing import ERRORS_SHOWN, add, sha256_of


def read_starter() -> ContentIn:
    """Read the starter files that ship with this context."""
    held: dict[str, Any] = {"findings": [], "rules": [], "critical": []}
    for file in sorted((resources.files("tjapi.knowledge") / "starter").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for kind, rows in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if kind == "clocks":
                    held[kind] = rows
                else:
                    held[kind].extend(rows)
    return ContentIn.model_validate(held)


async def load_starter(uow: UnitOfWork, *, signed: bool = False) -> None:
    """Bring the content in that ships with this release. `signed`: the invented physicians of the demo have signed it."""
    await bring_in(uow, read_starter(), signed=signed)


async def bring_in(uow: UnitOfWork, content: ContentIn, *, signed: bool = False) -> None:
    """Bring shipped content in. The first is active at once; of a later release it is a draft, which the hospital looks at.

    Where the hospital has rows of its own, a second draft keeps these beside what is new. Unsigned it alarms from the first day on, and
    finds nothing. Twice is once.
    """
    await repository.lock(uow)
    version = await repository.of_content(uow, sha256_of(content))
    if version is None:
        before, now = await repository.shipped(uow), await repository.active_id(uow)
        version = await add(uow, content, _SHIPPED)
        version.shipped = True
        if now is None:
            await put_into_use(uow, version)
        elif before is not None:
            await _keep_own(uow, before.id, now, content)
    if signed and version.signed_at is None:
        version.approved_by, version.signed_by = _INVENTED
        version.approved_at = version.signed_at = uow.now


_INVENTED = (UUID("6f0c1f0e-7f0b-5d53-9a41-000000000001"), UUID("6f0c1f0e-7f0b-5d53-9a41-000000000002"))
"""The laboratory head and the chief physician of the demo hospital: nobody, and two of them."""
_SHIPPED = "随软件附带的起始内容"


async def _keep_own(uow: UnitOfWork, before_id: UUID, active_id: UUID, content: ContentIn) -> None:
    """Write what ships now with the hospital's own rows as a draft of its own, where there are any."""
    before, ours = await content_of(uow, before_id), await content_of(uow, active_id)
    rows, contested = merged(_by_code(before), _by_code(ours), _by_code(content))
    kept = ContentIn.model_validate({"clocks": ours.clocks} | {
        kind: [row for (of, _), row in rows.items() if of == name]
        for kind, name in (("findings", "finding"), ("rules", "rule"), ("critical", "critical"))
    })  # fmt: skip
    if kept == content or await repository.of_content(uow, sha256_of(kept)) is not None:
        return
    if lost := kept.faults():
        # A row of ours leads to one that ships no more: nobody can use that, and somebody has to see it.
        codes = sorted({code for _, code in lost})[:ERRORS_SHOWN]
        await uow.audit("knowledge.own_rows_left", "knowledge_version", active_id, detail={"codes": codes})
        return
    both = "、".join(code for _, code in contested[:ERRORS_SHOWN])
    await add(uow, kept, f"{_SHIPPED},保留本院内容" + (f"；双方均有改动,取本院:{both}" if both else ""))


def _by_code(content: ContentIn) -> dict[Key, dict[str, Any]]:
    kinds: tuple[tuple[str, Sequence[FindingIn | RuleIn | CriticalRuleIn]], ...] = (
        ("finding", content.findings), ("rule", content.rules), ("critical", content.critical),
    )  # fmt: skip
    return {(kind, row.code): row.model_dump(mode="json") for kind, rows in kinds for row in rows}
