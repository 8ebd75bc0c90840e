"""What may go wrong around employers and their campaigns. Personal data is never echoed."""

from tjapi.kernel.problem import Conflict, Invalid, NotFound


class EmployerNotFound(NotFound):
    """No such employer."""

    zh, en = "没有这个单位", "No such employer"


class EmployerContactNotFound(NotFound):
    """No such contact of this employer."""

    zh, en = "没有这位联系人", "No such contact"


class EmployerCodeTaken(Conflict):
    """Another employer has this code or this unified social credit code."""

    zh, en = "单位编号或统一社会信用代码已被使用", "The code or the unified social credit code is taken"


class EmployerTreeInvalid(Invalid):
    """A unit cannot be its own branch, nor a branch of its branch."""

    zh, en = "上级单位无效", "The parent is not possible"


class ContractNotFound(NotFound):
    """No such contract, or of a campus one may not see."""

    zh, en = "没有这份合同", "No such contract"


class ContractInvalid(Invalid):
    """The contract's dates contradict each other, or its number is taken."""

    zh, en = "合同信息无效", "The contract is not valid"


class CampaignNotFound(NotFound):
    """No such campaign, or of a campus one may not see."""

    zh, en = "没有这个团检任务", "No such campaign"


class CampaignInvalid(Invalid):
    """What is said about a campaign does not hold together; the errors name the fields."""

    zh, en = "团检任务信息无效", "The campaign is not valid"


class CampaignStateConflict(Conflict):
    """The campaign is in a state that does not allow this."""

    zh, en = "团检任务当前状态不允许此操作", "The campaign's state does not allow this"
    states = "campaign_state"


class CampaignFollowed(Conflict):
    """The next campaign was opened already."""

    zh, en = "下一次团检任务已建立", "The next campaign is there already"


class CampaignNotComplete(Conflict):
    """Members are still open; the errors name them by number in the list."""

    zh, en = "仍有成员未处理完毕", "Members are still open"


class CampaignGroupNotFound(NotFound):
    """No such group in this campaign."""

    zh, en = "没有这个分组", "No such group"


class CampaignGroupInvalid(Invalid):
    """A group's rules, packages or prices do not hold together; the errors name the fields."""

    zh, en = "分组设置无效", "The group is not valid"


class MemberNotFound(NotFound):
    """No such member, or of a campus one may not see."""

    zh, en = "名单上没有这个人", "No such member"


class MemberInvalid(Invalid):
    """What is said about a member is not possible; the errors name the fields."""

    zh, en = "成员信息无效", "The member's details are not valid"


class MemberListedAlready(Conflict):
    """Somebody with this ID number or employee number is on the list already."""

    zh, en = (
        "名单中已有相同证件号码或工号的成员",
        "Somebody with this ID number or employee number is on the list already",
    )


class MemberStateConflict(Conflict):
    """The member is in a state that does not allow this."""

    zh, en = "成员当前状态不允许此操作", "The member's state does not allow this"
    states = "member_state"


class MemberOutgrown(Conflict):
    """On the day of the exam the member is of another age than the group is for; `errors` name the age and the group that it is."""

    zh, en = "体检日的年龄不符合所在分组,请换组或改期", "On that day the member's age is not the group's"


class MemberNotPlaced(Conflict):
    """The member belongs to no group, or to several: a person must decide."""

    zh, en = "成员未归入唯一分组", "The member belongs to no one group"


class MemberImportNotFound(NotFound):
    """No such import, or of a campus one may not see."""

    zh, en = "没有这次导入", "No such import"


class MemberImportStateConflict(Conflict):
    """The import is in a state that does not allow this."""

    zh, en = "导入当前状态不允许此操作", "The import's state does not allow this"
    states = "member_import_state"


class MemberImportHasErrors(Conflict):
    """Rows have errors: mend the file, or take over the valid rows only."""

    zh, en = (
        "名单有错误行:请修正后重新上传,或只导入有效行",
        "Rows have errors: mend the file, or take over the valid rows only",
    )


class UploadRefused(Invalid):
    """The file is not a list that can be read; the error's code says why."""

    zh, en = "文件不能作为名单读取", "The file cannot be read as a list"
