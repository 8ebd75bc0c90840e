"""What may go wrong around an examinee. Personal data is never echoed."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class ExamineeNotFound(NotFound):
    """No such examinee, or not of a campus one may see."""

    zh, en = "没有这位受检者", "No such examinee"


class CampusNotFound(NotFound):
    """The campus does not exist for the caller."""

    zh, en = "没有这个院区", "No such campus"


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
    """A search goes by exactly one of name, ID number, phone."""

    zh, en = "请只用姓名、证件号码、电话之一查询", "Search by exactly one of name, ID number, phone"


class PhotoInvalid(Invalid):
    """What was sent is not a photo that is taken; the error's code says why."""

    zh, en = "照片无法使用", "The photo cannot be used"


class PhotoNotFound(NotFound):
    """The person has no photo, or no such version of it."""

    zh, en = "没有照片", "No such photo"
