"""What may go wrong around a critical value."""

from tjapi.kernel.problem import Conflict, Forbidden, Invalid, NotFound


class CriticalValueNotFound(NotFound):
    """No such critical value."""

    zh, en = "没有这条危急值", "No such critical value"


class CriticalStateConflict(Conflict):
    """The critical value is in a state that does not allow this step."""

    zh, en = "危急值当前状态不允许此操作", "The critical value's state does not allow this"
    states = "critical_state"


class CriticalOfOthers(Forbidden):
    """Only who works in the department of the value, or reviews conclusions, says that it is none."""

    zh, en = (
        "只有该结果所属科室的医生或主检医生可以排除",
        "Only a doctor of the value's own department, or a reviewer, may dismiss it",
    )


class ReasonMissing(Invalid):
    """What is dismissed needs a reason that says something."""

    zh, en = "须填写具体的排除理由", "Say why it is none, in words that say something"


class ReadBackMissing(Invalid):
    """A class A value that was told must be read back."""

    zh, en = "A 类危急值通知必须记录复述内容", "A class A value needs what was read back"


class OutcomeMissing(Conflict):
    """It closes with an outcome, or after two channels have failed."""

    zh, en = (
        "须填写转归,或至少两种途径联系失败后才能关闭",
        "It closes with an outcome, or after two channels have failed",
    )
