"""What may go wrong when a unit's members are booked, moved or brought to an end."""

from tjapi.kernel.problem import Conflict


class CampaignNotOpen(Conflict):
    """Members are booked while a campaign is open."""

    zh, en = "团检任务尚未启动或已完成", "The campaign is not open"


class DaysFull(Conflict):
    """No day of the plan has a place left."""

    zh, en = "所给日期均已约满", "Every day of the plan is full"


class MemberBeingExamined(Conflict):
    """The member has arrived: let the examination be finished, or decide that it is done."""

    zh, en = (
        "成员已报到,请先完成体检或判定为已体检",
        "The member has arrived: finish the examination, or decide that it is done",
    )
