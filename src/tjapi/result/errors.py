"""What may go wrong around results."""

from tjapi.kernel.problem import Conflict, FieldError, Forbidden, Invalid, NotFound


def old_figure(place: str) -> FieldError:
    """Return what is wrong with words that tell of results what they do not say, or do not say any more."""
    return FieldError(
        place,
        "outdated",
        "所写数值、结论或危急、高低与当前结果不符,请改写",
        "tells of results what they do not say, or not any more; rewrite it",
    )


class DepartmentNotOwn(Forbidden):
    """The department is not one of the caller's; the refusal is audited."""

    zh, en = "不是本人所在科室", "Not one of your departments"


class SheetNotFound(NotFound):
    """The department has nothing to do in this exam."""

    zh, en = "该科室在这次体检中没有项目", "The department has no items in this exam"


class SummaryLineUnknown(Invalid):
    """A line that was named is none of the department's summary."""

    zh, en = "不是该科室的小结行", "No line of the department's summary"


class SummaryFigureOutdated(Conflict):
    """Words that are written, confirmed or signed hold a figure that a result said once and none says now: rewrite them."""

    zh, en = (
        "小结中的数值已不是当前结果,请改写后再保存",
        "Words hold a figure that no result says any more; rewrite them",
    )


class SummaryNamesPrivate(Conflict):
    """What is found of a private item is on a report of its own: a summary, which the main report prints, does not name it."""

    zh, en = (
        "小结写有私密项目,私密项目另出报告,请从小结中删去",
        "The summary names a private item, which has a report of its own; take it out",
    )


class SummaryContradictsFindings(Conflict):
    """未见异常 cannot stand beside findings, flagged results, or what nobody judged: say what was seen."""

    zh, en = (
        "小结写未见异常,但有阳性发现、异常结果或未判定的结果与描述,请写明所见",
        "The summary calls everything normal, but there are findings, flagged results, or results and descriptions that nobody judged; say what was seen",
    )


class ResultNotFound(NotFound):
    """No such result, or not of a campus one may see."""

    zh, en = "没有这个结果", "No such result"


class SheetSigned(Conflict):
    """The department has signed; reopen the sheet first."""

    zh, en = "科室小结已签名,请先撤销签名", "The sheet is signed; reopen it first"


class SheetNotSigned(Conflict):
    """There is no signature to take back."""

    zh, en = "科室小结尚未签名", "The sheet is not signed"


class SheetNotComplete(Conflict):
    """Items of the department have no value; `errors` name them."""

    zh, en = "科室尚有项目没有结果", "Items of the department have no value"


class SummaryStale(Conflict):
    """Words of the summary rest on values that are others now; `errors` name them."""

    zh, en = (
        "小结所依据的结果已变化,请修改或确认后再签名",
        "The summary rests on values that have changed; change or confirm it, then sign",
    )


class WordsUnconfirmed(Conflict):
    """Words state what nothing of the exam supports, and nobody confirmed them; `errors` name where, and which.

    Take them out, or send exactly these words as `confirmed` with the signature.
    """

    zh, en = (
        "所写内容在本次体检结果中没有依据,请核对后删改,或随签名逐字确认",
        "Words state what no result supports: rewrite them, or confirm exactly these words with the signature",
    )


class NothingToRevoke(Conflict):
    """The department entered nothing of these items that stands."""

    zh, en = "没有可撤销的结果", "There is nothing to revoke"


class ResultsClosed(Conflict):
    """The exam is not under way: not checked in yet, finalized, or cancelled."""

    zh, en = "体检当前状态不能录入结果", "Results cannot be entered in the exam's state"
    states = "exam_state"


class ResultsInvalid(Invalid):
    """Values break a rule; `errors` name the fields."""

    zh, en = "结果内容有误", "The results are not valid"


class MessageNotReleasable(Conflict):
    """Only a message is released that waits for people: quarantined, or unmatched for its numbers or its charset."""

    zh, en = "该消息不需要或不能放行", "This message needs no release, or cannot have one"


class MessageUnreadable(Conflict):
    """Nobody could read the message, and a release does not change that: its sender mends it and sends it again."""

    zh, en = (
        "该消息无法解析,放行也不能归档,请发送方更正后重发",
        "The message cannot be read, and a release would not file it: have its sender mend it and send it again",
    )


class ReleaseInVain(Conflict):
    """The numbers of the message name another exam, and its identity is not that of the exam it was said to be of: it would not be filed."""

    zh, en = (
        "消息的编号与身份都属于另一次体检,放行后仍不能归档",
        "Its numbers and its identity are another exam's: a release would not file it",
    )


class ReleaseIncomplete(Invalid):
    """The message needs to be told its exam, or its charset; `errors` name which."""

    zh, en = (
        "须指明该消息所属体检或读取字符集",
        "It must be said to which exam the message belongs, or in which charset it is read",
    )


class ReleaseProposed(Conflict):
    """Somebody has proposed a release of this message already."""

    zh, en = "该消息已有放行申请", "A release of this message is proposed already"


class ReleaseNotFound(NotFound):
    """No such release, or not of a campus one may see."""

    zh, en = "没有这个放行申请", "No such release"


class ReleaseDecided(Conflict):
    """The release was agreed to or refused before."""

    zh, en = "放行申请已处理", "The release is decided already"


class SamePerson(Conflict):
    """Two people place a message: who proposes does not decide."""

    zh, en = "申请人不能审批自己的放行", "Who proposed a release cannot decide it"


class SignerNotStaff(Forbidden):
    """Only a person signs: API clients cannot."""

    zh, en = "只有工作人员可以签名", "Only staff can sign"


class PastResultsInvalid(Invalid):
    """Results of an archive cannot be kept; `errors` name each."""

    zh, en = "往年档案中有无效的结果", "Results of the archive are invalid"


class QuestionNotFound(NotFound):
    """No such question, or not of a campus one may see."""

    zh, en = "没有这个待核实的问题", "No such question"


class QuestionClosed(Conflict):
    """The question was answered before, or a later value answered it."""

    zh, en = "该问题已处理", "The question is closed already"


class ItemNotOfLine(NotFound):
    """The exam has no such line, or the line no such item."""

    zh, en = "该项目中没有这个明细", "The line has no such item"


class GivingUpNotPossible(Conflict):
    """The item has a value, or its line has none at all: there are other ways then; the sentence names them."""

    zh, en = "该项目不能注明无结果", "The item cannot be given up"


class AnswerInvalid(Invalid):
    """The answer does not fit the question; `errors` name the fields."""

    zh, en = "答复与问题不符", "The answer does not fit the question"


def unconfirmed_words(place: str, word: str) -> FieldError:
    """Return what is wrong with words at a place that nothing of the exam supports, and nobody confirmed."""
    return FieldError(
        place, "asked", f"「{word}」在本次体检结果中没有依据,请核对后删改或确认", f"nothing of the exam supports 「{word}」: rewrite it, or confirm it"
    )  # fmt: skip
