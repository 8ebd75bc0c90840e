"""What may go wrong around requisitions, tubes and their hand-over."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class TubeNotFound(NotFound):
    """No such tube, or not of a campus one may see."""

    zh, en = "没有这支试管", "No such tube"


class TubeStateConflict(Conflict):
    """The tube is in a state that does not allow this step."""

    zh, en = "试管当前状态不允许此操作", "The tube's state does not allow this"
    states = "tube_state"


class RequisitionNotFound(NotFound):
    """No such requisition."""

    zh, en = "没有这张申请单", "No such requisition"


class RequisitionNotFailed(Conflict):
    """Only a failed order is sent again by hand; all others send themselves."""

    zh, en = "只有发送失败的申请可以重发", "Only a failed order can be sent again"


class NotCheckedIn(Conflict):
    """Specimens are taken from people who have checked in."""

    zh, en = "受检者尚未报到", "The examinee has not checked in"


class TubeHasResults(Conflict):
    """Nothing of the tube waits for a result from its beginning: the sentence names what has results, and what may be done about it."""

    zh, en = "试管没有等待结果的项目", "Nothing of the tube waits for a result"


class RejectionNotExplained(Invalid):
    """A reason that is none of the listed ones needs its words."""

    zh, en = "其他原因须填写说明", "Another reason needs a note"


class HandoverNotFound(NotFound):
    """No such hand-over list, or not of a campus one may see."""

    zh, en = "没有这张交接单", "No such hand-over list"


class HandoverStateConflict(Conflict):
    """The hand-over list is in a state that does not allow this step."""

    zh, en = "交接单当前状态不允许此操作", "The hand-over list's state does not allow this"
    states = "handover_state"


class HandoverTubesRefused(Conflict):
    """Tubes cannot stand on this list; `errors` name each, and none was taken."""

    zh, en = "有试管不能列入交接单", "Some tubes cannot stand on the list"


class HandoverCountDiffers(Conflict):
    """As many tubes were counted as were not scanned: scan what is missing, or take off what is not there."""

    zh, en = "清点支数与扫描支数不符", "The count differs from what was scanned"


class HandoverChanged(Conflict):
    """Somebody scanned meanwhile: look at the list again."""

    zh, en = "交接单已变化,请重新核对", "The list has changed; look at it again"


class ReceiverHandedOver(Conflict):
    """Two people: who hands over does not sign the receipt."""

    zh, en = "交出人不能签收自己的交接单", "Who handed over cannot sign the receipt"


class ReceiverNotNamed(Invalid):
    """The outside laboratory's receipt names who took the tubes there; within the house whoever signs is the receiver."""

    zh, en = "外送单须填写对方签收人,院内交接不填", "Name the receiver of an outside laboratory, and of no other"


class TubeNotSentOut(Conflict):
    """Only what was sent out comes back."""

    zh, en = "该试管未外送", "The tube was not sent out"
