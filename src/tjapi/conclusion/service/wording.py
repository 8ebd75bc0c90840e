"""What of a person's words does not hold beside the results: the one body of what a draft marks and what a signature refuses."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tjapi.conclusion.errors import OverviewContradictsResults
from tjapi.conclusion.models import Conclusion, ConclusionEntry
from tjapi.conclusion.rules import calm_beside, made_by_machine
from tjapi.conclusion.service.keeping import keys_of
from tjapi.identity import service as identity
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge.rules import Known as Value
from tjapi.result import service as results
from tjapi.result.errors import WordsUnconfirmed, unconfirmed_words
from tjapi.result.rules.confirming import Asked, confirmations, holding, unconfirmed, words_of

if TYPE_CHECKING:
    from tjapi.conclusion.service.following import Known

_FIELDS = ("title", "detail", "advice", "lifestyle")


def untrue_of(
    i: int,
    entry: ConclusionEntry,
    now: "Known",
    truth: results.Truth,
    was: Sequence[Value] = (),
    gone: Collection[str] = (),
) -> list[str]:
    """Return the places of a person's words in an entry that tell of results what they do not say; the knowledge base's own advice is not asked."""
    known, rests_on = advised(now), entry.result_ids
    found = [
        f"/entries/{i}/{field}"
        for field in ("title", "detail")
        if truth.contradicts(getattr(entry, field), written_on=was, rests_on=rests_on, gone=gone, free=known)
    ]
    found += [
        f"/entries/{i}/{field}"
        for field in ("advice", "lifestyle")
        if getattr(entry, field) not in known
        and truth.contradicts(getattr(entry, field), rests_on=rests_on, free=known)
    ]
    return found


def advised(now: "Known") -> list[str]:
    """Return what the knowledge base advises on what was found: its figures are nobody's results."""
    return [words for entry in now.wanted.values() for words in (entry.advice, entry.lifestyle)]


def _texts(overview: str, entries: Sequence[ConclusionEntry]) -> list[tuple[str, str]]:
    texts = [("/overview", overview)]
    return texts + [
        (f"/entries/{i}/{name}", getattr(entry, name)) for i, entry in enumerate(entries) for name in _FIELDS
    ]


def calm(now: "Known", overview: str, entries: Sequence[ConclusionEntry]) -> list[str]:
    """Return the places of words that call everything, or what is flagged, normal beside what is flagged or not judged."""
    values = now.ground.case.every
    rests_on = {result_id for entry in entries if entry.kind != "risk" for result_id in entry.result_ids}
    # The overview is of the main report, which speaks of nothing private, and is not to betray it by what it leaves unsaid.
    open_ = [known for known in values if known.result_id not in now.private]
    return [
        *calm_beside([("/overview", overview)], open_, rests_on - now.private),
        *calm_beside(_texts("", entries), values, rests_on),
    ]


def unexamined(truth: results.Truth, overview: str, entries: Sequence[ConclusionEntry]) -> list[str]:
    """Return the places of words that call normal what nobody examined."""
    return [place for place, text in _texts(overview, entries) if truth.calls_unexamined_normal(text)]


def refuse_calm(now: "Known", truth: results.Truth, overview: str, entries: Sequence[ConclusionEntry]) -> None:
    """Nobody signs words that call normal what is not, or what nobody examined. Raises OverviewContradictsResults."""
    wrong = [
        FieldError(place, "calm", "写正常或未见异常,与结果矛盾", "calls normal what is flagged or not judged")
        for place in calm(now, overview, entries)
    ]
    wrong += [
        FieldError(place, "unexamined", "该项目没有检查结果,不能写正常或未见异常", "calls normal what nobody examined")
        for place in unexamined(truth, overview, entries)
    ]
    if wrong:
        raise OverviewContradictsResults(errors=wrong)


def is_own(now: "Known", overview: str, entries: Sequence[ConclusionEntry]) -> bool:
    """Say whether an overview is a person's own words; what is made of the entries says what they say."""
    return bool(overview) and not made_by_machine(overview, now.titles(entries))


def has_own_words(now: "Known", overview: str, entries: Sequence[ConclusionEntry]) -> bool:
    """Say whether a person wrote anything of a conclusion, or took out what somebody described."""
    return (
        is_own(now, overview, entries)
        or any(entry.edited for entry in entries)
        or bool(left_out(now, overview, entries))
    )


LEFT_OUT = "/entries"
"""The place of what was taken out: it is asked as words are, and the names of the findings are these."""


def left_out(now: "Known", overview: str, entries: Sequence[ConclusionEntry]) -> list[ConclusionEntry]:
    """Return the findings of descriptions of which neither an entry nor the overview tells: what is flagged stands under 其他异常, these would nowhere."""
    covered = {key for entry in entries for key in keys_of(entry)}
    described = {known.result_id for known in now.ground.case.every if known.numeric is None and not known.flag}
    told = "\n".join([overview, *(f"{entry.title}\n{entry.detail}" for entry in entries)])
    return [
        entry
        for key, entry in now.wanted.items()
        if key.startswith("finding:")
        and key not in covered
        and not described.isdisjoint(entry.result_ids)
        and entry.title not in told
    ]


def asked_of(now: "Known", truth: results.Truth, overview: str, entries: Sequence[ConclusionEntry]) -> list[Asked]:
    """Return what a person wrote of a conclusion that nothing of the exam supports, text by text.

    What a machine made is never asked, nor is what the knowledge base advises: an entry's words are a person's where they are none of its findings'.
    """
    # What departments wrote by hand they have answered for.
    known = [*advised(now), *now.words.values()]
    own = [("/overview", overview)] if is_own(now, overview, entries) else []
    for i, entry in enumerate(entries):
        if entry.edited:
            made = [now.wanted[key] for key in keys_of(entry) if key in now.wanted]
            own += [
                (f"/entries/{i}/{field}", text)
                for field in _FIELDS
                if (text := getattr(entry, field))
                and text not in known
                and not any(text == getattr(one, field) for one in made)
            ]
    hidden = {f"/entries/{i}" for i, e in enumerate(entries) if e.private or not now.private.isdisjoint(e.result_ids)}
    asked = [
        Asked(place, text, truth.asked(text, known), truth.ground, private=place_of_entry(place) in hidden)
        for place, text in own
    ]
    for one in left_out(now, overview, entries):
        ground = now.sources(keys_of(one), one.result_ids).digest
        private = not now.private.isdisjoint(one.result_ids)
        asked.append(Asked(LEFT_OUT, one.title, [one.title], ground, private=private))
    return [one for one in asked if one.words]


def place_of_entry(place: str) -> str:
    """Return the place of the entry, or of the overview, of which a field is."""
    return "/".join(place.split("/")[:3])


def mark_asked(now: "Known", truth: results.Truth, found: Conclusion, entries: Sequence[ConclusionEntry]) -> None:
    """Write down which words of a draft are asked, and let go of confirmations of what changed: whoever reads the draft sees both."""
    asked = asked_of(now, truth, found.overview, entries)
    found.confirmed = holding(asked, found.confirmed or ())
    words: dict[str, list[str]] = {}
    for one in asked:
        words.setdefault(place_of_entry(one.place), []).extend(one.open(found.confirmed))
    found.overview_asked = list(dict.fromkeys(words.get("/overview", ())))
    for i, entry in enumerate(entries):
        entry.asked = list(dict.fromkeys(words.get(f"/entries/{i}", ())))


async def take_confirmed(
    uow: UnitOfWork,
    now: "Known",
    truth: results.Truth,
    found: Conclusion,
    entries: Sequence[ConclusionEntry],
    confirmed: Collection[str],
) -> None:
    """Nobody signs, first or last, words that nothing supports without confirming exactly these; who did is kept with them, and audited.

    Raises WordsUnconfirmed, naming every place and its words.
    """
    if not has_own_words(now, found.overview, entries):
        return
    asked = asked_of(now, truth, found.overview, entries)
    kept = holding(asked, found.confirmed or ())
    if wrong := unconfirmed(asked, kept, confirmed):
        raise WordsUnconfirmed(errors=[_unconfirmed(*one) for one in wrong])
    by = uow.principal.id
    if not any(one.open(kept) for one in asked):
        return
    new = confirmations(asked, kept, by, await identity.staff_name(uow, by), uow.now)
    found.confirmed = [*kept, *new]
    await uow.audit(
        "conclusion.confirmed", "conclusion", found.exam_id, campus_id=found.campus_id, detail={"version": found.version + 1, "words": words_of(new)}
    )  # fmt: skip
    mark_asked(now, truth, found, entries)


def _unconfirmed(place: str, named: str) -> FieldError:
    if place != LEFT_OUT:
        return unconfirmed_words(place, named)
    return FieldError(
        place, "left-out", f"描述所见「{named}」没有条目,综述也未提及:请恢复条目、在综述写明,或确认不列", f"「{named}」 is described, and in no entry: put it back, tell of it, or confirm that it is left out"
    )  # fmt: skip


def mark_refused(now: "Known", truth: results.Truth, found: Conclusion, entries: Sequence[ConclusionEntry]) -> None:
    """Mark stale what a person wrote and nobody may sign beside the results as they are: whoever reads the draft sees it before they sign.

    It is current again once it is true.
    """
    places = {*calm(now, found.overview, entries), *unexamined(truth, found.overview, entries)}
    places |= set(now.betrays(entries, found.overview))
    if is_own(now, found.overview, entries) and (
        "/overview" in places or truth.contradicts(found.overview, free=advised(now))
    ):
        found.overview_stale = True
    for i, entry in enumerate(entries):
        own = {f"/entries/{i}", *(f"/entries/{i}/{name}" for name in _FIELDS)}
        if entry.edited and (own & places or untrue_of(i, entry, now, truth)):
            entry.stale = True
