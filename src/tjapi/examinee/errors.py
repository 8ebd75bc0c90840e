"""What may go wrong around an examinee. Personal data is never echoed."""

from tjapi.kernel.problem import Conflict, Forbidden, Invalid, NotFound, Problem


class ExamineeNotFound(NotFound):
    """No such examinee, or not of a campus one may see."""

    zh, en = "没有这位受检者", "No such examinee"


class IdNumberInvalid(Invalid):
    """The ID number is not one of its kind; the error's code says why."""

    zh, en = "证件号码无效", "The ID number is not valid"


class IdCardContradiction(Invalid):
    """The card says one thing and its number another; `errors` name each field."""

    zh, en = "证件信息与证件号码不一致", "The card contradicts its number"


class ExamineeDetailsInvalid(Invalid):
    """A detail is missing that the number cannot supply, or is not possible."""

    zh, en = "受检者信息不完整或无效", "The examinee's details are incomplete or not possible"


class ExamineeNameDiffers(Conflict):
    """Somebody with this ID number is known under another name: a person must look."""

    zh, en = "该证件号码已登记为另一姓名,请人工核对", "This ID number is known under another name; check it by hand"


class ExamineeDetailsDiffer(Conflict):
    """Somebody with this ID number is known with another birth date or sex: a person must look."""

    zh, en = (
        "该证件号码已登记的出生日期或性别不同,请人工核对",
        "This ID number is known with another birth date or sex; check it by hand",
    )


class SearchNotOneCriterion(Invalid):
    """A search goes by exactly one of name, ID number, phone, card number."""

    zh, en = "请只用姓名、证件号码、电话、卡号之一查询", "Search by exactly one of name, ID number, phone, card number"


class PhotoInvalid(Invalid):
    """What was sent is not a photo that is taken; the error's code says why."""

    zh, en = "照片无法使用", "The photo cannot be used"


class PhotoNotFound(NotFound):
    """The person has no photo, or no such version of it."""

    zh, en = "没有照片", "No such photo"


class IdentifierNumberInvalid(Invalid):
    """It is not the number of a card or of another system."""

    zh, en = "卡号无效", "This is not a card number"


class IdentifierTaken(Conflict):
    """The number belongs to somebody else already: a person must look. It is not said to whom."""

    zh, en = "该卡号已属于另一位受检者,请人工核对", "This number belongs to somebody else already; check it by hand"


class IdentifierNotFound(NotFound):
    """The person has no such card or number."""

    zh, en = "没有这个卡号", "No such card or number"


class LookupKeyInvalid(Invalid):
    """What was typed cannot be what it is said to be."""

    zh, en = "查询内容不符合所选类型", "What was typed is not of the kind that was chosen"


class GuardianNotFound(NotFound):
    """The person has no such guardian."""

    zh, en = "没有这位监护人", "No such guardian"


class GuardianInvalid(Invalid):
    """A detail of the guardian is not possible; `errors` name the field."""

    zh, en = "监护人信息无效", "The guardian's details are not valid"


class ExamineeOfAge(Conflict):
    """Nobody answers for somebody who is of age."""

    zh, en = "受检者已成年,无须监护人", "The examinee is of age and has no guardian"


class GuardianConsentMissing(Conflict):
    """A child below 14 is examined by consent of a guardian, kept beforehand; the error's code says whether guardian or consent is missing."""

    zh, en = "未满 14 周岁,须先登记监护人同意", "Below 14 years a guardian's consent is kept first"


# What may go wrong when the holder of a document is met.
NOT_MET: tuple[type[Problem], ...] = (
    IdNumberInvalid, IdCardContradiction, ExamineeDetailsInvalid, ExamineeNameDiffers, ExamineeDetailsDiffer, PhotoInvalid,
)  # fmt: skip


class PeopleInvalid(Invalid):
    """Rows of an archive are not people who can be kept; `errors` name each."""

    zh, en = "往年档案中有无效的人员", "People of the archive are invalid"


class SameExaminee(Invalid):
    """The two are one entry, or one was merged into the other already."""

    zh, en = "两条档案是同一人", "The two are one and the same"


class ExamineeMergedAway(Conflict):
    """The entry was merged into another one: say which person is meant."""

    zh, en = "该档案已合并到另一条档案", "This entry was merged into another one"


class ExamineesDistinct(Conflict):
    """Somebody found these two to be two people; that is withdrawn first."""

    zh, en = "已判定不是同一人,须先撤销该判定", "They were found to be two people; withdraw that first"


class ExamineesContradict(Conflict):
    """One person cannot have both: `errors` name what differs and was not accepted."""

    zh, en = (
        "两条档案的证件号码、性别或出生日期相互矛盾",
        "ID number, sex or birth date of the two contradict each other",
    )


class SurvivorWithoutDocument(Conflict):
    """The entry that goes on has no document while the other has one: merge the other way round."""

    zh, en = (
        "保留的档案没有证件而另一条有,请反向合并",
        "The entry that goes on has no document, the other has: merge the other way round",
    )


class ExamineeKnownElsewhere(Forbidden):
    """A campus that one does not hold knows one of them: whoever moves what is theirs must see all of it."""

    zh, en = (
        "其中一人在您无权操作的院区也有档案,须由有全部相关院区权限的人员操作",
        "A campus that you do not hold knows one of them: somebody who holds every one of their campuses must do this",
    )


class MergeNotFound(NotFound):
    """No such merge, or of people one may not see."""

    zh, en = "没有这次合并", "No such merge"


class MergeUndone(Conflict):
    """The merge was undone already."""

    zh, en = "这次合并已撤销", "This merge was undone already"


class MergeNotLast(Conflict):
    """Whom they were merged into was merged in turn since: that is undone first."""

    zh, en = "保留的档案此后又被合并,须先撤销那次合并", "The entry that went on was merged since; undo that first"


class DistinctionNotFound(NotFound):
    """No such decision, or of people one may not see."""

    zh, en = "没有这个判定", "No such decision"
