"""What happens to exams in the same transaction when an earlier step says something happened."""

from tjapi.exam import service
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction, UnitOfWork


async def follow_person(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Whose exams they are follows the person; what an exam copied of them stays as it was on its day."""
    await service.follow_person(uow, event)


async def compare_facts(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> None:
    """Where an open exam says another sex or birth date than the file it belongs to now, a person looks."""
    await service.compare_facts(uow, event)


REACTIONS: tuple[tuple[type[Event], Reaction], ...] = (
    (ExamineesMerged, follow_person),
    (ExamineesMerged, compare_facts),
    (ExamineesUnmerged, follow_person),
    (ExamineesUnmerged, compare_facts),
)
