"""Random orders of everything that changes an exam: after each step every derived text that is not visibly stale is what is made anew.

The walk keeps no copy of the rules that it tests: what somebody writes by hand names the values on which it was written, and what the house
makes is held against the knowledge base, the formulas and the ranges asked again from nothing. TJ_FAULT_SEED repeats a run.
"""

import contextlib
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.result.scene import Scene, file, observation, report, visit
from tests.tjapi.world import SignIn, World
from tests.tjapi.world import Visit as WorldVisit
from tjapi import demo
from tjapi.conclusion import repository as conclusion_rows
from tjapi.conclusion import service as conclusions
from tjapi.conclusion.rules import overview_of
from tjapi.conclusion.schemas import ConclusionIn, EntryIn
from tjapi.conclusion.service.alarming import reasons_of
from tjapi.critical_value import repository as critical_rows
from tjapi.critical_value import service as criticals
from tjapi.critical_value.models import CriticalValue
from tjapi.critical_value.schemas import NotifyIn
from tjapi.exam import service as exams
from tjapi.exam.schemas import FactsIn
from tjapi.kernel.problem import Problem
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.rules import Clause
from tjapi.knowledge.words import told
from tjapi.report import service as reports
from tjapi.result import repository as result_rows
from tjapi.result import service as results
from tjapi.result.errors import AnswerInvalid, QuestionClosed
from tjapi.result.formulas import FORMULAS, Person
from tjapi.result.schemas import AnswerIn, ResultsIn, RevokeIn, SummaryIn
from tjapi.result.schemas import SignIn as SheetSignIn
from tjapi.result.service.findings import line_text, of_department
from tjapi.result.service.summarizing import text_of

AT_ONCE = ("立即", "急诊", "尽快", "马上", "住院")
SEED = int(os.environ.get("TJ_FAULT_SEED") or random.SystemRandom().randrange(10**6))
WIDE = int(os.environ.get("TJ_DERIVED_SEQUENCES", "2000"))
STEPS = 14
GENERAL: Mapping[str, tuple[str, ...]] = {
    "HEIGHT": ("170", "160"), "WEIGHT": ("65", "85", "102"), "SBP": ("118", "142", "152", "186"), "DBP": ("76", "95", "112"),
    "PULSE": ("70", "72"),
}  # fmt: skip
LAB: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "GLU": {"GLU": ("5.0", "6.5", "7.4", "25.0")},
    "RENAL-FULL": {
        "CREA": ("60", "95", "140"),
        "UREA": ("5", "5.0"),
        "UA": ("300", "400", "455"),
        "CYSC": ("0.8",),
        "B2MG": ("1.5",),
    },
}


GROUNDLESS = ("痛风", "肝硬化")
"""What nothing of the exam can support."""


class Walk:
    """One exam, and what may be done to it, in any order."""

    def __init__(self, world: World, runtime: Runtime, seed: int) -> None:
        self.world, self.runtime, self.rng, self.seed = world, runtime, random.Random(seed), seed
        self.minute = 0
        self.said: list[str] = []
        self.tally: Counter[tuple[str, bool]] = Counter()

    async def begin(self) -> None:
        self.scene: Scene = await visit(self.unit, "GENERAL", "GLU", "RENAL-FULL", "ECG")
        self.department = self.scene.departments["GENERAL"]
        async with self.unit() as uow:
            await exams.set_aside(uow, self.scene.exam_id, [self.scene.lines["ECG"]], "waived", reason="设备检修")
        await self.enter()
        for group in LAB:
            await self.laboratory(group)
        if self.rng.random() < 0.7:
            # Most of what can contradict comes after a conclusion is there.
            with contextlib.suppress(Problem):
                for act in (self.handle, self.sign_sheet, self.generate):
                    await act()
                self.tally["begun", True] += 1

    # What may be done.

    def unit(self) -> Any:
        return self.runtime.units.open(demo.LOADER)

    def pick(self, among: Any) -> Any:
        return self.rng.choice(list(among))

    async def as_(self, who: str, act: Callable[[UnitOfWork], Awaitable[Any]]) -> Any:
        async with self.runtime.units.open(await self.world.staff(who)) as uow:
            return await act(uow)

    async def sheet(self) -> Any:
        return await self.as_("doctor", lambda uow: results.get_sheet(uow, self.scene.exam_id, self.department))

    async def enter(self) -> None:
        chosen = self.rng.sample(list(GENERAL), self.rng.randint(1, 5)) if self.said else list(GENERAL)
        given = {"results": [{"item_id": str(self.scene.items[c]), "value": self.pick(GENERAL[c])} for c in chosen]}
        version = (await self.sheet()).version
        body = ResultsIn.model_validate(given)
        await self.as_(
            "doctor", lambda uow: results.put_results(uow, self.scene.exam_id, self.department, body, version)
        )

    async def laboratory(self, group: str | None = None, status: str = "F") -> None:
        group = group or self.pick(LAB)
        self.minute += 1
        if status == "F" and await self.is_said(group):
            status = "C"  # of two final values nobody knows which is wrong: another test's subject
        said = [
            observation(code, self.pick(among), status=status, minute=self.minute) for code, among in LAB[group].items()
        ]
        async with self.unit() as uow:
            exam = await exams.get(uow, self.scene.exam_id)
        sent = report(
            self.scene, group, *said, patient_sex=exam.sex, patient_birth_date=exam.birth_date,
            reported_at=datetime(2026, 11, 23, 6, tzinfo=UTC) + timedelta(minutes=self.minute),
        )  # fmt: skip
        await file(self.unit, sent)
        if self.rng.random() < 0.8:
            await self.answer()

    async def is_said(self, group: str) -> bool:
        async with self.unit() as uow:
            held = await result_rows.results(uow, self.scene.exam_id)
            return any(r.current_revision_id is not None and r.item_code in LAB[group] for r in held)

    async def corrected(self) -> None:
        await self.laboratory(status="C")

    async def withdrawn(self) -> None:
        await self.laboratory(status="W")

    async def sign_sheet(self) -> None:
        sheet = await self.sheet()
        words = f"手写:{await self.words_now(self.department)}" if self.rng.random() < 0.3 else None
        lines = [line.text for line in sheet.lines]
        words = f"{words}|{lines}" if words is not None else None
        body = SheetSignIn(summary=words)
        await self.as_(
            "doctor", lambda uow: results.sign_sheet(uow, self.scene.exam_id, self.department, body, sheet.version)
        )

    async def reopen_sheet(self) -> None:
        version = (await self.sheet()).version
        await self.as_(
            "doctor", lambda uow: results.reopen_sheet(uow, self.scene.exam_id, self.department, "更正", version)
        )

    async def edit_lines(self) -> None:
        sheet = await self.sheet()
        given: list[dict[str, Any]] = []
        for line in sheet.lines:
            choice = self.rng.random()
            if choice < 0.5:
                given.append({"id": str(line.id), "text": f"改写:{await self.words_of(line.result_ids)}"})
            elif choice < 0.85:
                given.append({"id": str(line.id), "text": line.text})
        if self.rng.random() < 0.2:
            given.append({"text": f"另见{self.rng.randrange(100)}"})
        body = SummaryIn.model_validate({"lines": given})
        await self.as_(
            "doctor", lambda uow: results.put_summary(uow, self.scene.exam_id, self.department, body, sheet.version)
        )

    async def revoke(self) -> None:
        version = (await self.sheet()).version
        body = RevokeIn(reason="他人结果")
        who = self.pick(("doctor", "chief"))
        await self.as_(who, lambda uow: results.revoke_results(uow, self.scene.exam_id, self.department, body, version))

    async def facts(self) -> None:
        body = FactsIn(
            sex=self.pick(("male", "female")),
            birth_date=self.pick((date(1986, 3, 1), date(1950, 3, 1), date(2010, 3, 1))),
            reason="更正",
        )
        await self.as_("front", lambda uow: exams.correct_facts(uow, self.scene.exam_id, body))

    async def conclusion(self) -> Any:
        return await self.as_("reviewer", lambda uow: conclusions.get(uow, self.scene.exam_id))

    async def generate(self) -> None:
        version = (await self.conclusion()).version
        await self.as_("reviewer", lambda uow: conclusions.generate(uow, self.scene.exam_id, version))

    async def write(self) -> None:
        """Rewrite, merge, split, take out, turn round: some entries, and the overview sometimes."""
        held = await self.conclusion()
        entries: list[EntryIn] = []
        for e in held.entries:
            given = EntryIn(
                kind=e.kind, title=e.title, detail=e.detail, advice=e.advice, lifestyle=e.lifestyle, result_ids=e.result_ids, key=e.key,
                keys=e.keys,
            )  # fmt: skip
            choice = self.rng.random()
            if choice < 0.35 or e.stale:
                given.detail = f"改写:{await self.words_of(given.result_ids)}"
                given.title = given.title if given.title.endswith("*") else f"{given.title}*"
            elif choice < 0.5:
                continue
            entries.append(given)
        if len(entries) > 1 and self.rng.random() < 0.3:
            first, second = entries[0], entries.pop(1)
            first.keys = list(dict.fromkeys([*first.keys, *second.keys]))
            ids = list(dict.fromkeys([*first.result_ids, *second.result_ids]))
            first.result_ids, first.title = ids, f"{first.title.rstrip('*')}合并*"
            first.detail = f"改写:{await self.words_of(ids)}"
        if self.rng.random() < 0.2:
            entries.append(
                EntryIn(kind="disease", title=self.pick(GROUNDLESS), detail=f"改写:{await self.words_of([])}")
            )
        self.rng.shuffle(entries)
        overview = held.overview
        if held.overview_stale or self.rng.random() < 0.3:
            overview = f"手写:{await self.words_now(None)}|{self.rng.randrange(1000)}"
        body = ConclusionIn(overview=overview or "见下。", entries=entries)
        await self.as_("reviewer", lambda uow: conclusions.write(uow, self.scene.exam_id, body, held.version))

    def confirmed(self, held: Any) -> list[str]:
        """Return what a signer confirms: mostly all that is asked, sometimes nothing."""
        asked = [*held.overview_asked, *(word for entry in held.entries for word in entry.asked)]
        return asked if self.rng.random() < 0.8 else []

    async def sign(self) -> None:
        held = await self.conclusion()
        words = self.confirmed(held)
        await self.as_("reviewer", lambda uow: conclusions.sign(uow, self.scene.exam_id, held.version, words))

    async def finalize(self) -> None:
        held = await self.conclusion()
        words = self.confirmed(held)
        await self.as_("chief", lambda uow: conclusions.finalize(uow, self.scene.exam_id, held.version, words))

    async def reopen(self) -> None:
        version = (await self.conclusion()).version
        await self.as_("chief", lambda uow: conclusions.reopen(uow, self.scene.exam_id, "重新主检", version))

    async def publish(self) -> None:
        place = WorldVisit(self.scene.exam_id, {}, self.scene.exam_id, self.scene.exam_no, {}, {})
        await self.world.published(place)

    async def handle(self) -> None:
        """Somebody sees to what is critical, so that it does not keep the exam for ever."""
        async with self.unit() as uow:
            held = [c for c in await critical_rows.of_exam(uow, self.scene.exam_id) if c.state == "detected"]
            versions = [(c.id, c.version) for c in held]
        told = NotifyIn(channel="phone", told="本人", reached=True, read_back="马上去急诊", note=None)
        for critical_id, version in versions:
            if self.rng.random() < 0.2:
                dismiss = partial(criticals.dismiss, critical_id=critical_id, reason="标本溶血", expected=version)
                await self.as_("chief", dismiss)
                continue
            await self.as_("chief", partial(criticals.confirm, critical_id=critical_id, expected=version))
            tell = partial(criticals.notify, critical_id=critical_id, given=told, expected=version + 1)
            await self.as_("chief", tell)

    async def answer(self) -> None:
        """Somebody answers what no machine may decide: what is called abnormal is, until another value comes."""
        async with self.unit() as uow:
            asked = [q for q in await result_rows.questions_of(uow, self.scene.exam_id) if q.closed_at is None]
        for question in asked:
            given: dict[str, Any] = {"reason": "已核对"}
            match question.kind:
                case "undetermined":
                    given["answer"] = self.pick(("normal", "normal", "abnormal", "not_judged"))
                case "contested":
                    given |= {"answer": "keep", "revision_id": str(self.pick(question.revision_ids))}
                case "implausible":
                    given["answer"] = self.pick(("confirmed", "wrong"))
                case _:
                    given["answer"] = self.pick(("keep", "no_value"))
            with contextlib.suppress(QuestionClosed):  # by the answer to another one
                try:
                    await self._give(question.id, given)
                except AnswerInvalid:
                    # A rule finds something of it.
                    await self._give(question.id, given | {"answer": "abnormal"})

    async def _give(self, question_id: UUID, given: dict[str, Any]) -> None:
        said = AnswerIn.model_validate(given)
        await self.as_("doctor", partial(results.answer, question_id=question_id, given=said))

    async def step(self) -> None:
        ways: dict[str, tuple[int, Callable[[], Awaitable[None]]]] = {
            "enter": (3, self.enter), "laboratory": (2, self.laboratory), "corrected": (4, self.corrected), "withdrawn": (1, self.withdrawn),
            "sign sheet": (4, self.sign_sheet), "reopen sheet": (2, self.reopen_sheet), "edit": (2, self.edit_lines),
            "revoke": (1, self.revoke), "facts": (2, self.facts), "generate": (3, self.generate), "write": (4, self.write),
            "sign": (4, self.sign), "finalize": (4, self.finalize), "reopen": (2, self.reopen), "publish": (3, self.publish),
            "handle": (3, self.handle), "answer": (5, self.answer),
        }  # fmt: skip
        name = self.rng.choices(list(ways), [weight for weight, _ in ways.values()])[0]
        before = await self.stale()
        taken = True
        try:
            await ways[name][1]()
        except Problem:
            taken = False
        self.said.append(name if taken else f"({name})")
        self.tally[name, taken] += 1
        if name in ("sign", "finalize", "publish") and taken:
            assert not before, f"{name} over what is stale: {before}"
            held = await self.conclusion()
            asked = [*held.overview_asked, *(word for entry in held.entries for word in entry.asked)]
            assert not asked, f"{name} over words that nobody confirmed: {asked}"
            untold = [
                e.title
                for e in held.entries
                if e.title in GROUNDLESS and not any(e.title in one.words for one in held.confirmed)
            ]
            assert not untold, f"{name} over {untold}, confirmed by nobody"
        await self.agree()

    async def stale(self) -> list[str]:
        async with self.unit() as uow:
            found = await conclusion_rows.conclusion(uow, self.scene.exam_id)
            entries = await conclusion_rows.entries(uow, self.scene.exam_id)
            said = [f"entry {e.title}" for e in entries if e.stale]
            said += ["overview"] if found is not None and found.overview_stale else []
            said += [f"sheet {s.department_id}" for s in await result_rows.sheets(uow, self.scene.exam_id) if s.stale]
            lines = await result_rows.sheet_lines(uow, self.scene.exam_id)
            return said + [f"line {line.text}" for line in lines if line.stale and not line.removed]

    # What must be so, whatever was done.

    async def words_of(self, result_ids: Any) -> str:
        async with self.unit() as uow:
            return await _words(uow, self.scene.exam_id, set(result_ids))

    async def words_now(self, department_id: int | None) -> str:
        async with self.unit() as uow:
            held = await result_rows.results(uow, self.scene.exam_id)
            return await _words(
                uow, self.scene.exam_id, {r.id for r in held if department_id in (None, r.department_id)}
            )

    async def agree(self) -> None:
        async with self.unit() as uow:
            exam = await exams.get(uow, self.scene.exam_id)
            found = await conclusion_rows.conclusion(uow, exam.id)
            finalized = exam.state == "finalized"
            if finalized:
                assert found is not None
                current = await conclusions.stands(uow, exam.id)
                for version in await reports.versions(uow, exam.id):
                    assert version.state != "published" or current or version.outdated, (
                        "a report that is not true, and does not say so"
                    )
                if not current:
                    return
            else:
                assert all(v.state != "published" for v in await reports.versions(uow, exam.id))
            await self._values(uow, exam)
            await self._sheets(uow, exam)
            if found is not None and found.knowledge_version_id is not None:
                await self._conclusion(uow, exam, found)
            await self._criticals(uow, exam)
        if not finalized:
            async with self.unit() as uow:
                reasons = {o.code for o in (await exams.completeness(uow, self.scene.exam_id)).outstanding}
            told = {
                "conclusion_stale" if one.startswith(("entry", "overview")) else "summary_stale"
                for one in await self.stale()
            }
            assert told <= reasons, (told, reasons)

    async def _values(self, uow: UnitOfWork, exam: Any) -> None:
        case = await results.case_of(uow, exam.id)
        numbers = {code: k.numeric for code, k in case.values.items()}
        for code, formula in FORMULAS.items():
            inputs = [numbers.get(i) for i in formula.inputs]
            if code not in self.scene.items:
                continue
            known = [i for i in inputs if i is not None]
            person = Person(exam.sex, exam.age_years)
            anew: Decimal | None = formula.compute(known, person) if len(known) == len(inputs) else None
            assert numbers.get(code) == anew, f"{code} is {numbers.get(code)}, made anew {anew}"

    async def _sheets(self, uow: UnitOfWork, exam: Any) -> None:
        ground = await results.ground_of(uow, exam)
        assert ground.edition is not None
        sheets = {s.department_id: s for s in await result_rows.sheets(uow, exam.id)}
        lines = await result_rows.sheet_lines(uow, exam.id)
        for department_id in {*sheets, *(line.department_id for line in lines)}:
            sheet = sheets.get(department_id)
            if sheet is not None and sheet.stale and sheet.state == "signed":
                continue
            anew = {
                advice.code: line_text(advice, fired)
                for advice, fired in results.found_in(ground.edition, of_department(ground.case, department_id))
            }
            held = [line for line in lines if line.department_id == department_id]
            machine = {x.finding_code: x.text for x in held if x.origin == "rule" and not x.edited and not x.removed}
            touched = {x.finding_code for x in held if x.origin == "rule" and (x.edited or x.removed)}
            assert machine == {code: text for code, text in anew.items() if code not in touched}
            for line in held:
                if line.origin == "rule" and line.edited and not line.removed and not line.stale:
                    assert line.text == f"改写:{await _words(uow, exam.id, set(line.result_ids))}"
            if sheet is not None and sheet.state == "signed":
                shown = [line.text for line in held if not line.removed]
                if sheet.by_hand:
                    own = {r.id for r in await result_rows.results(uow, exam.id) if r.department_id == department_id}
                    assert sheet.summary == f"手写:{await _words(uow, exam.id, own)}|{shown}"
                else:
                    own_values = [known for known in ground.case.every if known.department_id == department_id]
                    assert sheet.summary == text_of(held, own_values, complete=True)

    async def _conclusion(self, uow: UnitOfWork, exam: Any, found: Any) -> None:
        ground = await results.ground_of(uow, exam)
        assert ground.edition is not None
        lines = await results.summary_lines(uow, exam.id)
        out = {line.finding_code for line in lines if line.removed} - {x.finding_code for x in lines if not x.removed}
        # A value of which a person has said that it is none is called critical by no text, while no other alert stands on it.
        dismissed = {
            r
            for c in await critical_rows.of_exam(uow, exam.id)
            if c.important_class == "A" and c.corrected_at is None and c.state == "dismissed"
            for r in c.revision_ids
        }
        standing = {i for alert in await _standing(uow, exam) for i in alert.result_ids}
        calm = {k.result_id for k in ground.case.every if k.revision_id in dismissed and k.result_id} - standing
        anew = {
            f"finding:{one[0].code}": (one[0].name, reasons_of(one, calm), results.found_result_ids(one[1]))
            for one in results.found_in(ground.edition, ground.case)
            if one[0].code not in out
        } | {f"line:{x.id}": (x.text[:200], "", []) for x in lines if x.origin == "manual" and not x.removed}
        entries = list(await conclusion_rows.entries(uow, exam.id))
        mild = {key for e in entries if e.edited and not any(word in e.advice for word in AT_ONCE) for key in e.keys}
        # What asks for action at once tells of it already.
        grave = [
            {*results.found_result_ids(fired)}
            for advice, fired in results.found_in(ground.edition, ground.case)
            if advice.important_class == "A" and advice.code not in out
        ]
        unheard = [
            {*results.found_result_ids(fired)}
            for advice, fired in results.found_in(ground.edition, ground.case)
            if advice.important_class == "A"
            and {advice.code, f"finding:{advice.code}"}.isdisjoint({*out, *mild, *found.removed_keys})
        ]
        again = await self._alerts(uow, exam, ground, unheard)
        anew |= await self._alerts(uow, exam, ground, grave)
        if found.state != "draft":
            for alert in await _standing(uow, exam):
                assert {i for e in entries for i in e.result_ids}.intersection(alert.result_ids), alert.rule_code
        machine = {e.key: (e.title, e.detail, e.result_ids) for e in entries if not e.edited}
        # A reviewer took out the finding that told of it, or put it under words that ask for nothing at once: nobody signs, and the alert's
        # own entry comes back with the next thing that happens.
        anew |= {key: said for key, said in again.items() if key in machine}
        covered = {key for e in entries if e.edited for key in e.keys} | set(found.removed_keys)
        assert machine == {key: said for key, said in anew.items() if key not in covered}
        for e in entries:
            if e.edited and not e.stale:
                assert e.detail == f"改写:{await _words(uow, exam.id, set(e.result_ids))}", e.title
                assert set(e.keys) <= set(anew), f"{e.title} stands for what is not found"
                assert {i for key in e.keys for i in anew[key][2]} <= set(e.result_ids)
        if found.overview.startswith("手写"):
            if not found.overview_stale:
                every = {r.id for r in await result_rows.results(uow, exam.id)}
                assert found.overview.rpartition("|")[0] == f"手写:{await _words(uow, exam.id, every)}"
        elif found.overview != "见下。":
            assert found.overview == overview_of([e.title for e in entries], ground.case.every) or found.overview_stale

    async def _alerts(self, uow: UnitOfWork, exam: Any, ground: Any, grave: list[set[UUID]]) -> dict[str, Any]:
        """What nobody dismissed, and no finding names, has an entry with its value: titles and values, asked again from the list of alerts."""
        held = {known.result_id: known for known in ground.case.every}
        found: dict[str, Any] = {}
        for alert in sorted(await _standing(uow, exam), key=lambda alert: -len(alert.result_ids)):
            if not any(ids.issuperset(alert.result_ids) for ids in grave):
                grave.append(set(alert.result_ids))
                values = [held[i] for i in alert.result_ids]
                title = "、".join(dict.fromkeys(v.item_name for v in values)) + "危急值"
                found[f"critical:{alert.rule_code}"] = (title, told(Clause(v, "") for v in values), alert.result_ids)
        return found

    async def _criticals(self, uow: UnitOfWork, exam: Any) -> None:
        edition = await results.edition_of(uow, exam)
        assert edition is not None
        case = await results.case_of(uow, exam.id)
        anew = {fired.rule.code for fired in edition.fired("critical", case)}
        held = await critical_rows.of_exam(uow, exam.id)
        assert {c.rule_code for c in held if c.corrected_at is None} == anew


async def _standing(uow: UnitOfWork, exam: Any) -> list[CriticalValue]:
    held = await critical_rows.of_exam(uow, exam.id)
    return [
        c for c in held
        if c.important_class == "A" and c.corrected_at is None and c.state not in ("dismissed", "superseded") and c.result_ids
    ]  # fmt: skip


async def _words(uow: UnitOfWork, exam_id: UUID, ids: set[UUID]) -> str:
    """What results say now, and of whom: what whoever writes by hand had before them."""
    exam = await exams.get(uow, exam_id)
    said = {r.id: r for r in await result_rows.revisions_of_exam(uow, exam_id)}
    parts = []
    for result in await result_rows.results(uow, exam_id):
        now = said[result.current_revision_id] if result.current_revision_id else None
        if result.id in ids and now is not None:
            value = f"{now.numeric.normalize():f}" if now.numeric is not None else now.text
            parts.append(f"{result.item_code}={value}{now.flag}")
    return f"{exam.sex},{exam.birth_date},{','.join(sorted(parts))}"


async def walk(world: World, runtime: Runtime, seed: int) -> Counter[tuple[str, bool]]:
    one = Walk(world, runtime, seed)
    await one.begin()
    try:
        for _ in range(STEPS):
            await one.step()
    except AssertionError as wrong:
        raise AssertionError(f"TJ_FAULT_SEED={seed}, after {' → '.join(one.said)}: {wrong}") from wrong
    return one.tally


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.timeout(600)
@pytest.mark.requirement("E3.4", "E4.3", "E12.1", "E12.2")
async def test_twenty_walks_leave_nothing_that_contradicts_its_source(world: World, runtime: Runtime) -> None:
    tally: Counter[tuple[str, bool]] = Counter()
    for n in range(20):
        tally += await walk(world, runtime, SEED + n)
    # A walk on which there is no conclusion shows little.
    assert tally["begun", True], tally


@pytest.mark.torture
@pytest.mark.timeout(14_400)
@pytest.mark.requirement("E3.4", "E4.3", "E12.1", "E12.2")
async def test_two_thousand_walks_leave_nothing_that_contradicts_its_source(world: World, runtime: Runtime) -> None:
    tally: Counter[tuple[str, bool]] = Counter()
    wrong: list[str] = []
    for n in range(WIDE):
        try:
            tally += await walk(world, runtime, SEED + n)
        except AssertionError as told:
            # An hour of walks names every seed that fails, not only the first.
            wrong.append(str(told))
            print(f"\nwalk {n}: {told}", flush=True)
        if n % 100 == 99:
            print(f"\n{n + 1} walks, {len(wrong)} wrong", flush=True)
    assert not wrong, f"{len(wrong)} of {WIDE} walks: " + "\n".join(wrong)
    said = ("begun", "answer", "sign", "finalize", "publish", "reopen", "revoke", "facts", "write")
    assert all(tally[name, True] > WIDE // 100 for name in said), tally
