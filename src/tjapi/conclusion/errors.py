"""What may go wrong around a conclusion."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class ConclusionStateConflict(Conflict):
    """The conclusion is in a state that does not allow this step."""

    zh, en = "主检结论当前状态不允许此操作", "The conclusion's state does not allow this"
    states = "conclusion_state"


class ReviewClaimed(Conflict):
    """Somebody else reviews this exam just now."""

    zh, en = "该体检已由他人认领主检", "Somebody else reviews this exam"


class ReviewNotClaimed(Conflict):
    """There is no claim of yours to give back."""

    zh, en = "您没有认领该体检", "You hold no claim on this exam"


class AmendmentTaskNotFound(NotFound):
    """No such task."""

    zh, en = "没有这个修订任务", "No such task"


class AmendmentTaskClosed(Conflict):
    """The task is closed."""

    zh, en = "该修订任务已处理", "The task is closed"


class AmendmentOpen(Conflict):
    """What came late is not known yet: a question about a result, or a critical value of class A, waits for a person; the sentence names it."""

    zh, en = (
        "尚有待核实的结果或未通知的危急值,处理后方可结案",
        "A question about a result, or a critical value, is open: it is dealt with first",
    )


class AmendmentNeeded(Conflict):
    """The results are others than those that were signed: the exam is opened again, reviewed and signed anew."""

    zh, en = (
        "结果已与签发时不同,请撤回终审、重新主检并重出报告",
        "The results are others than those signed: take the sign-off back, review and sign anew",
    )


class ConclusionStale(Conflict):
    """Something in it rests on results, facts or summaries that are others now; `errors` name what."""

    zh, en = (
        "主检结论所依据的结果已变化,请修改、确认或重新汇总后再签名",
        "What the conclusion rests on has changed; change, confirm or generate it anew, then sign",
    )


class ConclusionEmpty(Conflict):
    """There is nothing to sign."""

    zh, en = "主检综述为空,不能签名", "The overview is empty; there is nothing to sign"


class OverviewContradictsResults(Conflict):
    """Nothing may call everything, or a flagged item, normal beside what is flagged or not judged; `errors` name where."""

    zh, en = (
        "综述或结论写正常、未见异常,但有异常或未判定的结果与描述,请修改",
        "The overview or an entry says normal, but results are flagged or not judged; say what they mean",
    )


class CriticalNotConcluded(Conflict):
    """A critical value of class A stands, and no entry tells of it, or one says of it that nothing is to be done; `errors` name which."""

    zh, en = (
        "有危急值未写入主检结论:请恢复或合并该条目,或另写一条并关联其全部结果;从未汇总的请先汇总",
        "A critical value is in no entry: put its entry back, merge it, or write one that rests on all of its results",
    )


class SameReviewer(Conflict):
    """The final sign-off needs another person than the first."""

    zh, en = "终审与初审不能是同一人", "The final sign-off needs another person than the first review"


class ResultsChangedUnderReview(Conflict):
    """Results or department summaries changed since the first signature: review again."""

    zh, en = (
        "初审签名后结果或科室小结有变化,请退回重审",
        "Results or summaries changed since the first signature; return it",
    )


class EntryKeyUnknown(Invalid):
    """An entry names a source that nothing was made from, or one source is named twice."""

    zh, en = "来源标识不正确", "A key is not known, or is there twice"


class EntryFigureOutdated(Conflict):
    """Words that are written, confirmed or signed tell of results what they do not say, or not any more: rewrite them.

    A figure or a word that a result said once (7.8, 阳性), a finding that is none any more, 高于参考范围 or 危急值 of what is not.
    """

    zh, en = (
        "结论所写与当前结果不符,请改写后再保存",
        "Words tell of results what they do not say, or not any more; rewrite them",
    )


class EntryResultUnknown(Invalid):
    """An entry refers to a result that is none of this exam's."""

    zh, en = "引用的结果不属于这次体检", "A result that is referred to is none of this exam's"


class PastConclusionsInvalid(Invalid):
    """Conclusions of an archive cannot be kept; `errors` name each."""

    zh, en = "往年档案中有无效的结论", "Conclusions of the archive are invalid"
