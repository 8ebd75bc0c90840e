"""What may go wrong around reports."""

from tjapi.kernel.problem import Conflict, Gone, NotFound


class ReportNotFound(NotFound):
    """No such report, or not one that may be seen."""

    zh, en = "没有这份报告", "No such report"


class SealNotSet(NotFound):
    """This installation has no electronic seal yet."""

    zh, en = "尚未配置电子章", "No electronic seal is set up"


class NothingPrivate(Conflict):
    """The exam has no result of a private item to which the person still consents: there is no report of its own to make."""

    zh, en = (
        "本次体检没有可出具报告的私密项目结果(未做,或本人已撤回同意)",
        "The exam has no result of a private item to tell of, or consent was withdrawn",
    )


class ReportNotReady(Conflict):
    """It is still being rendered."""

    zh, en = "报告仍在生成", "The report is still being rendered"


class ReportStateConflict(Conflict):
    """The report's state does not allow this."""

    zh, en = "报告当前状态不允许此操作", "The report's state does not allow this"
    states = "report_state"


class ExamNotFinalized(Conflict):
    """Reports are made of finalized exams."""

    zh, en = "体检尚未终审", "The exam is not finalized"


class ResultsChangedSinceSignOff(Conflict):
    """A result came or changed after the final sign-off: the exam must be reviewed again before a report is made."""

    zh, en = (
        "终审后结果有变化,请重新主检后再生成报告",
        "A result changed after the final sign-off; review the exam again first",
    )


class ReportSuperseded(Gone):
    """A later version has taken the report's place."""

    zh, en = "报告已有新版本,请查看新版", "A later version has taken the report's place"


class ReportRecalledProblem(Gone):
    """The report was recalled; a new version may follow."""

    zh, en = "报告已撤回", "The report was recalled"
