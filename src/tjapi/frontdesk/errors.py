"""What may go wrong at the front desk."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class PaperNotOfExam(Invalid):
    """The exam has no such paper: no tube of this id, no form of this department."""

    zh, en = "这次体检没有此打印件", "The exam has no such paper"


class NotALabel(Invalid):
    """ZPL and TSPL are languages of label printers: they print tube and exam labels."""

    zh, en = "只有标签可以输出为 ZPL 或 TSPL", "Only labels can be made as ZPL or TSPL"


class PrintOfOneCampus(Invalid):
    """A file is printed at one campus."""

    zh, en = "一次打印只能是同一院区的体检", "One print holds exams of one campus"


class TooManyPapers(Invalid):
    """The file would hold more papers than a printer should be sent at once."""

    zh, en = "一次打印的份数过多,请分批打印", "Too many papers for one print: print them in parts"


class AccessCodeNotCurrent(Invalid):
    """The code is not the one that was issued last, was used, or has expired: on paper it would open nothing."""

    zh, en = "查询码不是当前有效的查询码", "The access code is not the one that is valid now"


class PrintNotFound(NotFound):
    """No such print, or not of a campus one may see."""

    zh, en = "没有这次打印", "No such print"


class IdentityCheckInvalid(Invalid):
    """A score where there is none, none where there must be one, or a department in which nothing is examined; `errors` name the field."""

    zh, en = "身份核验内容有误", "The identity check is not valid"


class IdentityCheckNotFound(NotFound):
    """No such identity check, or not of a campus one may see."""

    zh, en = "没有这次身份核验", "No such identity check"


class IdentityCheckDecided(Conflict):
    """A second person has decided already, or there is nothing to decide: only `different` waits for a decision."""

    zh, en = "该身份核验已裁定或无须裁定", "The identity check is decided, or needs no decision"


class IdentityDecidedBySame(Conflict):
    """Two people decide whether somebody is who they say they are: who looked does not decide."""

    zh, en = "核验人不能裁定自己的核验", "Who made an identity check cannot decide about it"


class IdentityNotConfirmed(Conflict):
    """The last identity check says that this is somebody else: another check has to find the right person first."""

    zh, en = (
        "最近一次身份核验不符,须重新核验本人",
        "The last identity check found somebody else; check the person again",
    )


class PapersNotNamed(Invalid):
    """A print is of chosen papers or of a unit: one of the two."""

    zh, en = "请给出所选打印件或单位之一", "Give either the chosen papers or a unit"


class PrintNotReady(Conflict):
    """The file is large: a job is making it."""

    zh, en = "打印文件正在生成,请稍后再取", "The file is being made: fetch it when its job is done"
