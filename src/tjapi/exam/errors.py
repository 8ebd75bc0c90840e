"""What may go wrong around an exam."""

from tjapi.kernel.problem import Conflict, Forbidden, Invalid, NotFound


class ExamNotFound(NotFound):
    """No such exam, or not of a campus one may see."""

    zh, en = "没有这次体检", "No such exam"


class ExamStateConflict(Conflict):
    """The exam is in a state that does not allow this step."""

    zh, en = "体检当前状态不允许此操作", "The exam's state does not allow this"
    states = "exam_state"


class LineStateConflict(Conflict):
    """A line is in a state that does not allow this step."""

    zh, en = "项目当前状态不允许此操作", "The line's state does not allow this"
    states = "line_state"


class LineCovered(Conflict):
    """Nothing is owed of a line any more: it was paid, or is not asked for, under another number or for another reason; `errors` name it."""

    zh, en = "项目已登记交费或免收,不能再登记", "The line was paid for, or is not asked for, already"


class ExamNotComplete(Conflict):
    """Something is outstanding; `errors` say what, and where."""

    zh, en = "体检尚有未完成内容", "Something of the exam is outstanding"


class ExamEmpty(Invalid):
    """An exam needs at least one item group."""

    zh, en = "至少选择一个套餐或项目", "Choose a package or at least one item group"


class ExamBeforeBirth(Invalid):
    """The exam's date lies before the examinee's birth."""

    zh, en = "体检日期早于受检者出生日期", "The exam's date lies before the examinee's birth"


class ExamDoubtful(Conflict):
    """The day is past, far ahead, or one on which the campus is closed, or the examinee has another exam on it: it is asked back. Whoever means it says so in `despite`."""

    zh, en = (
        "体检日期或当天的其他体检有疑问,请确认",
        "The day, or another exam on it, is doubtful: say so if that is meant",
    )


class PackageNotForSex(Invalid):
    """The package is for the other sex."""

    zh, en = "套餐不适用于受检者性别", "The package is not for the examinee's sex"


class ExamHeldForPerson(Conflict):
    """An identity check found somebody else: the exam goes on when a further one finds the right person."""

    zh, en = (
        "身份核验认定为非本人,须重新核验本人后再继续",
        "An identity check found somebody else; the exam goes on when a further one finds the right person",
    )


class ExamHeldUntilDecided(Conflict):
    """The exam is on hold until somebody else decides whether the person is who they say they are."""

    zh, en = (
        "体检因身份核验不符暂停,须先由第二人裁定",
        "The exam is on hold until a second person decides about the identity check",
    )


class ExamsOnOneDay(Conflict):
    """Two people who are to be one have exams on the same day that have not come to an end; `errors` name them."""

    zh, en = "两人同日均有未完成的体检", "Both have an exam on the same day that has not come to an end"


class LineUnsuitable(Conflict):
    """A line does not suit the person as the exam has them now; `errors` name each. It is withdrawn, or somebody says that it stands."""

    zh, en = (
        "项目已不适用于受检者,请退项,或由人注明原因照做",
        "A line does not suit the person any more: withdraw it, or say why it stands",
    )


class DecisionInTheWay(Conflict):
    """What is offered now would examine what people took away for the examinee, or what was added for them twice; `errors` name each."""

    zh, en = (
        "与为受检者作出的加项、退项决定冲突,请由前台处理",
        "It contradicts what was decided for the examinee: let the front desk see to it",
    )


class LineNotThere(NotFound):
    """The exam has no such line; `errors` name each."""

    zh, en = "这次体检没有这个项目", "The exam has no such line"


class LineNotOwn(Forbidden):
    """A line of another department; `errors` name each."""

    zh, en = "项目不属于本科室", "The line belongs to another department"


class SignatureNotTheirs(Invalid):
    """Consent is signed by the person, or by a guardian who is entered for them."""

    zh, en = "签名不是受检者本人或已登记的监护人", "It is signed by neither the examinee nor a guardian of theirs"


class ItemGroupOrdered(Conflict):
    """The exam has this item group already: nobody pays twice for one examination."""

    zh, en = "组合项目已在本次体检中", "The exam has this item group already"


class DueDateNotAhead(Invalid):
    """What is deferred is deferred to a day that is yet to come."""

    zh, en = "延期日期须晚于今天", "What is deferred must be due after today"


class ExamineeNotNamed(Invalid):
    """An exam is registered for exactly one of: a person who is known, the holder of a document."""

    zh, en = "请给出受检者编号或证件信息之一", "Give exactly one of the examinee's id and a document"


class PastExamsInvalid(Invalid):
    """Rows of an archive are not exams that can be kept; `errors` name each."""

    zh, en = "往年体检档案有无效的行", "Rows of the archive are invalid"


class PastExamNotOpen(Conflict):
    """Only an exam that is just being brought in from an archive takes what belongs to it."""

    zh, en = "不是正在导入的往年体检", "Not an exam that is being brought in from an archive"
