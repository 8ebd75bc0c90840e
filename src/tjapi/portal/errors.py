"""What may go wrong in the portal."""

from tjapi.kernel.problem import Conflict, Unauthenticated


class AccessRefused(Unauthenticated):
    """Exam number, code or ID number: which one is not said. Five failures end a code."""

    zh, en = "体检号、查询码或证件号后四位不正确", "The exam number, the code or the last four characters are wrong"


class MemberLinkRefused(Unauthenticated):
    """The link or the last digits: which one is not said. Five wrong tries end a link."""

    zh, en = "链接已失效或后四位不正确", "The link has ended, or the last four characters are wrong"


class ChoiceTooLate(Conflict):
    """A member chooses and books until the day before the exam."""

    zh, en = (
        "体检当日及之后不能自助更改,请联系体检中心",
        "On the day and after it nothing is changed here: call the centre",
    )


class DayOutsideCampaign(Conflict):
    """The campaign does not take place on that day."""

    zh, en = "所选日期不在团检期间", "The day lies outside of the campaign"


class NotBookedYet(Conflict):
    """There is no booking to move or to cancel."""

    zh, en = "尚未预约", "There is no booking"


class BookedAlready(Conflict):
    """There is a booking: move it, or cancel it first."""

    zh, en = "已有预约,请改期或先取消", "There is a booking already: move it or cancel it first"


class ChoiceNeedsOtherPlace(Conflict):
    """What is chosen now needs something scarce that the booking does not hold: cancel, choose, book anew."""

    zh, en = "所选项目需要另外的预约资源,请先取消预约再选择", "The choice needs another place: cancel the booking first"
