"""What may go wrong on the way through the rooms."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class RoomNotFound(NotFound):
    """No such room, or not of a campus one may see."""

    zh, en = "没有这个诊室", "No such room"


class RoomCodeTaken(Conflict):
    """Another room of the campus has this code."""

    zh, en = "诊室代码已被使用", "The room's code is taken"


class TicketNotFound(NotFound):
    """No such ticket, or not of a campus one may see."""

    zh, en = "没有这个排队号", "No such ticket"


class TicketStateConflict(Conflict):
    """The ticket is in a state that does not allow this step."""

    zh, en = "排队号当前状态不允许此操作", "The ticket's state does not allow this"
    states = "ticket_state"


class NobodyWaits(Conflict):
    """The room's queue is empty."""

    zh, en = "没有人在等候", "Nobody is waiting"


class NotHere(Conflict):
    """The examinee is not checked in, or has finished."""

    zh, en = "受检者未报到或已离开", "The examinee is not here"


class GuideSheetUndecided(Conflict):
    """Lines are open, and the campus asks for a decision on each; `errors` name them."""

    zh, en = "尚有未检项目,需逐项决定", "Lines are open, and each needs a decision"


class DueDateMissing(Invalid):
    """What is deferred needs the day by which it is due."""

    zh, en = "延期须注明日期", "What is deferred needs a due date"


class GuideSheetNotReturned(Conflict):
    """The guide sheet is not back."""

    zh, en = "指引单未交回", "The guide sheet is not back"


class DepartmentUnknown(Invalid):
    """The catalog has no such department."""

    zh, en = "没有这个科室", "No such department"
