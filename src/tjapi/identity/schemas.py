"""Shapes of identity."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tjapi.kernel.validation import WHOLE

Username = Annotated[str, StringConstraints(min_length=2, max_length=40, pattern=r"^[A-Za-z0-9_.\-]+$")]
Password = Annotated[
    str, Field(min_length=1, max_length=128, description="口令 · Password", examples=["Demo-2026-front"])
]
FactorCode = Annotated[str, StringConstraints(min_length=6, max_length=20, pattern=r"^[A-Za-z0-9-]+$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[a-z_][a-z0-9_.]*$")]
CampusId = Annotated[int, Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1]), WHOLE]
DepartmentId = Annotated[int, Field(ge=1, le=32_000, description="科室编号 · Department id", examples=[1]), WHOLE]
Campuses = Annotated[list[CampusId], Field(max_length=50)]
StaffState = Literal["pending", "active", "disabled"]
ClientState = Literal["pending", "active", "revoked"]
Departments = Annotated[list[DepartmentId], Field(max_length=200)]


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class LoginIn(Input):
    """Staff login."""

    username: Username = Field(examples=["front"])
    password: Password
    code: FactorCode | None = Field(
        None, description="动态验证码或恢复码 · A code of the second factor, or a recovery code", examples=["492039"]
    )


class StepUpIn(Input):
    """Who one is, proved anew: the code where there is a second factor, else the password."""

    password: Password | None = None
    code: FactorCode | None = Field(None, description="动态验证码 · A code of the second factor", examples=["492039"])


class FactorIn(Input):
    """A code of the authenticator."""

    code: FactorCode = Field(examples=["492039"])


class FactorSecretOut(BaseModel):
    """The one time that the secret is shown: scan it, then confirm with a code."""

    secret: str = Field(examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"])
    uri: str = Field(examples=["otpauth://totp/tjapi:li.na?secret=JBSWY3DPEHPK3PXP&issuer=tjapi&digits=6&period=30"])


class RecoveryCodesOut(BaseModel):
    """The one time that recovery codes are shown; each is good once."""

    recovery_codes: list[str] = Field(examples=[["k7m2p-x9qrt"]])


class SessionOut(BaseModel):
    """A session of the caller."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    source: str = Field(description="登录地址 · Where it was opened", examples=["10.20.3.41"])
    current: bool = Field(description="是否本次会话 · Whether it is this one", examples=[True])


class SessionsOut(BaseModel):
    """The caller's open sessions, newest first."""

    items: list[SessionOut]


class TokensOut(BaseModel):
    """An access token, short-lived, and a refresh token, for one use."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkyZjBjNCJ9.dBjftJeZ4CVP"])
    refresh_token: str = Field(examples=["q3vJ0m2vS8u0Xb1cYw5n7Q4r9T6z"])
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int = Field(description="秒 · Seconds", examples=[900])


class RefreshIn(Input):
    """A refresh token to be used up."""

    refresh_token: str = Field(min_length=20, max_length=200, examples=["q3vJ0m2vS8u0Xb1cYw5n7Q4r9T6z"])


class ClientTokenIn(Input):
    """Client credentials."""

    client_id: Username = Field(examples=["kiosk"])
    client_secret: Password


class AccessTokenOut(BaseModel):
    """An access token."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkyZjBjNCJ9.dBjftJeZ4CVP"])
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int = Field(description="秒 · Seconds", examples=[900])


class PrincipalOut(BaseModel):
    """Who the caller is, and what it may do."""

    kind: str = Field(examples=["staff"])
    id: UUID
    name: str = Field(examples=["韦前台"])
    permissions: list[str] = Field(examples=[["exam.read", "exam.write"]])
    campuses: list[int] = Field(examples=[[1]])
    departments: list[int] | None = Field(description="null 表示全部科室 · null means every department", examples=[[]])


class PasswordIn(Input):
    """A change of one's own password."""

    old_password: Password
    new_password: Password


class PasswordOut(BaseModel):
    """The one time that a new password is shown; its owner must change it at once."""

    password: str = Field(examples=["Tj-q3vJ0m2vS8u0Xb1c"])


class StaffIn(Input):
    """A new member of staff, and what the account is to do once another administrator has let it in."""

    username: Username = Field(examples=["li.na"])
    name: str = Field(min_length=1, max_length=40, examples=["李娜"])
    title: str = Field("", max_length=40, examples=["主治医师"])
    password: Password
    roles: list[Code] = Field(max_length=20, examples=[["doctor"]])
    campuses: Campuses = Field(examples=[[1]])
    departments: Departments = Field(default_factory=list, examples=[[3]])
    all_departments: bool = Field(False, strict=True)


class StaffPatch(Input):
    """What is to change; absent fields stay."""

    name: str | None = Field(None, min_length=1, max_length=40, examples=["李娜"])
    title: str | None = Field(None, max_length=40, examples=["副主任医师"])
    active: bool | None = Field(
        None, strict=True, description="false 停用并立即失效其令牌 · false ends every token at once"
    )


class RightsIn(Input):
    """What an account may do, and where."""

    roles: list[Code] = Field(max_length=20, examples=[["doctor"]])
    campuses: Campuses = Field(examples=[[1]])
    departments: Departments = Field(default_factory=list, examples=[[3]])
    all_departments: bool = Field(False, strict=True)


class StaffOut(BaseModel):
    """A member of staff."""

    id: UUID
    username: str = Field(examples=["li.na"])
    name: str = Field(examples=["李娜"])
    title: str = Field(examples=["主治医师"])
    status: StaffState = Field(examples=["active"])
    roles: list[str] = Field(examples=[["doctor"]])
    campuses: list[int] = Field(examples=[[1]])
    departments: list[int] = Field(examples=[[3]])
    all_departments: bool
    must_change_password: bool = Field(
        description="登录后须先改密码 · Must change the password first", examples=[False]
    )
    version: int = Field(examples=[1])
    created_at: datetime


class RoleIn(Input):
    """A role as it shall be."""

    name_zh: str = Field(min_length=1, max_length=40, examples=["科室医生"])
    name_en: str = Field(min_length=1, max_length=60, examples=["Department doctor"])
    permissions: list[Code] = Field(max_length=200, examples=[["result.read", "result.write"]])


class RoleOut(BaseModel):
    """A role."""

    code: str = Field(examples=["doctor"])
    name_zh: str = Field(examples=["科室医生"])
    name_en: str = Field(examples=["Department doctor"])
    permissions: list[str] = Field(examples=[["result.read", "result.write"]])
    version: int = Field(examples=[1])


class RolesOut(BaseModel):
    """Every role."""

    items: list[RoleOut]


class ApiClientIn(Input):
    """A new API client."""

    client_id: Username = Field(examples=["mini-program"])
    name: str = Field(min_length=1, max_length=60, examples=["微信小程序"])
    scopes: list[Code] = Field(max_length=100, examples=[["portal.grant"]])
    campuses: Campuses = Field(examples=[[1]])


class ApiClientOut(BaseModel):
    """An API client."""

    id: UUID
    client_id: str = Field(examples=["mini-program"])
    name: str = Field(examples=["微信小程序"])
    scopes: list[str] = Field(examples=[["portal.grant"]])
    campuses: list[int] = Field(examples=[[1]])
    status: ClientState = Field(examples=["active"])
    created_at: datetime


class ApiClientsOut(BaseModel):
    """Every API client."""

    items: list[ApiClientOut]


class ApiClientCreated(ApiClientOut):
    """The one time that the secret is shown."""

    client_secret: str = Field(examples=["kq0V4s7Z1m8T3x6B9n2R5u"])


class CampusOut(BaseModel):
    """A campus."""

    id: int = Field(examples=[1])
    code: str = Field(examples=["A"])
    name: str = Field(examples=["本部院区"])


class CampusesOut(BaseModel):
    """The campuses."""

    items: list[CampusOut]
