"""What may go wrong around requisitions and tubes."""

from tjapi.kernel.problem import Conflict, NotFound


class TubeNotFound(NotFound):
    """No such tube, or not of a campus one may see."""

    zh, en = "没有这支试管", "No such tube"


class TubeStateConflict(Conflict):
    """The tube is in a state that does not allow this step."""

    zh, en = "试管当前状态不允许此操作", "The tube's state does not allow this"


class RequisitionNotFound(NotFound):
    """No such requisition."""

    zh, en = "没有这张申请单", "No such requisition"


class RequisitionNotFailed(Conflict):
    """Only a failed order is sent again by hand; all others send themselves."""

    zh, en = "只有发送失败的申请可以重发", "Only a failed order can be sent again"


class NotCheckedIn(Conflict):
    """Specimens are taken from people who have checked in."""

    zh, en = "受检者尚未报到", "The examinee has not checked in"
