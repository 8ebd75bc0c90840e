"""Writing and signing a conclusion. Two people, one after the other, under the exam's lock; the second of two at once gets 412."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import (
    ConclusionEmpty,
    ConclusionStateConflict,
    EntryFigureOutdated,
    EntryKeyUnknown,
    EntryResultUnknown,
    ResultsChangedUnderReview,
    SameReviewer,
)
from tjapi.conclusion.events import ConclusionSigned
from tjapi.conclusion.models import Conclusion, ConclusionEntry
from tjapi.conclusion.rules import in_order, made_by_machine
from tjapi.conclusion.schemas import ConclusionIn, ConclusionOut, EntryIn
from tjapi.conclusion.service.amending import close_tasks
from tjapi.conclusion.service.claiming import hold, let_go
from tjapi.conclusion.service.following import (
    UNSEEN,
    Known,
    follow,
    is_current,
    is_split,
    known,
    refuse_not_concluded,
    refuse_stale,
    say,
    seen,
    settle_entry,
)
from tjapi.conclusion.service.keeping import (
    CHANGED_UNDER,
    back_to_draft,
    check_move,
    conflict,
    copied,
    empty,
    keep,
    keys_of,
    out,
    replace,
)
from tjapi.conclusion.service.wording import (
    advised,
    has_own_words,
    mark_asked,
    mark_refused,
    refuse_calm,
    take_confirmed,
    untrue_of,
)
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.claims import rewritten
from tjapi.knowledge.rules import Known as Value
from tjapi.result import service as results
from tjapi.result.errors import SignerNotStaff, old_figure


async def write(uow: UnitOfWork, exam_id: UUID, given: ConclusionIn, expected: int) -> ConclusionOut:
    """Write the draft; the first one takes the exam into review. Entries that were made and are not sent back stay removed.

    An entry of several keys is several findings merged, entries that share one are a finding split. Words that are changed or confirmed
    stand for what is known now, no longer for a finding that is gone; a stale entry that is sent back as it was stays stale.

    Raises ExamNotFound, PreconditionFailed, ExamStateConflict, ExamNotComplete with every reason, ConclusionStateConflict,
    ReviewClaimed, EntryResultUnknown, EntryKeyUnknown, EntryFigureOutdated.
    """
    exam, found = await open_draft(uow, exam_id, expected)
    held = await results.result_ids(uow, exam_id)
    strange = [
        FieldError(f"/entries/{i}/result_ids/{j}", "unknown", "不是这次体检的结果", "no result of this exam")
        for i, entry in enumerate(given.entries)
        for j, result_id in enumerate(entry.result_ids)
        if result_id not in held
    ]
    if strange:
        raise EntryResultUnknown(errors=strange)
    now = await known(uow, exam)
    before = list(await repository.entries(uow, exam_id))
    _check_keys(found, before, given)
    sent = {key for entry in given.entries for key in _keys(entry)}
    gone = {key for entry in before for key in keys_of(entry)} - sent
    found.removed_made_of = {
        **{key: said for key, said in found.removed_made_of.items() if key not in sent},
        **{key: now.sources([key], now.found_ids([key])).digest for key in gone},
    }
    found.removed_keys = sorted((set(found.removed_keys) | gone) - sent)
    entries = _entries(exam, now, in_order(given.entries), before)
    said = await results.values_of(uow, _revisions(before))
    truth = now.truth(await results.truth_of(uow, exam_id, now.ground))
    _refuse_untrue(found, given, entries, before, now, said, truth)
    if given.overview != found.overview or given.overview_confirmed:
        if given.overview_confirmed or not found.overview_stale or rewritten(found.overview, given.overview):
            found.overview_stale, found.overview_made_of = False, now.everything
        found.overview = given.overview
    if (entries or before) and found.overview and made_by_machine(found.overview, now.titles(before)):
        # Nobody's own words: the list is that of the entries as they are now, under their numbers, or says that there are none.
        found.overview = now.overview(entries)
    mark_refused(now, truth, found, entries)
    mark_asked(now, truth, found, entries)
    found.version += 1
    await seen(uow, found)
    await replace(uow, found, entries)
    await say(uow, found, entries)
    return await keep(uow, found, "written")


def _revisions(entries: Sequence[ConclusionEntry]) -> set[UUID]:
    return {revision_id for entry in entries for revision_id in entry.revision_ids}


def _refuse_untrue(
    found: Conclusion,
    given: ConclusionIn,
    entries: Sequence[ConclusionEntry],
    before: Sequence[ConclusionEntry],
    now: Known,
    said: Mapping[UUID, Value],
    truth: results.Truth,
) -> None:
    """What rests on other results now is rewritten, not confirmed: no words stand that tell what none of the results says any more.

    An old figure or word may be told beside the one that took its place. Raises EntryFigureOutdated.
    """
    wrong = []
    sent = in_order(given.entries)
    places = [next(i for i, one in enumerate(given.entries) if one is own) for own in sent]
    for i, one, entry in zip(places, sent, entries, strict=True):
        if entry.stale or not entry.edited:
            continue
        keys = set(_keys(one))
        sources = [e for e in before if keys & set(keys_of(e)) or e.title == entry.title]
        was = [said[revision_id] for revision_id in _revisions(sources) if revision_id in said]
        gone = now.names_of({key for e in sources for key in keys_of(e)} - now.wanted.keys())
        wrong += untrue_of(i, entry, now, truth, was, gone)
    waits = found.overview_stale and given.overview == found.overview and not given.overview_confirmed
    if not waits and not made_by_machine(given.overview, now.titles(before)):
        was = list(said.values()) if given.overview_confirmed else []
        if truth.contradicts(given.overview, written_on=was, free=advised(now)):
            wrong.append("/overview")
    if wrong:
        raise EntryFigureOutdated(errors=[old_figure(place) for place in wrong])


def _keys(given: EntryIn) -> list[str]:
    return list(dict.fromkeys([*([given.key] if given.key is not None else []), *given.keys]))


def _entries(
    exam: Exam, now: Known, given: Sequence[EntryIn], before: Sequence[ConclusionEntry]
) -> list[ConclusionEntry]:
    covered = Counter(key for one in given for key in _keys(one))
    free = list(before)
    made: list[ConclusionEntry] = []
    for one in given:
        was = next((entry for entry in free if _is(entry, one)), None)
        if was is not None:
            free.remove(was)
        made.append(_entry(exam, now, one, was, split=is_split(covered, _keys(one))))
    taken: set[str] = set()
    for entry in made:
        # Of the parts of a finding the first one bears its key.
        entry.key = next((key for key in entry.keys if key not in taken), None)
        taken |= {entry.key} if entry.key is not None else set()
    return made


def _is(entry: ConclusionEntry, given: EntryIn) -> bool:
    """Say whether what was sent is an entry that is there: the same finding, or a reviewer's own words as they were."""
    keys = _keys(given)
    if given.key is not None:
        return entry.key == given.key
    if keys or keys_of(entry):
        return keys_of(entry) == keys
    return _says_the_same(entry, given) or (entry.stale and entry.title == given.title)


def _says_the_same(entry: ConclusionEntry, given: EntryIn) -> bool:
    return all(getattr(entry, field) == getattr(given, field) for field in _WORDS) and list(entry.result_ids) == list(
        dict.fromkeys(given.result_ids)
    )


_WORDS = ("kind", "title", "detail", "advice", "lifestyle")


def _entry(exam: Exam, now: Known, given: EntryIn, was: ConclusionEntry | None, *, split: bool) -> ConclusionEntry:
    keys = _keys(given)
    if was is not None and keys_of(was) == keys and _says_the_same(was, given) and not given.confirmed:
        return copied(was)
    if was is not None and was.stale and not is_current(now, was) and not _is_vouched_for(now, given, was, keys):
        return _still_stale(given, was)
    # Words that are written now do not stand for a finding that is there no longer; comes it again, it is listed anew.
    keys = [key for key in keys if key in now.wanted]
    found_ids = [] if split else now.found_ids(keys)
    entry = ConclusionEntry(
        id=uuid7(), exam_id=exam.id, campus_id=exam.campus_id, kind=given.kind, title=given.title, detail=given.detail,
        advice=given.advice, lifestyle=given.lifestyle, result_ids=list(dict.fromkeys([*found_ids, *given.result_ids])), key=None,
        keys=keys, found_ids=found_ids, icd10=was.icd10 if was is not None else None,
        rule_codes=list(dict.fromkeys(code for key in keys for code in now.wanted[key].rule_codes)),
        edited=True, stale=False, revision_ids=[],
    )  # fmt: skip
    settle_entry(now, entry)
    return entry


def _is_vouched_for(now: Known, given: EntryIn, was: ConclusionEntry, keys: Sequence[str]) -> bool:
    """Say whether what is sent of a stale entry stands for what is known now: confirmed, of other findings, or written anew where it tells of them.

    Where its findings hold still, that is what it says of the values; else its title as well.
    """
    if given.confirmed or set(keys) != set(keys_of(was)):
        return True
    holds = bool(keys) and all(key in now.wanted for key in keys)
    told = ("detail",) if holds and was.detail else ("title", "detail")
    return all(rewritten(getattr(was, field), getattr(given, field)) for field in told if getattr(was, field))


def _still_stale(given: EntryIn, was: ConclusionEntry) -> ConclusionEntry:
    """Return a stale entry with words that were changed elsewhere: nobody has said anything about what changed under it."""
    entry = copied(was)
    for field in _WORDS:
        setattr(entry, field, getattr(given, field))
    entry.result_ids = list(dict.fromkeys([*was.found_ids, *given.result_ids]))
    if not _says_the_same(was, given):
        # What is written now was written beside other values: comes the first one back, it holds no more than before.
        entry.made_of = UNSEEN
    entry.edited, entry.stale = True, True
    return entry


def _check_keys(found: Conclusion, before: Sequence[ConclusionEntry], given: ConclusionIn) -> None:
    held = {key for entry in before for key in keys_of(entry)} | set(found.removed_keys)
    seen: set[str] = set()
    errors = []
    for i, entry in enumerate(given.entries):
        strange = [key for key in _keys(entry) if key not in held]
        if strange:
            errors.append(FieldError(f"/entries/{i}/key", "unknown", "没有这个来源", "nothing of this key was found"))
        elif entry.key is not None and entry.key in seen:
            errors.append(FieldError(f"/entries/{i}/key", "duplicate", "同一来源出现两次", "the key is there twice"))
        seen |= {entry.key} if entry.key is not None else set()
    if errors:
        raise EntryKeyUnknown(errors=errors)


async def open_draft(uow: UnitOfWork, exam_id: UUID, expected: int) -> tuple[Exam, Conclusion]:
    """Lock the exam, take it into review, hold the claim, and return its draft, made if there is none yet."""
    found = await _open(uow, exam_id, expected)
    exam = await exams.begin_review(uow, exam_id)
    if found is not None and found.state != "draft":
        raise conflict(found)
    await hold(uow, exam)
    if found is None:
        found = Conclusion(
            exam_id=exam_id,
            campus_id=exam.campus_id,
            version=0,
            state="draft",
            overview="",
            removed_keys=[],
            removed_made_of={},
            overview_stale=False,
            overview_asked=[],
            confirmed=[],
        )
        uow.session.add(found)
    return exam, found


async def sign(uow: UnitOfWork, exam_id: UUID, expected: int, confirmed: Collection[str] = ()) -> ConclusionOut:
    """Sign as the first reviewer; what was seen is remembered by its digest. `confirmed` are words that stand although nothing supports them.

    Raises ExamNotFound, PreconditionFailed, SignerNotStaff, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ConclusionEmpty,
    ConclusionStale, CriticalNotConcluded, OverviewContradictsResults, WordsUnconfirmed.
    """
    _only_staff(uow)
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionEmpty
    exam = await exams.begin_review(uow, exam_id)
    check_move(found, "initial_signed")
    if not found.overview:
        raise ConclusionEmpty
    now = await known(uow, exam)
    truth = now.truth(await results.truth_of(uow, exam_id, now.ground))
    entries = await repository.entries(uow, exam_id)
    refuse_calm(now, truth, found.overview, entries)
    await hold(uow, exam)
    await refuse_not_concluded(uow, exam)
    await refuse_stale(uow, exam, found)
    await take_confirmed(uow, now, truth, found, entries, confirmed)
    found.state, found.version = "initial_signed", found.version + 1
    found.initial_by, found.initial_at = uow.principal.id, uow.now
    found.initial_name = await identity.staff_name(uow, uow.principal.id)
    found.results_digest, found.returned_reason = await results.digest(uow, exam_id), None
    await let_go(uow, exam_id)
    signed = await keep(uow, found, "signed")
    await uow.publish(ConclusionSigned(campus_id=found.campus_id, exam_id=exam_id))
    return signed


async def finalize(uow: UnitOfWork, exam_id: UUID, expected: int, confirmed: Collection[str] = ()) -> ConclusionOut:
    """Give the final sign-off: another person, on exactly what the first one saw, and confirmed: that is asked again only once it changed.

    Raises ExamNotFound, PreconditionFailed, SignerNotStaff, ConclusionStateConflict, SameReviewer, ResultsChangedUnderReview, ConclusionStale,
    CriticalNotConcluded, WordsUnconfirmed, ExamStateConflict, ExamNotComplete with every reason.
    """
    _only_staff(uow)
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionStateConflict("初审尚未签名", "The first review is not signed")
    check_move(found, "finalized")
    if found.initial_by == uow.principal.id:
        raise SameReviewer
    # Back in review, if something was outstanding meanwhile that is no longer: the digest says whether it was the same.
    exam = await exams.begin_review(uow, exam_id)
    await hold(uow, exam)
    if not await results.reads_as(uow, exam_id, found.results_digest):
        raise ResultsChangedUnderReview
    await refuse_not_concluded(uow, exam)
    await refuse_stale(uow, exam, found)
    await _take_confirmed(uow, exam, found, confirmed)
    found.state, found.version = "finalized", found.version + 1
    found.final_by, found.final_at = uow.principal.id, uow.now
    found.final_name = await identity.staff_name(uow, uow.principal.id)
    await let_go(uow, exam_id)
    done = await keep(uow, found, "finalized")
    await close_tasks(uow, exam_id, "已重新主检并终审")
    await exams.finalize(uow, exam_id)
    return done


async def _take_confirmed(uow: UnitOfWork, exam: Exam, found: Conclusion, confirmed: Collection[str]) -> None:
    now, entries = await known(uow, exam), await repository.entries(uow, exam.id)
    if has_own_words(now, found.overview, entries):
        truth = now.truth(await results.truth_of(uow, exam.id, now.ground))
        await take_confirmed(uow, now, truth, found, entries, confirmed)


async def version_of(uow: UnitOfWork, exam_id: UUID) -> int:
    """Return the version of a conclusion: of what a report is ordered."""
    found = await repository.conclusion(uow, exam_id)
    return found.version if found is not None else 0


async def reopen(uow: UnitOfWork, exam_id: UUID, reason: str, expected: int) -> ConclusionOut:
    """Take the final sign-off back, so that the exam is reviewed again; a published report is recalled by the same act.

    Raises ExamNotFound, PreconditionFailed, SignerNotStaff, ExamStateConflict.
    """
    _only_staff(uow)
    await _open(uow, exam_id, expected)
    await exams.reopen(uow, exam_id, reason)
    found = await repository.conclusion(uow, exam_id)
    return empty(exam_id) if found is None else out(found, await repository.entries(uow, exam_id))


async def reopened(uow: UnitOfWork, exam_id: UUID, reason: str) -> None:
    """The final sign-off was taken back, by whatever command: the conclusion is a draft again, first in the queue, and follows."""
    found = await repository.conclusion(uow, exam_id)
    if found is None:
        return
    if found.state == "finalized":
        found.reopened_at = uow.now
        await back_to_draft(uow, found, reason, "reopened")
    await follow(uow, exam_id)


async def give_back(uow: UnitOfWork, exam_id: UUID, reason: str, expected: int) -> ConclusionOut:
    """Return a signed conclusion to its first reviewer. Raises ExamNotFound, PreconditionFailed, ConclusionStateConflict."""
    found = await _open(uow, exam_id, expected)
    if found is None:
        raise ConclusionStateConflict("初审尚未签名", "The first review is not signed")
    said = await back_to_draft(uow, found, reason)
    await seen(uow, found)
    return said


async def invalidate(uow: UnitOfWork, exam_id: UUID) -> None:
    """Something that the first reviewer saw has changed: the signature is taken back. A finalized conclusion stays what it is."""
    await exams.lock(uow, exam_id)
    found = await repository.conclusion(uow, exam_id)
    if (
        found is not None
        and found.state == "initial_signed"
        and not await results.reads_as(uow, exam_id, found.results_digest)
    ):
        await back_to_draft(uow, found, CHANGED_UNDER)
        await seen(uow, found)


async def _open(uow: UnitOfWork, exam_id: UUID, expected: int) -> Conclusion | None:
    await exams.lock(uow, exam_id)
    found = await repository.conclusion(uow, exam_id)
    if (found.version if found is not None else 0) != expected:
        raise PreconditionFailed
    return found


def _only_staff(uow: UnitOfWork) -> None:
    if uow.principal.kind != "staff":
        raise SignerNotStaff
