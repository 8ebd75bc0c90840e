"""What happens to critical values when results are recorded: in the same transaction, so that none is stored without its alert."""

from typing import Any

from tjapi.critical_value import service
from tjapi.exam.events import ExamReopened
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.kernel.events import Event
from tjapi.kernel.uow import Reaction
from tjapi.result.events import CriticalExcluded, CriticalNotExcluded, CriticalPlaced, CriticalUnread, RevisionsAdded

REACTIONS: list[tuple[type[Event], Reaction | Any]] = [
    (RevisionsAdded, service.look),
    (CriticalUnread, service.alarm),
    (CriticalNotExcluded, service.alarm_unknown),
    (CriticalExcluded, service.excluded),
    (CriticalPlaced, service.placed),
    (ExamReopened, service.block_again),
    (ExamineesMerged, service.follow_person),
    (ExamineesUnmerged, service.follow_person),
]
