"""A conclusion follows what it is made of: what nobody touched is made anew, what a reviewer touched is stale, and says so.

One body for making and for comparing: what is made anew here is what `generate` makes, and what a signature insists on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from dataclasses import replace as renew
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import ConclusionStale, CriticalNotConcluded
from tjapi.conclusion.models import Conclusion, ConclusionEntry
from tjapi.conclusion.rules import (
    Alarmed,
    Telling,
    alarmed,
    asks_to_act,
    in_order,
    is_alarmed,
    leaves_alone,
    made_by_machine,
    overview_of,
)
from tjapi.conclusion.service.alarming import Alarm, alarms, calmed, entries_of, not_concluded, reasons_of, telling_of
from tjapi.conclusion.service.keeping import CHANGED_UNDER, back_to_draft, copied, keep, keys_of, replace
from tjapi.conclusion.service.wording import has_own_words, mark_asked, mark_refused
from tjapi.critical_value import service as criticals
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.calm import says_all_normal, says_only_normal
from tjapi.knowledge.words import SAID_CRITICAL
from tjapi.knowledge.yielding import SEE_ALERT
from tjapi.result import service as results
from tjapi.result.models import DepartmentSheetLine
from tjapi.result.rules.alarms import TEXT_GRAVE
from tjapi.result.rules.derivation import Sources, fate
from tjapi.result.service import Found, Ground

STALE, SOURCE = "conclusion_stale", "conclusion"


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to be concluded now: what was found, by key, and the ground that it stands on.

    `words` are departments' own, and advice that knows the person, by key: neither says itself on which values it depends. `telling` says
    of what each finding speaks; `alarms` are what must be told. `calm` are results of which a person has said that they are not critical, `private` those of private items.
    """

    exam: Exam
    ground: Ground
    wanted: Mapping[str, ConclusionEntry]
    words: Mapping[str, str]
    telling: Mapping[str, Telling]
    alarms: Sequence[Alarm]
    calm: frozenset[UUID] = frozenset()
    private: frozenset[UUID] = frozenset()

    def overview(self, entries: Iterable[ConclusionEntry]) -> str:
        """Return the overview that entries make: of what is private it tells nothing."""
        return overview_of(self.titles(entries), [k for k in self.ground.case.every if k.result_id not in self.private])

    def titles(self, entries: Iterable[ConclusionEntry]) -> list[str]:
        """Return the titles of entries that an overview may name."""
        return [e.title for e in entries if not (e.private or self.private.intersection(e.result_ids))]

    def betrays(self, entries: Sequence[ConclusionEntry], overview: str) -> list[str]:
        """Return the places of a person's words on the main report that name what is private."""
        named = [known for known in self.ground.case.every if known.result_id in self.private]
        words = {word.casefold() for known in named for word in (known.item_name, known.item_code)}
        words |= {e.title.casefold() for e in entries if e.private or self.private.intersection(e.result_ids)}
        said = [("/overview", overview)]
        said += [
            (f"/entries/{i}", f"{e.title}\n{e.detail}\n{e.advice}\n{e.lifestyle}")
            for i, e in enumerate(entries)
            if e.edited and not (e.private or self.private.intersection(e.result_ids))
        ]
        return [place for place, text in said if any(word in text.casefold() for word in words)]

    def telling_by(self, entry: ConclusionEntry) -> Telling:
        """Return of what an entry speaks, as its findings are now."""
        keys = keys_of(entry)
        own = [self.telling[key] for key in keys if key in self.telling]
        return Telling(
            frozenset(keys), frozenset(entry.result_ids), frozenset(word for one in own for word in one.words),
            grave=any(one.grave for one in own), own=not keys,
            mild=entry.edited and not asks_to_act(f"{entry.detail}\n{entry.advice}"),
        )  # fmt: skip

    def sources(self, keys: Iterable[str], result_ids: Iterable[UUID]) -> Sources:
        """Return what an entry of these keys, resting on these results, is made of."""
        held = list(keys)
        missing = [key for key in held if key not in self.wanted]
        ids = list(result_ids)
        words = [(key, self.words[key]) for key in held if key in self.words]
        return self.ground.sources(ids, missing=missing, words=[*words, *self._dismissed(ids)])

    def _dismissed(self, result_ids: Iterable[UUID]) -> list[tuple[str, str]]:
        """Return what people said of alerts of results, as far as words about these depend on it."""
        return [(f"alert:{result_id}", "dismissed") for result_id in result_ids if result_id in self.calm]

    def truth(self, said: results.Truth) -> results.Truth:
        """Return what words are held against, with what stands as critical though no value says it."""
        names = {name for alarm in self.alarms for name in alarm.names}
        grave = [known for known in said.current.values() if known.flag in ("HH", "LL") or known.alarm]
        calm = {known.item_name for known in grave if known.result_id in self.calm}
        calm -= names.union(known.item_name for known in grave if known.result_id not in self.calm)
        return renew(said, critical=said.critical | names, all_known=True, dismissed=frozenset(calm))

    def names_of(self, keys: Iterable[str]) -> set[str]:
        """Return the names of the findings of keys, whether they hold or not."""
        findings = self.ground.edition.findings if self.ground.edition is not None else {}
        codes = {key.removeprefix("finding:") for key in keys if key.startswith("finding:")}
        return {findings[code].name for code in codes if code in findings}

    def found_ids(self, keys: Iterable[str]) -> list[UUID]:
        """Return the results that the findings of keys name now."""
        return list(dict.fromkeys(i for key in keys if key in self.wanted for i in self.wanted[key].result_ids))

    @property
    def everything(self) -> str:
        """The digest of all that an overview may speak of."""
        ids = self.ground.everything
        return self.ground.sources(ids, words=[*self.words.items(), *self._dismissed(ids)]).digest


async def known(uow: UnitOfWork, exam: Exam) -> Known:
    """Look at what departments, rules and alerts say of an exam now."""
    ground = await results.ground_of(uow, exam)
    said = results.found_in(ground.edition, ground.case)
    lines = await results.summary_lines(uow, exam.id)
    taken_out = {line.finding_code for line in lines if line.removed} - {
        line.finding_code for line in lines if not line.removed
    }
    found = {f"finding:{one[0].code}": one for one in said if one[0].code not in taken_out}
    telling = {key: telling_of(key, one) for key, one in found.items()}
    raised = await alarms(uow, exam, ground)
    # A finding of grave words keeps its own advice: it knows better than the alarm whom to see, and when.
    urgent = [alarm for alarm in raised if alarm.rule_code != TEXT_GRAVE]
    alarming = {i: frozenset[str]() for alarm in urgent for i in alarm.telling.result_ids}
    alarming |= alarmed(clause for alarm in urgent for clause in alarm.clauses)
    calm = await calmed(uow, exam, ground, raised)
    wanted = [
        *entries_of(exam, raised, telling.values()),
        *(_of_finding(exam, one, alarming, calm) for one in found.values()),
    ]
    # That nothing was found, or that something is normal, is no finding.
    names = [(value.item_name, value.item_code) for value in ground.case.every]
    written = [line for line in lines if line.origin == "manual" and not line.removed]
    own = [
        line
        for line in written
        if not (says_all_normal(line.text, department=True, flagged=names) or says_only_normal(line.text))
    ]
    wanted += [_of_line(exam, line) for line in own]
    telling |= {alarm.key: alarm.telling for alarm in raised}
    words = {f"line:{line.id}": line.text for line in own}
    words |= {key: f"{one[0].advice}\n{one[0].lifestyle}" for key, one in found.items() if one[0].variants}
    private = await results.private_ids(uow, exam.id)
    return Known(exam, ground, {str(e.key): e for e in wanted}, words, telling, raised, calm, private)


def _of_line(exam: Exam, line: DepartmentSheetLine) -> ConclusionEntry:
    key = f"line:{line.id}"
    return ConclusionEntry(
        id=uuid7(), exam_id=exam.id, campus_id=exam.campus_id, kind="finding", title=line.text[:200], detail="", advice="", lifestyle="",
        result_ids=[], key=key, keys=[key], rule_codes=[], edited=False, stale=False, icd10=None, found_ids=[], revision_ids=[],
    )  # fmt: skip


def _of_finding(exam: Exam, one: Found, alarming: Alarmed, calm: AbstractSet[UUID]) -> ConclusionEntry:
    advice, fired = one
    ids, key = results.found_result_ids(fired), f"finding:{advice.code}"
    if advice.own is not None and not calm.isdisjoint(ids) and alarming.keys().isdisjoint(ids):
        advice = advice.own  # a person has said that it is not critical: there is no alert to see
    # Nobody is told of one value to come at once, and within two weeks.
    clauses = [clause for each in fired for clause in each.verdict.clauses]
    later = advice.important_class != "A" and is_alarmed(clauses, alarming)
    return ConclusionEntry(
        id=uuid7(), exam_id=exam.id, campus_id=exam.campus_id, kind=advice.kind, title=advice.name, detail=reasons_of(one, calm),
        advice=SEE_ALERT if later else advice.advice, lifestyle="" if later else advice.lifestyle, result_ids=ids, key=key, keys=[key], icd10=advice.icd10,
        rule_codes=[f.rule.code for f in fired], edited=False, stale=False, found_ids=ids, revision_ids=[],
    )  # fmt: skip


def judged(now: Known, entry: ConclusionEntry, *, split: bool) -> ConclusionEntry:
    """Return an entry that a reviewer touched as it stands now: its words stay, its links follow its findings, and it says whether it is stale.

    Of an entry that was split each part keeps the results that the reviewer left to it. Own words without a link rest on the person's facts.
    """
    copy = copied(entry)
    keys = keys_of(copy)
    if not keys and not copy.result_ids and copy.made_of is None:
        return copy  # from an archive: nobody knows on what it was written
    if keys and not split:
        own = [i for i in entry.result_ids if i not in set(entry.found_ids)]
        copy.found_ids = now.found_ids(keys)
        copy.result_ids = list(dict.fromkeys([*copy.found_ids, *own]))
    rules = dict.fromkeys(code for key in keys if key in now.wanted for code in now.wanted[key].rule_codes)
    copy.rule_codes = list(rules) if keys else copy.rule_codes
    copy.stale = not is_current(now, copy)
    return copy


def is_current(now: Known, entry: ConclusionEntry) -> bool:
    """Say whether an entry rests on what it was made of; its words may be untrue all the same."""
    return fate(entry.made_of, now.sources(keys_of(entry), entry.result_ids), touched=True) == "keep"


def settle_entry(now: Known, entry: ConclusionEntry) -> None:
    """Write down what an entry is made of, at the moment at which it is made, or its words are."""
    entry.made_of = now.sources(keys_of(entry), entry.result_ids).digest
    entry.revision_ids = now.ground.revisions(entry.result_ids)
    entry.stale = False


def merged(now: Known, found: Conclusion, before: Sequence[ConclusionEntry]) -> list[ConclusionEntry]:
    """Return a draft as it is made anew: findings that came follow within their kind, those that went are gone, the reviewer's stay."""
    covered = Counter(key for entry in before for key in keys_of(entry))
    kept: list[ConclusionEntry] = []
    for entry in before:
        keys = keys_of(entry)
        if not keys or entry.edited:
            kept.append(judged(now, entry, split=is_split(covered, keys)))
        elif keys[0] in now.wanted:
            kept.append(_fresh(now, now.wanted[keys[0]]))
    removed = still_removed(now, found)
    found.removed_keys, found.removed_made_of = (
        sorted(removed),
        {k: v for k, v in found.removed_made_of.items() if k in removed},
    )
    new = [_fresh(now, entry) for key, entry in now.wanted.items() if key not in covered and key not in removed]
    # What is critical is not taken out for good: while nothing else tells of it, it is listed again.
    told = list(map(now.telling_by, [*kept, *new]))
    untold = [_fresh(now, entry) for entry in entries_of(now.exam, not_concluded(now.alarms, told), told)]
    back = {entry.key for entry in untold}
    found.removed_keys = sorted(set(found.removed_keys) - back)
    found.removed_made_of = {k: v for k, v in found.removed_made_of.items() if k not in back}
    return in_order([*(_without(entry, back) for entry in kept), *new, *untold])


UNSEEN = ""
"""The digest of no sources: what is made of it is stale."""


def _without(entry: ConclusionEntry, back: AbstractSet[str | None]) -> ConclusionEntry:
    """Return an entry that does not tell of what its key stands for: its words stay, stale, and the critical value is listed beside it."""
    if not back.isdisjoint(keys_of(entry)):
        entry.keys = [key for key in keys_of(entry) if key not in back]
        entry.key = next(iter(entry.keys), None)
        # Of its own it says nothing else now; until a person has looked at it again it is stale, however often the draft is made anew.
        entry.edited, entry.stale, entry.made_of = True, True, UNSEEN
    return entry


def is_split(covered: Mapping[str, int], keys: Iterable[str]) -> bool:
    """Say whether a finding of an entry is another entry's as well."""
    return any(covered[key] > 1 for key in keys)


def still_removed(now: Known, found: Conclusion) -> set[str]:
    """Return what a reviewer took out and what rests on the same still: another value is another finding, and is listed again."""
    return {
        key
        for key in found.removed_keys
        if key not in now.wanted
        or fate(found.removed_made_of.get(key), now.sources([key], now.found_ids([key])), touched=False) == "keep"
    }


def _fresh(now: Known, entry: ConclusionEntry) -> ConclusionEntry:
    copy = copied(entry)
    settle_entry(now, copy)
    return copy


async def refuse_stale(uow: UnitOfWork, exam: Exam, found: Conclusion) -> None:
    """Nobody signs, first or last, what rests on something else than is known now: the one guard of both. Raises ConclusionStale."""
    changed, _, entries = await remake(uow, exam, found)
    now = await known(uow, exam)
    betrayed = [
        FieldError(
            place, "private", "写有私密项目,私密项目另出报告,请删去", "names a private item, which has a report of its own; take it out"
        )
        for place in now.betrays(entries, found.overview)
    ]  # fmt: skip
    private = {one.pointer for one in betrayed}
    wrong = [
        FieldError(
            f"/entries/{i}", "stale", "所依据的结果已变化,请修改或确认", "rests on other results; change or confirm it"
        )
        for i, entry in enumerate(entries)
        if entry.stale and f"/entries/{i}" not in private
    ]
    if found.overview_stale and "/overview" not in private:
        wrong.append(
            FieldError(
                "/overview", "stale", "综述按原结果撰写,请修改或确认", "written on other results; change or confirm it"
            )
        )
    wrong += betrayed
    if changed and not wrong:
        wrong.append(
            FieldError("/entries", "stale", "结果已变化,请重新汇总", "the results are others now; generate it anew")
        )
    if wrong:
        raise ConclusionStale(errors=wrong)


async def refuse_not_concluded(uow: UnitOfWork, exam: Exam) -> None:
    """Nobody signs, first or last, a conclusion that does not tell of a critical value, or tells of one that nothing is to be done.

    The one guard of both. Raises CriticalNotConcluded.
    """
    now = await known(uow, exam)
    entries = await repository.entries(uow, exam.id)
    wrong = [
        FieldError(
            "/entries",
            "critical",
            f"「{name}」没有条目告知并要求立即就医,请在条目中写明,或重新汇总",
            f"no entry tells of {name} and asks to act now: say so in one, or generate anew",
        )
        for name in [alarm.title for alarm in not_concluded(now.alarms, map(now.telling_by, entries))]
    ]
    wrong += [
        FieldError(
            f"/entries/{i}/advice",
            "left-alone",
            f"该条目提到「{name}」,却写不需处理;请改写,或从该条目中去掉",
            f"tells of {name}, and that nothing is to be done: rewrite it, or take it out of this entry",
        )
        for i, entry in enumerate(entries)
        if entry.edited and leaves_alone(f"{entry.detail}\n{entry.advice}\n{entry.lifestyle}")
        for name in [alarm.title for alarm in now.alarms if alarm.is_of(entry)]
    ]
    if wrong:
        raise CriticalNotConcluded(errors=wrong)


async def remake(uow: UnitOfWork, exam: Exam, found: Conclusion) -> tuple[bool, bool, list[ConclusionEntry]]:
    """Bring a draft in line, and say whether anything in it is another now, and whether other words are asked; nothing is written down but on the conclusion itself."""
    now = await known(uow, exam)
    before = list(await repository.entries(uow, exam.id))
    made = found.knowledge_version_id is not None
    shown, asked = [_plain(entry) for entry in before], (found.overview_asked, [entry.asked for entry in before])
    removed = list(found.removed_keys)
    # Of what was never made here, nothing comes and nothing goes by itself.
    after = merged(now, found, before) if made else [judged(now, entry, split=False) for entry in before]
    words, was_stale = found.overview, found.overview_stale
    # One that was made before items were private names every entry, and is nobody's words either.
    if not words or any(made_by_machine(words, titles) for titles in (now.titles(before), [e.title for e in before])):
        found.overview = now.overview(after) if made or words else ""
        found.overview_stale = False
    else:
        found.overview_stale = found.overview_made_of != now.everything
    if has_own_words(now, found.overview, after):
        truth = now.truth(await results.truth_of(uow, exam.id, now.ground))
        mark_refused(now, truth, found, after)
        mark_asked(now, truth, found, after)
    else:
        found.overview_asked, found.confirmed = [], []
        for entry in after:
            entry.asked = []
    changed = (
        shown != [_plain(entry) for entry in after]
        or (words, was_stale) != (found.overview, found.overview_stale)
        or removed != list(found.removed_keys)
    )
    return changed, asked != (found.overview_asked, [entry.asked for entry in after]), after


def _plain(entry: ConclusionEntry) -> tuple[object, ...]:
    shown = (
        entry.kind,
        entry.title,
        entry.detail,
        entry.advice,
        entry.lifestyle,
        entry.icd10,
        entry.edited,
        entry.stale,
    )
    return (*shown, tuple(entry.result_ids), tuple(keys_of(entry)), tuple(entry.rule_codes))


async def stands(uow: UnitOfWork, exam_id: UUID, version: int | None = None) -> bool:
    """Say whether the results of a finalized exam are still those that were signed: otherwise no report may be made of it.

    So are what the signed words call critical, or do not: the same value measured again alarms again, whatever a person said of the first.
    `version`: that of the conclusion of which a report was ordered; another one is another report.
    """
    found = await repository.conclusion(uow, exam_id)
    return (
        found is not None
        and found.state == "finalized"
        and version in (None, found.version)
        and await results.reads_as(uow, exam_id, found.results_digest)
        and await _alarms_as_signed(uow, exam_id)
    )


async def _alarms_as_signed(uow: UnitOfWork, exam_id: UUID) -> bool:
    """Say whether what nobody wrote by hand calls critical what is called so today."""
    if not await criticals.any_of(uow, exam_id):
        return True
    async with uow.for_every_department():
        now = await known(uow, await exams.get(uow, exam_id))
        signed = [e for e in await repository.entries(uow, exam_id) if not e.edited and e.key in now.wanted]
    return all((SAID_CRITICAL in e.detail) == (SAID_CRITICAL in now.wanted[str(e.key)].detail) for e in signed)


async def follow(uow: UnitOfWork, exam_id: UUID) -> None:
    """Bring a draft in line with what it is made of, in the transaction in which that changed; what is signed goes back to its author first.

    What is stale then keeps the exam from being signed and finalized, until a reviewer changes or confirms it.
    """
    found = await repository.conclusion(uow, exam_id)
    if found is None or found.state == "finalized":
        return
    exam = await exams.lock(uow, exam_id)
    changed, asks, after = await remake(uow, exam, found)
    read = found.results_digest
    if found.state == "draft":
        await seen(uow, found)
    # What no word of a draft tells of is read beside it all the same.
    if changed or asks or (found.state == "draft" and read not in (None, found.results_digest)):
        if found.state == "initial_signed":
            await back_to_draft(uow, found, CHANGED_UNDER)
            await seen(uow, found)
        found.version += 1
        await replace(uow, found, after)
        await keep(uow, found, "remade")
    await say(uow, found, after)


async def seen(uow: UnitOfWork, found: Conclusion) -> None:
    """Keep of a draft what stands beside it at this version: whoever writes or signs it has read that."""
    async with uow.for_every_department():
        found.results_digest = await results.digest(uow, found.exam_id)


async def say(uow: UnitOfWork, found: Conclusion, entries: Iterable[ConclusionEntry]) -> None:
    """Tell the completeness engine whether anything of a conclusion is stale."""
    if found.overview_stale or any(entry.stale for entry in entries):
        await exams.block(uow, found.exam_id, STALE, SOURCE)
    else:
        await exams.unblock(uow, found.exam_id, STALE, SOURCE)
