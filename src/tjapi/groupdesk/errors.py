"""What may go wrong when a unit's members are booked, moved or brought to an end."""

from tjapi.kernel.problem import Conflict, Invalid


class CampaignNotOpen(Conflict):
    """Members are booked while a campaign is open."""

    zh, en = "团检任务尚未启动或已完成", "The campaign is not open"


class BookingDaysInvalid(Invalid):
    """A day of the plan is past, closed, or without sessions; `errors` name each."""

    zh, en = "日程中有不能预约的日期", "A day of the plan is not to be booked"


class DaysNotOffered(Conflict):
    """Of the plan's days some have come to be past, closed or without sessions, and no other one has a place; `errors` name them."""

    zh, en = "日程中有日期已不开放,其余日期均已约满", "Days of the plan are no longer offered, and the others are full"


class DaysFull(Conflict):
    """No day of the plan has a place left."""

    zh, en = "所给日期均已约满", "Every day of the plan is full"


class MemberBeingExamined(Conflict):
    """The member has arrived: let the examination be finished, or what is left of it be set aside; `errors` name each."""

    zh, en = (
        "成员已报到,请先完成体检",
        "The member has arrived: let the examination be finished",
    )


class MemberEndUntrue(Conflict):
    """What was decided is not what happened: nobody is done who was not examined, and no day is missed that is not over; `errors` name each."""

    zh, en = "判定与事实不符", "The decision is not what happened"
