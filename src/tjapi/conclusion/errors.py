"""What may go wrong around a conclusion."""

from tjapi.kernel.problem import Conflict, Invalid


class ConclusionStateConflict(Conflict):
    """The conclusion is in a state that does not allow this step."""

    zh, en = "主检结论当前状态不允许此操作", "The conclusion's state does not allow this"


class ConclusionEmpty(Conflict):
    """There is nothing to sign."""

    zh, en = "主检综述为空,不能签名", "The overview is empty; there is nothing to sign"


class SameReviewer(Conflict):
    """The final sign-off needs another person than the first."""

    zh, en = "终审与初审不能是同一人", "The final sign-off needs another person than the first review"


class ResultsChangedUnderReview(Conflict):
    """Results or department summaries changed since the first signature: review again."""

    zh, en = (
        "初审签名后结果或科室小结有变化,请退回重审",
        "Results or summaries changed since the first signature; return it",
    )


class EntryResultUnknown(Invalid):
    """An entry refers to a result that is none of this exam's."""

    zh, en = "引用的结果不属于这次体检", "A result that is referred to is none of this exam's"
