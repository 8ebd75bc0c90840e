"""What may go wrong around identity."""

from tjapi.kernel.problem import Conflict, Forbidden, Invalid, NotFound, TooManyRequests, Unauthenticated


class CredentialsWrong(Unauthenticated):
    """User name or password, client id or secret: which one is not said."""

    zh, en = "用户名或密码错误", "The user name or the password is wrong"


class AccountLocked(TooManyRequests):
    """Too many failed logins of this account from this address: wait. From elsewhere it is not held up."""

    zh, en = (
        "此地址对该账号登录失败次数过多,请稍后再试",
        "Too many failed logins of this account from this address: wait",
    )


class OldPasswordWrong(Invalid):
    """The old password is wrong; it counts like a failed login."""

    zh, en = "原密码错误", "The old password is wrong"


class SecondFactorRequired(Unauthenticated):
    """The password is right, and the account signs in with a second factor: send `code`."""

    zh, en = "请输入动态验证码", "Send the code of the second factor"


class SecondFactorWrong(Unauthenticated):
    """The code is wrong or was used before; it counts like a wrong password."""

    zh, en = "动态验证码错误或已使用", "The code is wrong, or was used before"


class SecondFactorThere(Conflict):
    """The account has a second factor; the security administrator takes it away where it is lost."""

    zh, en = "已绑定动态验证码", "There is a second factor already"


class SessionNotFound(NotFound):
    """The caller has no such session."""

    zh, en = "没有这个会话", "No such session"


class RefreshTokenInvalid(Unauthenticated):
    """The refresh token is unknown, expired or used before; a used one revokes its whole session."""

    zh, en = "刷新令牌无效,请重新登录", "The refresh token is not valid; sign in again"


class PasswordTooWeak(Invalid):
    """The password breaks the policy."""

    zh, en = "密码强度不足", "The password is too weak"


class StaffNotFound(NotFound):
    """No such member of staff."""

    zh, en = "没有这位工作人员", "No such member of staff"


class RoleNotFound(NotFound):
    """No such role."""

    zh, en = "没有这个角色", "No such role"


class ApiClientNotFound(NotFound):
    """No such API client."""

    zh, en = "没有这个接口客户端", "No such API client"


class UsernameTaken(Conflict):
    """Another account has this user name."""

    zh, en = "用户名已被使用", "The user name is taken"


class ClientIdTaken(Conflict):
    """Another client has this id."""

    zh, en = "client_id 已被使用", "The client_id is taken"


class PermissionUnknown(Invalid):
    """A permission or role code that does not exist, or that staff cannot hold."""

    zh, en = "未知的权限或角色", "Unknown permission or role"


class CampusNotHeld(NotFound):
    """The campus does not exist for the caller: none has this number, or they do not hold it."""

    zh, en = "没有这个院区", "No such campus"


class OwnRights(Forbidden):
    """Nobody changes the own rights, lets the own account in, or one whose password they set."""

    zh, en = (
        "不能更改本人的权限,也不能准入本人建立或重置的账号",
        "Nobody changes the own rights, nor lets in an account that they made or reset",
    )


class DepartmentNotGranted(Forbidden):
    """One cannot grant a department that one does not hold."""

    zh, en = "不能授予自己没有的科室", "A department one does not hold cannot be granted"


class AdministrationsApart(Conflict):
    """System, security and audit administration are held by three people, and by no API client (三权分立)."""

    zh, en = (
        "系统、安全、审计管理须由不同人员担任",
        "System, security and audit administration are held by different people",
    )


class LastAdministrator(Conflict):
    """The last active administrator of a kind stays: name another one first."""

    zh, en = (
        "这是最后一位此类管理员,请先指定另一位",
        "This is the last administrator of their kind; name another one first",
    )


class CampusNotGranted(Forbidden):
    """One cannot grant a campus that one does not hold."""

    zh, en = "不能授予自己没有的院区", "A campus one does not hold cannot be granted"
