"""Whether what was ordered still suits the person: sex, age and pregnancy are not always known when lines are ordered, and not always right.

What was judged by them is judged anew when they change. A line that does not suit is not withdrawn unasked: it stands as a reason against
completing, nobody is sent to it and nobody enters it, until a person withdraws it or says by name and reason that it stands.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from tjapi.exam import repository
from tjapi.exam.errors import LineUnsuitable
from tjapi.exam.models import Exam, ExamLine
from tjapi.exam.rules import ASIDE, ENDED, NO_INTERCOURSE, PREGNANT, hinted
from tjapi.exam.service.holding import get, held_blocks, held_here, lines, lock
from tjapi.exam.service.standing import PREGNANT_ASKED, UNSUITABLE, announce, block, plain_name, unblock
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing import service as pricing


async def judge(uow: UnitOfWork, exam: Exam) -> None:
    """Judge every line that is to be carried out, or was, by what an exam says of its person now."""
    rows = await lines(uow, exam.id)
    found = await pricing.unsuited(uow, {line.item_group_id for line in rows}, person_of(exam))
    for line in rows:
        kinds: list[str] = list(found.get(line.item_group_id, ()))
        # What was said to stand in spite of one thing is asked again when that ends and comes again.
        kept = [kind for kind in line.kept_misfits if kind in kinds]
        if kept != line.kept_misfits:
            line.kept_misfits = kept
        if line.state not in ASIDE and set(kinds) - set(kept):
            await block(uow, exam.id, UNSUITABLE, f"line:{line.id}")
        else:
            await unblock(uow, exam.id, UNSUITABLE, f"line:{line.id}")


async def misfits_of(uow: UnitOfWork, exam: Exam, chosen: Collection[ExamLine]) -> dict[UUID, list[pricing.Misfit]]:
    """Return which lines do not suit the person, and why; what somebody said to stand does."""
    found = await pricing.unsuited(uow, {line.item_group_id for line in chosen}, person_of(exam))
    left = {
        line.id: [kind for kind in found.get(line.item_group_id, []) if kind not in line.kept_misfits]
        for line in chosen
    }
    return {line_id: kinds for line_id, kinds in left.items() if kinds}


async def unsuitable(uow: UnitOfWork, exam_id: UUID) -> set[UUID]:
    """Return the lines of an exam on which a person has to decide, because they do not suit any more. Raises ExamNotFound."""
    exam = await get(uow, exam_id)
    if exam.id in held_here(uow):
        held = await held_blocks(uow, exam)
    else:
        held = {(row.code, row.source) for row in await repository.blocks(uow, exam.id)}
    return {UUID(source.removeprefix("line:")) for code, source in held if code == UNSUITABLE}


def refuse_unsuitable(chosen: Collection[tuple[str, ExamLine]], doubted: Collection[UUID]) -> None:
    """Refuse to carry out what does not suit any more, each its place in the request. Raises LineUnsuitable."""
    wrong = [(place, line) for place, line in chosen if line.id in doubted]
    if wrong:
        raise LineUnsuitable(
            errors=[
                FieldError(place, "unsuitable", f"{plain_name(line)}:已不适用于受检者", f"{plain_name(line)}: does not suit the person any more")
                for place, line in wrong
            ]
        )  # fmt: skip


def person_of(exam: Exam) -> pricing.Person:
    """Return what of an exam's person decides what suits them."""
    open_hints = {kind for kind in (PREGNANT, NO_INTERCOURSE) if hinted(kind, exam.hints, exam.hints_settled)}
    return pricing.Person(
        exam.sex, exam.age_years, exam.pregnant or PREGNANT in open_hints or None, NO_INTERCOURSE in open_hints
    )


async def hint(uow: UnitOfWork, exam_id: UUID, hints: Sequence[str]) -> None:
    """Keep what results hint at of an exam's person, and judge by it what was ordered, until a person has spoken of it. Again changes nothing.

    That somebody may be pregnant is asked whatever was said before the result came: it is answered by correcting, or confirming, the fact.
    """
    exam = await lock(uow, exam_id)
    if list(hints) == list(exam.hints) or exam.state in ENDED:
        return
    exam.hints = list(hints)
    # What ends and comes again is asked again.
    exam.hints_settled = [one for one in exam.hints_settled if one in hints]
    exam.version += 1
    await ask_pregnant(uow, exam)
    await judge(uow, exam)
    await uow.audit(
        "exam.hinted",
        "exam",
        exam.id,
        campus_id=exam.campus_id,
        detail={"hints": sorted({one.partition(":")[0] for one in hints})},
    )
    await announce(uow, exam)


async def ask_pregnant(uow: UnitOfWork, exam: Exam) -> None:
    """Ask a person whether she is pregnant as long as something hints at it of which nobody has spoken; who is said to be is not asked."""
    asked = not exam.pregnant and hinted(PREGNANT, exam.hints, exam.hints_settled)
    await (block if asked else unblock)(uow, exam.id, PREGNANT_ASKED, "exam")
