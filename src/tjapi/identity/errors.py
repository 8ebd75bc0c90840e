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


class CampusNotGranted(Forbidden):
    """One cannot grant a campus that one does not hold."""

    zh, en = "不能授予自己没有的院区", "A campus one does not hold cannot be granted"
