"""Content that ships with a release: active on the first day, beside the hospital's own later on."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.readings import is_read
from tjapi.catalog.schemas import RangeIn
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import readings, repository
from tjapi.knowledge.merging import Key, led_to, merged
from tjapi.knowledge.models import KnowledgeVersion
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
    """Read the starter files that ship with this context. A row is verified where a reading names it with the figures that it has."""
    held: dict[str, Any] = {"findings": [], "rules": [], "critical": []}
    for file in sorted((resources.files("tjapi.knowledge") / "starter").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for kind, rows in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if kind == "clocks":
                    held[kind] = rows
                elif kind == "said":
                    held["rules"].extend(
                        map(partial(_said, source=rows["source"], verified=rows["verified"]), rows["rows"])
                    )
                else:
                    held[kind].extend(rows)
    content = ContentIn.model_validate(held)
    for finding in content.findings:
        finding.verified = is_read(readings.of_finding(finding))
    for rule in content.rules:
        rule.verified = is_read(readings.of_rule(rule))
    for alarm in content.critical:
        alarm.verified = is_read(readings.of_critical(alarm))
    return content


def _said(row: Mapping[str, Any], *, source: str, verified: bool) -> dict[str, Any]:
    """Return the rule by which a finding is found wherever a text names its concept, with its examples."""
    asked = {"item": "*", "in": row.get("in", [row["finding"]]), "described": True}
    shown = [{"sex": row.get("sex", "female"), "age_years": 45, "values": {"SKIN": text}} for text in row["shown"]]
    misses = [{"sex": "female", "age_years": 45, "values": {"SKIN": "未见异常"}}]
    return {
        "code": f"SAID-{row['finding']}", "finding": row["finding"], "condition": {"concept": asked},
        "fires": shown, "misses": misses, "source": source, "verified": verified,
    }  # fmt: skip


async def load_starter(uow: UnitOfWork, *, signed: bool = False) -> None:
    """Bring the content in that ships with this release. `signed`: the invented physicians of the demo have signed it."""
    content = read_starter()
    content.ranges = catalog.shipped_ranges()
    await bring_in(uow, content, signed=signed)


async def bring_in(uow: UnitOfWork, content: ContentIn, *, signed: bool = False) -> None:
    """Bring shipped content in. The first is active at once; of a later release it is a draft, which the hospital looks at.

    Where the hospital has rows of its own, a second draft keeps these beside what is new. Unsigned it alarms from the first day on, and
    finds nothing. Twice is once.
    """
    await repository.lock(uow)
    digest = sha256_of(content)
    version = await repository.of_content(uow, digest)
    if version is None:
        before, now = await repository.shipped(uow), await repository.active_id(uow)
        moved = await _moved(uow, before, content)
        said = content.model_copy(update={"ranges": moved.all})
        version = await add(uow, said, _SHIPPED, digest)
        version.shipped, version.shipped_ranges = True, [row.model_dump(mode="json") for row in content.ranges]
        if now is None:
            await put_into_use(uow, version)
        elif before is not None:
            await _keep_own(uow, before.id, now, said, moved)
    if signed and version.signed_at is None:
        version.approved_by, version.signed_by = _INVENTED
        version.approved_at = version.signed_at = uow.now


@dataclass(frozen=True, slots=True)
class _Moved:
    """What newer shipped ranges change: all of it, and what of it leaves the hospital's own as they are, with those that both changed."""

    all: list[RangeIn]
    kept: list[RangeIn]
    contested: list[Key]


async def _moved(uow: UnitOfWork, before: KnowledgeVersion | None, content: ContentIn) -> _Moved:
    """Hold the ranges that ship now against those that shipped before, and those in force, by whom they are for."""
    if not content.ranges:
        return _Moved([], [], [])
    today = business_day(uow.now)
    ours, own = await catalog.ranges_in_force(uow, today), await catalog.own_keys(uow, today)
    if before is not None and before.shipped_ranges:
        was = {row.key: row for row in map(RangeIn.model_validate, before.shipped_ranges)}
    else:  # what shipped then was not kept: what a release brought is taken for unchanged
        was = {key: row for key, row in ours.items() if key not in own}
    now = {row.key: row for row in content.ranges}
    kept, contested = merged(_by_key(was), _by_key(ours), _by_key(now))
    return _Moved(
        _changes(ours, now, gone=was.keys() - now.keys()),
        _changes(ours, {key: RangeIn.model_validate(row) for (_, key), row in kept.items()}, gone=ours.keys()), contested,
    )  # fmt: skip


def _by_key(rows: Mapping[str, RangeIn]) -> dict[Key, dict[str, Any]]:
    return {("range", key): row.model_dump(mode="json") for key, row in rows.items()}


def _changes(ours: Mapping[str, RangeIn], wanted: Mapping[str, RangeIn], *, gone: Collection[str]) -> list[RangeIn]:
    """Return what an edition says so that these ranges hold: those that are others, and the end of those that go."""
    others = [row for key, row in sorted(wanted.items()) if ours.get(key) != row]
    ended = [
        ours[key].model_copy(update={"withdrawn": True}) for key in sorted(gone) if key in ours and key not in wanted
    ]
    return [*ended, *others]


_INVENTED = (UUID("6f0c1f0e-7f0b-5d53-9a41-000000000001"), UUID("6f0c1f0e-7f0b-5d53-9a41-000000000002"))
"""The laboratory head and the chief physician of the demo hospital: nobody, and two of them."""
_SHIPPED = "随软件附带的起始内容"


async def _keep_own(uow: UnitOfWork, before_id: UUID, active_id: UUID, content: ContentIn, moved: _Moved) -> None:
    """Write what ships now with the hospital's own rows as a draft of its own, where there are any.

    What an own row leads to stays with it though it ships no more, and the note says so.
    """
    before, ours = await content_of(uow, before_id), await content_of(uow, active_id)
    rows, contested = merged(_by_code(before), _by_code(ours), _by_code(content))
    stayed = led_to(rows, _by_code(before), _by_code(ours))
    rows |= stayed
    kept = ContentIn.model_validate({"clocks": ours.clocks, "ranges": [row.model_dump() for row in moved.kept]} | {
        kind: [row for (of, _), row in rows.items() if of == name]
        for kind, name in (("findings", "finding"), ("rules", "rule"), ("critical", "critical"))
    })  # fmt: skip
    if _by_code(kept) == _by_code(content) and kept.ranges == content.ranges:
        return
    if await repository.of_content(uow, sha256_of(kept)) is not None:
        return
    said = [f"{_SHIPPED},保留本院内容"]
    if both := [code for _, code in [*contested, *moved.contested]]:
        said.append("双方均有改动,取本院:" + "、".join(both[:ERRORS_SHOWN]))
    if stayed:
        said.append("本院内容所引、已不再随附,一并保留:" + "、".join(sorted(code for _, code in stayed)[:ERRORS_SHOWN]))
    await add(uow, kept, "；".join(said))


def _by_code(content: ContentIn) -> dict[Key, dict[str, Any]]:
    kinds: tuple[tuple[str, Sequence[FindingIn | RuleIn | CriticalRuleIn]], ...] = (
        ("finding", content.findings), ("rule", content.rules), ("critical", content.critical),
    )  # fmt: skip
    return {(kind, row.code): row.model_dump(mode="json") for kind, rows in kinds for row in rows}
