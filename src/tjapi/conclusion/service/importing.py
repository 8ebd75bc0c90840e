"""Conclusions of another system's archive, in bulk: the last act of an import, after which the exams are finalized.

Who signed then is who signed; two people, as everywhere. What was concluded is the archive's words; an entry may name the finding of ours
that it is, and the results that it rests on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import PastConclusionsInvalid
from tjapi.conclusion.rules import EntryKind, in_order
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import service as results

_SIGNED, _FINALIZED = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEntry:
    """One thing concluded; `finding_code` names the finding of the knowledge base that it is, None: the reviewer's own words."""

    kind: EntryKind
    title: str
    detail: str = ""
    advice: str = ""
    lifestyle: str = ""
    icd10: str | None = None
    finding_code: str | None = None
    rule_codes: tuple[str, ...] = ()
    result_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, under which name, when."""

    by: UUID
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastConclusion:
    """What was concluded of one past exam that is being brought in."""

    exam_id: UUID
    overview: str
    entries: tuple[PastEntry, ...]
    initial: Signature
    final: Signature
    knowledge_version_id: UUID | None = None


async def import_past(uow: UnitOfWork, archive: str, rows: Sequence[PastConclusion]) -> None:
    """Bring in the conclusions of past exams and finalize these. Raises PastExamNotOpen, PastConclusionsInvalid naming every field."""
    opened = await exams.open_past(uow, [row.exam_id for row in rows])
    _refuse_invalid(rows, await results.ids_of(uow, opened))
    digests = await results.digests(uow, opened)
    conclusions: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    for row in rows:
        exam = opened[row.exam_id]
        conclusions.append({
            "exam_id": exam.id, "campus_id": exam.campus_id, "version": _FINALIZED, "state": "finalized", "overview": row.overview,
            "initial_by": row.initial.by, "initial_name": row.initial.name, "initial_at": row.initial.at, "final_by": row.final.by,
            "final_name": row.final.name, "final_at": row.final.at, "results_digest": digests[exam.id], "returned_reason": None,
            "knowledge_version_id": row.knowledge_version_id, "removed_keys": [],
        })  # fmt: skip
        own = [_entry(exam, sort, one) for sort, one in enumerate(in_order(row.entries))]
        entries += own
        said = [{key: _plain(value) for key, value in one.items() if key not in _NOT_SAID} for one in own]
        for version, action, by in ((_SIGNED, "signed", row.initial), (_FINALIZED, "finalized", row.final)):
            steps.append({
                "exam_id": exam.id, "version": version, "campus_id": exam.campus_id, "action": action, "overview": row.overview,
                "entries": [{**one, "manual": not one["result_ids"]} for one in said], "reason": None, "by": by.by, "at": by.at,
            })  # fmt: skip
    await repository.add_past(uow, conclusions, entries, steps)
    campuses: dict[int, int] = {}
    for exam in opened.values():
        campuses[exam.campus_id] = campuses.get(exam.campus_id, 0) + 1
    for campus_id, count in sorted(campuses.items()):
        await uow.audit("conclusion.imported", "archive", archive, campus_id=campus_id, detail={"conclusions": count})
    await exams.close_past(uow, list(opened))


_NOT_SAID = frozenset({"id", "sort", "exam_id", "campus_id"})


def _entry(exam: Exam, sort: int, one: PastEntry) -> dict[str, Any]:
    return {
        "id": uuid7(), "exam_id": exam.id, "campus_id": exam.campus_id, "sort": sort, "kind": one.kind, "title": one.title,
        "detail": one.detail, "advice": one.advice, "result_ids": list(dict.fromkeys(one.result_ids)), "lifestyle": one.lifestyle,
        "key": f"finding:{one.finding_code}" if one.finding_code else None, "icd10": one.icd10, "rule_codes": list(one.rule_codes),
        "edited": one.finding_code is None, "stale": False,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list) else value


def _refuse_invalid(rows: Sequence[PastConclusion], held: Mapping[UUID, Collection[UUID]]) -> None:
    errors: list[FieldError] = []
    for i, row in enumerate(rows):
        at = f"/rows/{i}"
        if row.initial.by == row.final.by:
            errors.append(FieldError(f"{at}/final", "same-reviewer", "初审与终审应为两人", "two people sign"))
        if row.final.at < row.initial.at:
            errors.append(FieldError(f"{at}/final", "order", "终审早于初审", "the final signature is before the first"))
        if not row.overview:
            errors.append(FieldError(f"{at}/overview", "empty", "没有综述", "no overview"))
        codes = [one.finding_code for one in row.entries if one.finding_code]
        if len(set(codes)) != len(codes):
            errors.append(FieldError(f"{at}/entries", "duplicate", "同一来源出现两次", "a finding is there twice"))
        own = set(held.get(row.exam_id, ()))
        errors += [
            FieldError(f"{at}/entries/{j}/result_ids", "unknown", "不是这次体检的结果", "no result of this exam")
            for j, one in enumerate(row.entries)
            if not own.issuperset(one.result_ids)
        ]
    if errors:
        raise PastConclusionsInvalid(errors=errors)
