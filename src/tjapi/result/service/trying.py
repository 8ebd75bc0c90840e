"""An edition of the knowledge base tried on exams that were, beside the one in use: what it would find and alarm that is not found now."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.models import ItemRange
from tjapi.catalog.rules import Age, range_of
from tjapi.catalog.schemas import RangeIn
from tjapi.exam.models import Exam
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case
from tjapi.knowledge.service import Knowledge
from tjapi.result import views
from tjapi.result.rules.flags import Flag, flag, gravity
from tjapi.result.rules.values import Comparator, Value
from tjapi.result.schemas import TrialOut, TrialRowOut
from tjapi.result.service.book import range_rules
from tjapi.result.service.case import before_of, put_together, subject_of
from tjapi.result.service.findings import found_in

_AT_ONCE = 50
_SHOWN = 5
_Said = tuple[str, str, str]
"""A finding or an alarm: which of the two, its code, its name."""


async def try_edition(uow: UnitOfWork, version_id: UUID, most: int) -> TrialOut:
    """Say of the newest exams what a version finds and alarms that the one in use does not, and the other way round; nothing is changed.

    Of each exam its values as they are now are asked, whatever it was judged by. Raises KnowledgeVersionNotFound.
    """
    found = await try_content(uow, await knowledge.edition(uow, version_id), most)
    rows = await knowledge.drafted_ranges(uow, version_id)
    if not rows:
        return found
    return found.model_copy(update={"changes": [*found.changes, *await _other_flags(uow, rows, most)]})


async def _other_flags(uow: UnitOfWork, rows: Sequence[RangeIn], most: int) -> list[TrialRowOut]:
    """Return whose numbers of the newest exams ranges would flag otherwise than those in force do, by item. A laboratory's own range is left out."""
    today = business_day(uow.now)
    now, then = await catalog.ranges_tried(uow, rows, today)
    exams = await views.newest_exams(uow, most)
    more: dict[str, list[str]] = {}
    fewer: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for exam, case in await _cases(uow, exams, ()):
        subject = replace(subject_of(exam), on=today)
        for code, known in case.values.items():
            if code not in now.keys() | then.keys() or known.numeric is None:
                continue
            value = Value(known.text, known.text, cast("Comparator", known.comparator), known.numeric)
            age, names[code] = Age.on(exam.birth_date, exam.exam_date), known.item_name
            old, new = (
                _flag_by(range_of(held.get(code, ()), subject.sex, age, pregnant=subject.pregnant, on=today), value)
                for held in (now, then)
            )
            if old != new:
                (more if gravity(new) > gravity(old) else fewer).setdefault(code, []).append(exam.exam_no)
    return [
        TrialRowOut(
            what="range", code=code, name=names[code], more=len(more.get(code, ())), fewer=len(fewer.get(code, ())),
            exam_nos=[*more.get(code, ()), *fewer.get(code, ())][:_SHOWN],
        )
        for code in sorted(more.keys() | fewer.keys())
    ]  # fmt: skip


def _flag_by(found: ItemRange | None, value: Value) -> Flag | None:
    return flag(value, range_rules(found)) if found is not None else None


async def try_content(uow: UnitOfWork, content: Knowledge, most: int) -> TrialOut:
    """Say so of a content that is kept, or only read from a file (`knowledge.in_memory`)."""
    # What is tried is what it would find once it is signed.
    tried = replace(content, signed=True)
    now = await knowledge.active(uow)
    used = replace(now, signed=True) if now is not None else None
    past = {code for one in (tried, used) if one is not None for rule in one.rules for code in rule.past}
    exams = await views.newest_exams(uow, most)
    more: dict[_Said, list[str]] = {}
    fewer: dict[_Said, list[str]] = {}
    for first in range(0, len(exams), _AT_ONCE):
        some = exams[first : first + _AT_ONCE]
        for exam, case in await _cases(uow, some, past):
            new, old = _said_of(tried, case), _said_of(used, case) if used is not None else {}
            # By its code: a name may carry the mark of an edition that nobody has signed.
            for held, said, other in ((more, new, old), (fewer, old, new)):
                for (what, code), name in said.items():
                    if (what, code) not in other:
                        held.setdefault((what, code, name), []).append(exam.exam_no)
    rows = [
        TrialRowOut(
            what="critical" if what == "critical" else "finding", code=code, name=name, more=len(more.get((what, code, name), ())),
            fewer=len(fewer.get((what, code, name), ())),
            exam_nos=[*more.get((what, code, name), ()), *fewer.get((what, code, name), ())][:_SHOWN],
        )
        for what, code, name in sorted(more.keys() | fewer.keys())
    ]  # fmt: skip
    return TrialOut(
        version_id=content.version_id,
        active_id=used.version_id if used is not None else None,
        exams=len(exams),
        changes=rows,
    )


async def _cases(uow: UnitOfWork, exams: Sequence[Exam], past: Collection[str]) -> list[tuple[Exam, Case]]:
    rows = await views.case_values(uow, [exam.id for exam in exams])
    found = []
    for exam in exams:
        values, repeats = put_together([row for row in rows if row.exam_id == exam.id])
        before = await before_of(uow, exam, set(past) & values.keys())
        found.append(
            (exam, Case(exam.sex, exam.age_years, values, before, repeats, bool(exam.pregnant), exam.age_days))
        )
    return found


def _said_of(edition: Knowledge, case: Case) -> dict[tuple[str, str], str]:
    """Return what an edition would say of an exam, the findings that are listed and every alarm: names by kind and code."""
    findings = {("finding", advice.code): advice.name for advice, _ in found_in(edition, case)}
    return findings | {("critical", fired.rule.code): fired.rule.name for fired in edition.fired("critical", case)}
