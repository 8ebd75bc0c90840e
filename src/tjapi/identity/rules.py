"""Permissions and the roles a hospital starts with; how often what may be done."""

from datetime import timedelta

PERMISSIONS: dict[str, tuple[str, str]] = {
    "identity.read": ("查看人员与角色", "See staff and roles"),
    "identity.write": (
        "建立人员与接口客户端账号、重置密码(系统管理员)",
        "Make accounts of staff and API clients, reset passwords",
    ),
    "identity.grant": (
        "授权并准入账号、设置角色权限(安全管理员)",
        "Say what accounts may do and let them in, set roles",
    ),
    "catalog.read": ("查看项目与套餐", "See items and packages"),
    "catalog.write": ("维护项目与套餐", "Maintain items and packages"),
    "knowledge.read": ("查看知识库", "See findings, advice and rules"),
    "knowledge.write": ("编写知识库版本", "Write versions of the knowledge base"),
    "knowledge.approve": (
        "检验科签批知识库版本",
        "Approve versions of the knowledge base as the head of the laboratory",
    ),
    "knowledge.activate": ("启用知识库版本", "Put versions of the knowledge base into use"),
    "examinee.read": ("查看受检者", "See examinees"),
    "examinee.write": ("登记受检者", "Register examinees"),
    "examinee.unmask": ("查看受检者完整证件号和电话", "See full ID and phone numbers"),
    "examinee.merge": ("合并与拆分重复档案", "Merge people entered twice, and undo it"),
    "examinee.merge_contradicting": (
        "合并证件号、性别或出生日期矛盾的档案",
        "Merge people whose ID number, sex or birth date contradict",
    ),
    "employer.read": ("查看单位与团检", "See employers and campaigns"),
    "employer.write": ("维护单位、团检任务和名单", "Maintain employers, campaigns and their members"),
    "campaign.complete": ("完成和重启团检任务", "Complete campaigns and open them again"),
    "appointment.configure": ("维护预约日历", "Maintain appointment calendars"),
    "appointment.read": ("查看预约和剩余名额", "See appointments and what is free"),
    "appointment.write": ("预约、改期和取消", "Book, move and cancel appointments"),
    "pricing.read": ("试算价格", "Ask for a quote"),
    "exam.read": ("查看体检", "See exams"),
    "exam.write": ("登记和维护体检", "Register and maintain exams"),
    "exam.set_aside": ("拒检、弃检、延期与恢复项目", "Refuse, waive, defer and reinstate lines"),
    "exam.cover": ("登记交费与免收", "Say that lines were paid for, or are not asked for"),
    "exam.check_in": ("报到", "Check in"),
    "identity_check.write": ("核验受检者身份(防替检)", "Check whether an examinee is who they say they are"),
    "identity_check.decide": ("裁定身份核验(第二人)", "Decide about identity checks of others"),
    "document.print": ("打印指引单、申请单和标签", "Print guide sheets, request forms and labels"),
    "requisition.read": ("查看申请和标本", "See requisitions and specimens"),
    "requisition.write": ("重发申请", "Resend orders"),
    "specimen.collect": ("采集标本", "Record that a specimen was taken"),
    "specimen.handle": ("交接、拒收和外送标本", "Hand over, refuse and send out specimens"),
    "result.read": ("查看结果", "See results"),
    "result.write": ("录入本科室结果", "Enter results of own departments"),
    "result.judge": ("判定系统不能判定的结果", "Decide about results that no machine may decide"),
    "private.read": ("查看私密项目结果", "See results of private items"),
    "private.consent": ("登记私密项目知情同意", "Record consent to private items"),
    "private.report": ("生成和交付私密项目报告", "Make and hand over reports of private items"),
    "result.revoke": ("撤销个人结果", "Strike a person's results"),
    "guidance.read": ("查看导检排队", "See rooms and queues"),
    "guidance.call": ("导检与叫号", "Guide examinees and call them"),
    "guidance.write": ("维护诊室与回收策略", "Maintain rooms and guide-sheet policies"),
    "critical.read": ("查看危急值", "See critical values"),
    "critical.handle": ("处理危急值", "Confirm, tell and close critical values"),
    "conclusion.read": ("查看主检结论", "See conclusions"),
    "conclusion.review": ("主检初审", "First review"),
    "conclusion.finalize": ("主检终审", "Final sign-off"),
    "conclusion.reopen": ("取消终审", "Take a final sign-off back"),
    "report.read": ("查看报告", "See reports"),
    "report.write": ("生成、发布和撤回报告", "Make, publish and recall reports"),
    "message.read": ("查看接口消息", "See interface messages"),
    "message.push": ("推送接口消息(接口客户端)", "Push messages (API clients)"),
    "message.write": ("重放接口消息", "Replay interface messages"),
    "message.raw": ("查看接口消息原文", "See the raw content of messages"),
    "message.release": ("放行身份不符的消息(双人)", "Release messages whose identity did not agree (two people)"),
    "job.read_all": ("查看全部后台任务", "See every job"),
    "job.write": ("取消和重试后台任务", "Cancel and retry jobs"),
    "live.read": ("订阅实时事件", "Follow live events"),
    "audit.read": ("查看审计记录", "See the audit trail"),
    "portal.grant": ("为受检者换取令牌", "Obtain tokens for examinees"),
    "me.read": ("查看本人资料", "See one's own data"),
    "me.write": ("为本人预约", "Book for oneself"),
    "member.self": ("团检成员自助选择和预约", "Choose and book for oneself as a member of a campaign"),
}

_READ = {"catalog.read", "examinee.read", "exam.read", "result.read", "live.read"}
ROLES: dict[str, tuple[str, str, frozenset[str]]] = {
    "admin": ("系统管理员", "Administrator", frozenset({
        "identity.read", "identity.write", "catalog.read", "catalog.write", "knowledge.read", "knowledge.write", "guidance.read", "guidance.write", "job.read_all", "job.write",
        "live.read", "appointment.configure",
    })),
    "front_desk": ("前台", "Front desk", frozenset({
        *_READ, "appointment.read", "appointment.write", "examinee.write", "examinee.unmask", "examinee.merge", "identity_check.write", "identity_check.decide", "employer.read", "pricing.read", "exam.write", "exam.set_aside", "exam.cover", "guidance.read", "guidance.call", "exam.check_in", "document.print", "requisition.read", "requisition.write", "specimen.collect", "specimen.handle", "report.read", "private.consent",
    } - {"result.read"})),
    "group_manager": ("团检专员", "Group manager", frozenset({
        "catalog.read", "examinee.read", "examinee.write", "employer.read", "employer.write", "campaign.complete", "pricing.read", "exam.read", "exam.write",
        "live.read", "appointment.read", "appointment.write",
    })),
    "doctor": ("科室医生", "Department doctor", frozenset({*_READ, "knowledge.read", "critical.read", "critical.handle", "message.read", "result.write", "result.judge", "result.revoke", "identity_check.write", "exam.set_aside", "guidance.read", "guidance.call", "requisition.read", "specimen.handle"})),
    "reviewer": ("初审医生", "First reviewer", frozenset({*_READ, "knowledge.read", "knowledge.write", "critical.read", "critical.handle", "message.read", "conclusion.read", "conclusion.review", "report.read", "private.read"})),
    "chief": ("终审医生", "Chief physician", frozenset({
        *_READ, "knowledge.read", "knowledge.write", "knowledge.activate", "critical.read", "critical.handle", "message.read", "conclusion.read", "conclusion.review", "conclusion.finalize", "conclusion.reopen", "result.revoke", "report.read", "report.write", "message.release", "examinee.merge", "examinee.merge_contradicting", "identity_check.decide",
        "private.read", "private.report",
    })),
    "laboratory_head": ("检验科负责人", "Head of the laboratory", frozenset({"catalog.read", "knowledge.read", "knowledge.approve"})),
    "interface": ("接口工程师", "Interface engineer", frozenset({
        "catalog.read", "catalog.write", "message.read", "message.write", "message.raw", "message.release", "job.read_all", "job.write", "live.read",
        "requisition.read", "requisition.write",
    })),
    "security_admin": ("安全管理员", "Security administrator", frozenset({"identity.read", "identity.grant"})),
    "auditor": ("审计员", "Auditor", frozenset({"audit.read", "identity.read"})),
}  # fmt: skip
ADMINISTRATORS = ("admin", "security_admin", "auditor")
"""The roles of the three administrators that ship."""
STEP_UP = frozenset({"recallReport"})
"""What asks anew who one is."""
STEP_UP_IN_BULK = frozenset({"unmaskExaminee", "unmaskExamineeGuardian", "unmaskEmployerContact"})
"""What asks anew who one is where it is done more often than its rate lets."""
BULK = 10
"""How much more often it may be done then."""
APART = frozenset({"identity.write", "identity.grant", "audit.read"})
"""系统、安全、审计三权分立: of these one person holds one, and the last active holder of each stays. The database guards it."""
STAFF_STATE = {
    "pending": ("待准入", "To be let in"), "active": ("在用", "Active"), "disabled": ("停用", "Disabled"),
}  # fmt: skip
CLIENT_STATE = {
    "pending": ("待准入", "To be let in"), "active": ("在用", "Active"), "revoked": ("已吊销", "Revoked"),
}  # fmt: skip


def staff_state(status: str, *, approved: bool) -> str:
    """Return the state of an account or client: one that is not let in yet is pending, unless it ended before."""
    return "pending" if status == "active" and not approved else status


NOT_FOR_STAFF = frozenset({"portal.grant", "message.push", "me.read", "me.write", "member.self"})

# Whoever reviews or signs a conclusion answers for all that was found.
_SEE_PRIVATE = frozenset({"private.read", "conclusion.review", "conclusion.finalize"})


def private_scope(permissions: frozenset[str], departments: tuple[int, ...] | None) -> str:
    """Return what may be seen of what is private: all, that of own departments for who enters results there, or nothing; `o`: that it was ordered.

    `departments`: None for who works in every one.
    """
    performs = "result.write" in permissions
    if permissions & _SEE_PRIVATE or (performs and departments is None):
        results = "*"
    else:
        results = "=" + ",".join(map(str, sorted(departments or ()))) if performs else "-"
    return results + ("o" if "private.consent" in permissions else "")


RATES: dict[str, tuple[int, float]] = {
    "login": (60, 60), "refreshToken": (240, 60), "issueClientToken": (60, 60), "verifyReport": (60, 60),
    "changePassword": (10, 60), "issueExamineeToken": (600, 60), "issueMemberToken": (600, 60),
    "linkMyReport": (20, 60), "makeMemberLinks": (30, 60), "issueAccessCode": (60, 60),
    "searchExaminees": (120, 60), "searchExams": (240, 60),
    "unmaskExaminee": (12, 60), "unmaskExamineeGuardian": (12, 60), "unmaskEmployerContact": (12, 60),
    "revealCriticalPhone": (12, 60),
    "followLiveEvents": (30, 60), "getMyReportContent": (60, 60), "downloadMyReport": (30, 60), "downloadReport": (240, 60),
    "previewReport": (30, 60), "exportCatalog": (6, 60), "importCatalog": (6, 60), "listAuditEvents": (120, 60),
    "createReport": (120, 60), "createPrivateReport": (120, 60),
}  # fmt: skip
"""How often a caller may use an operation, by its id: so many at once, and as many again in so many seconds. What anybody may do is counted by
the address it comes from. A ward that wakes behind one address fits; whoever tries numbers, codes or names, or asks for what is heavy, does not."""
UNFAMILIAR = (20, 600.0)
"""How often an account may be tried from addresses where it never signed in: a brake on guessing from many places. It never holds the account's own places up."""
FAMILIAR = timedelta(days=90)
"""For how long an address is known from which an account signed in."""

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)
_DOUBLINGS = 10


def lockout(failures: int, threshold: int) -> timedelta | None:
    """Return how long an account pauses at an address after its n-th wrong guess there in a row: 30 s at the threshold, doubling up to 15 min."""
    if failures < threshold:
        return None
    doubled: timedelta = _FIRST_PAUSE * (1 << min(failures - threshold, _DOUBLINGS))
    return min(doubled, _LONGEST_PAUSE)


def pauses(threshold: int) -> list[float]:
    """Return for how many seconds nobody may guess after the first, second, third wrong guess; the last one stands for all that follow."""
    found = [lockout(n, threshold) for n in range(1, threshold + _DOUBLINGS)]
    return [pause.total_seconds() if pause else 0.0 for pause in found]
