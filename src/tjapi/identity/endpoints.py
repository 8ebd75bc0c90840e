"""HTTP of identity."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from tjapi.identity import flows, service
from tjapi.identity.errors import (
    AccountLocked,
    AdministrationsApart,
    ApiClientNotFound,
    CampusNotGranted,
    ClientIdTaken,
    CredentialsWrong,
    DepartmentNotGranted,
    LastAdministrator,
    OldPasswordWrong,
    OwnRights,
    PasswordTooWeak,
    PermissionUnknown,
    RefreshTokenInvalid,
    RoleNotFound,
    SecondFactorRequired,
    SecondFactorThere,
    SecondFactorWrong,
    SessionNotFound,
    StaffNotFound,
    UsernameTaken,
)
from tjapi.identity.schemas import (
    AccessTokenOut,
    ApiClientCreated,
    ApiClientIn,
    ApiClientOut,
    ApiClientsOut,
    CampusesOut,
    CampusOut,
    ClientTokenIn,
    FactorIn,
    FactorSecretOut,
    LoginIn,
    PasswordIn,
    PasswordOut,
    PrincipalOut,
    RecoveryCodesOut,
    RefreshIn,
    RightsIn,
    RoleIn,
    RoleOut,
    RolesOut,
    SessionsOut,
    StaffIn,
    StaffOut,
    StaffPatch,
    StepUpIn,
    TokensOut,
)
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import PUBLIC, Caller, PublicUnit, ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import asked, runtime

RoleCode = Annotated[
    str, Path(max_length=60, pattern=r"^[a-z_][a-z0-9_]*$", description="角色代码 · Role code", examples=["doctor"])
]
auth = router("auth")
admin = router("identity")


@auth.post(
    "/auth/token",
    **operation("login", "登录", "Sign in", permission=PUBLIC, requirement=["P2"], audience="public", body=True,
                problems=[CredentialsWrong, AccountLocked, SecondFactorRequired, SecondFactorWrong]),
)  # fmt: skip
async def login(request: Request, body: LoginIn) -> TokensOut:
    return await flows.login(runtime(request), asked(request), body)


@auth.post(
    "/auth/refresh",
    **operation("refreshToken", "刷新令牌", "Refresh a token", permission=PUBLIC, requirement=["P2"], audience="public", body=True,
                problems=[RefreshTokenInvalid]),
)  # fmt: skip
async def refresh(request: Request, uow: PublicUnit, body: RefreshIn) -> TokensOut:
    held = runtime(request)
    return await service.refresh(uow, held.mint, held.settings, body.refresh_token)


@auth.post(
    "/auth/client-token",
    **operation("issueClientToken", "接口客户端换取令牌", "Token for an API client", permission=PUBLIC, requirement=["P2", "I5"],
                audience="public", body=True, problems=[CredentialsWrong, AccountLocked]),
)  # fmt: skip
async def client_token(request: Request, body: ClientTokenIn) -> AccessTokenOut:
    return await flows.client_token(runtime(request), asked(request), body)


@auth.post(
    "/auth/logout",
    **operation("logout", "退出登录", "Sign out", permission="authenticated", requirement=["P2"], status=204),
)
async def logout(uow: Unit) -> Response:
    await service.logout(uow)
    return Response(status_code=204)


@auth.put(
    "/auth/password",
    **operation("changePassword", "修改本人密码", "Change one's own password", permission="authenticated", requirement=["P2"], body=True,
                status=204, problems=[AccountLocked, OldPasswordWrong, PasswordTooWeak]),
)  # fmt: skip
async def change_password(request: Request, caller: Caller, body: PasswordIn) -> Response:
    await flows.change_password(runtime(request), asked(request), caller, body)
    return Response(status_code=204)


@auth.post(
    "/auth/step-up",
    **operation("stepUp", "重新验证身份", "Prove anew who one is", permission="authenticated", requirement=["P2"], body=True, status=204,
                problems=[AccountLocked, OldPasswordWrong, SecondFactorRequired, SecondFactorWrong]),
)  # fmt: skip
async def step_up(request: Request, caller: Caller, body: StepUpIn) -> Response:
    await flows.step_up(runtime(request), asked(request), caller, body)
    return Response(status_code=204)


@auth.post(
    "/auth/second-factor",
    **operation("enrolSecondFactor", "绑定动态验证码", "Begin to bind a second factor", permission="authenticated", requirement=["P2"],
                problems=[SecondFactorThere]),
)  # fmt: skip
async def enrol_second_factor(request: Request, uow: Unit) -> FactorSecretOut:
    return await service.enrol_second_factor(uow, runtime(request).settings)


@auth.post(
    "/auth/second-factor:confirm",
    **operation("confirmSecondFactor", "确认动态验证码", "Put a second factor into use", permission="authenticated", requirement=["P2"], body=True,
                problems=[SecondFactorThere, SecondFactorWrong]),
)  # fmt: skip
async def confirm_second_factor(uow: Unit, body: FactorIn) -> RecoveryCodesOut:
    return await service.confirm_second_factor(uow, body.code)


@auth.get(
    "/auth/sessions",
    **operation(
        "listSessions", "本人会话", "The caller's open sessions", permission="authenticated", requirement=["P2"]
    ),
)
async def list_sessions(request: Request, uow: Unit) -> SessionsOut:
    return SessionsOut(items=await service.own_sessions(uow, runtime(request).settings))


@auth.post(
    "/auth/sessions/{session_id:uuid}:end",
    **operation("endSession", "结束一个会话", "End one session", permission="authenticated", requirement=["P2"], status=204, problems=[SessionNotFound]),
)  # fmt: skip
async def end_session(uow: Unit, session_id: UUID) -> Response:
    await service.end_session(uow, session_id)
    return Response(status_code=204)


@auth.post(
    "/auth/sessions:end-others",
    **operation(
        "endOtherSessions",
        "结束其他会话",
        "End every other session",
        permission="authenticated",
        requirement=["P2"],
        status=204,
    ),
)
async def end_other_sessions(uow: Unit) -> Response:
    await service.end_other_sessions(uow)
    return Response(status_code=204)


@auth.get(
    "/auth/principal",
    **operation(
        "getPrincipal",
        "当前登录者及其权限",
        "Who the caller is and may do",
        permission="authenticated",
        requirement=["P2", "E8.1"],
    ),
)
async def principal(caller: Caller) -> PrincipalOut:
    return PrincipalOut(
        kind=caller.kind, id=caller.id, name=caller.name, permissions=sorted(caller.permissions), campuses=list(caller.campuses),
        departments=None if caller.departments is None else list(caller.departments),
    )  # fmt: skip


@admin.get(
    "/campuses",
    **operation("listCampuses", "院区列表", "List campuses", permission="authenticated", requirement=["D3"]),
)
async def list_campuses(uow: ReadUnit) -> CampusesOut:
    return CampusesOut(items=[CampusOut.model_validate(c, from_attributes=True) for c in await service.campuses(uow)])


@admin.get(
    "/staff",
    **operation(
        "listStaff",
        "人员列表",
        "List staff",
        permission="identity.read",
        audience="admin",
        requirement=["E8.1"],
        problems=[PageTokenInvalid],
    ),
)
async def list_staff(
    request: Request, uow: ReadUnit, page_size: PageSize = 50, page_token: PageToken = None
) -> Page[StaffOut]:
    pager = Pager(runtime(request).keys, "staff")
    rows = await service.staff_page(uow, pager.read(page_token), page_size)
    return pager.page(rows, page_size, lambda row: [row.username], lambda row: row)


async def _password_hash(request: Request, body: StaffIn) -> str:
    return await flows.hashed_password(runtime(request), body.username, body.password, "/password")


async def _new_secret(request: Request) -> tuple[str, str]:
    return await flows.new_secret(runtime(request))


@admin.post(
    "/staff",
    **operation("createStaff", "新增人员", "Add a member of staff", permission="identity.write", audience="admin", requirement=["E8.1"], body=True, status=201,
                idempotent="required", before=[_password_hash], problems=[UsernameTaken, PasswordTooWeak, PermissionUnknown, CampusNotGranted, AdministrationsApart]),
)  # fmt: skip
async def create_staff(uow: Unit, body: StaffIn, password_hash: Annotated[str, Depends(_password_hash)]) -> StaffOut:
    return await service.create_staff(uow, body, password_hash)


@admin.get(
    "/staff/{staff_id:uuid}",
    **operation(
        "getStaff",
        "人员详情",
        "One member of staff",
        permission="identity.read",
        audience="admin",
        requirement=["E8.1"],
        problems=[StaffNotFound],
    ),
)
async def get_staff(response: Response, uow: ReadUnit, staff_id: UUID) -> StaffOut:
    staff = await service.get_staff(uow, staff_id)
    set_etag(response, staff.version)
    return staff


@admin.patch(
    "/staff/{staff_id:uuid}",
    **operation("updateStaff", "修改或停用账号", "Change a member of staff, or end the account", permission="identity.write", audience="admin", requirement=["E8.1"], body=True,
                if_match=True, problems=[StaffNotFound, CampusNotGranted, OwnRights, LastAdministrator]),
)  # fmt: skip
async def update_staff(response: Response, uow: Unit, staff_id: UUID, body: StaffPatch, version: IfMatch) -> StaffOut:
    staff = await service.patch_staff(uow, staff_id, body, version)
    set_etag(response, staff.version)
    return staff


@admin.put(
    "/staff/{staff_id:uuid}/rights",
    **operation("putStaffRights", "授权", "Say what an account may do, and where", permission="identity.grant", audience="admin", requirement=["E8.1", "P2"],
                body=True, if_match=True,
                problems=[StaffNotFound, PermissionUnknown, CampusNotGranted, DepartmentNotGranted, OwnRights, AdministrationsApart, LastAdministrator]),
)  # fmt: skip
async def put_staff_rights(response: Response, uow: Unit, staff_id: UUID, body: RightsIn, version: IfMatch) -> StaffOut:
    staff = await service.grant(uow, staff_id, body, version)
    set_etag(response, staff.version)
    return staff


@admin.post(
    "/staff/{staff_id:uuid}:approve",
    **operation("approveStaff", "准入账号", "Let an account in that another administrator made or reset", permission="identity.grant", audience="admin",
                requirement=["E8.1", "P2"], if_match=True, problems=[StaffNotFound, CampusNotGranted, DepartmentNotGranted, OwnRights]),
)  # fmt: skip
async def approve_staff(response: Response, uow: Unit, staff_id: UUID, version: IfMatch) -> StaffOut:
    staff = await service.approve_staff(uow, staff_id, version)
    set_etag(response, staff.version)
    return staff


async def _new_password(request: Request) -> tuple[str, str]:
    return await flows.new_password(runtime(request))


@admin.post(
    "/staff/{staff_id:uuid}:reset-password",
    **operation("resetStaffPassword", "重置密码", "A new password, to be changed at once; another administrator lets the account in again",
                permission="identity.write", audience="admin", requirement=["P2"], if_match=True, before=[_new_password],
                problems=[StaffNotFound, CampusNotGranted, OwnRights, LastAdministrator]),
)  # fmt: skip
async def reset_staff_password(
    uow: Unit, staff_id: UUID, version: IfMatch, made: Annotated[tuple[str, str], Depends(_new_password)]
) -> PasswordOut:
    return await service.reset_password(uow, staff_id, *made, version)


@admin.post(
    "/staff/{staff_id:uuid}:unlock",
    **operation("unlockStaff", "解除登录限制", "Forget wrong guesses at an account", permission="identity.write", audience="admin", requirement=["P2"],
                problems=[StaffNotFound, CampusNotGranted]),
)  # fmt: skip
async def unlock_staff(uow: Unit, staff_id: UUID) -> StaffOut:
    return await service.unlock(uow, staff_id)


@admin.post(
    "/staff/{staff_id:uuid}:end-sessions",
    **operation("endStaffSessions", "结束某人全部会话", "End every session of an account", permission="identity.write", audience="admin",
                requirement=["P2"], problems=[StaffNotFound, CampusNotGranted]),
)  # fmt: skip
async def end_staff_sessions(uow: Unit, staff_id: UUID) -> StaffOut:
    return await service.end_staff_sessions(uow, staff_id)


@admin.post(
    "/staff/{staff_id:uuid}:end-second-factor",
    **operation("endSecondFactor", "解绑动态验证码", "Take a lost second factor away", permission="identity.grant", audience="admin",
                requirement=["P2"], problems=[StaffNotFound, CampusNotGranted, OwnRights]),
)  # fmt: skip
async def end_second_factor(uow: Unit, staff_id: UUID) -> StaffOut:
    return await service.end_second_factor(uow, staff_id)


@admin.get(
    "/roles",
    **operation(
        "listRoles", "角色列表", "List roles", permission="identity.read", audience="admin", requirement=["E8.1"]
    ),
)
async def list_roles(uow: ReadUnit) -> RolesOut:
    return RolesOut(items=[RoleOut.model_validate(role, from_attributes=True) for role in await service.roles(uow)])


@admin.get(
    "/roles/{code}",
    **operation(
        "getRole",
        "角色详情",
        "One role",
        permission="identity.read",
        audience="admin",
        requirement=["E8.1"],
        problems=[RoleNotFound],
    ),
)
async def get_role(uow: ReadUnit, code: RoleCode) -> RoleOut:
    return RoleOut.model_validate(await service.get_role(uow, code), from_attributes=True)


@admin.put(
    "/roles/{code}",
    **operation("putRole", "设置角色权限", "Set a role's permissions", permission="identity.grant", audience="admin", requirement=["E8.1"], body=True,
                problems=[PermissionUnknown, OwnRights, AdministrationsApart, LastAdministrator]),
)  # fmt: skip
async def put_role(uow: Unit, code: RoleCode, body: RoleIn) -> RoleOut:
    return RoleOut.model_validate(await service.put_role(uow, code, body), from_attributes=True)


@admin.get(
    "/api-clients",
    **operation(
        "listApiClients",
        "接口客户端列表",
        "List API clients",
        permission="identity.read",
        audience="admin",
        requirement=["I5"],
    ),
)
async def list_clients(uow: ReadUnit) -> ApiClientsOut:
    return ApiClientsOut(items=[service.client_out(client) for client in await service.clients(uow)])


@admin.post(
    "/api-clients",
    **operation("createApiClient", "新增接口客户端", "Add an API client", permission="identity.write", audience="admin", requirement=["I5"], body=True, status=201,
                idempotent="required", before=[_new_secret], problems=[ClientIdTaken, PermissionUnknown, CampusNotGranted, AdministrationsApart]),
)  # fmt: skip
async def create_client(
    uow: Unit, body: ApiClientIn, secret: Annotated[tuple[str, str], Depends(_new_secret)]
) -> ApiClientCreated:
    return await service.create_client(uow, body, *secret)


@admin.post(
    "/api-clients/{client_id:uuid}:approve",
    **operation("approveApiClient", "准入接口客户端", "Let an API client in that another administrator made", permission="identity.grant",
                audience="admin", requirement=["I5", "P2"], problems=[ApiClientNotFound, CampusNotGranted, OwnRights]),
)  # fmt: skip
async def approve_client(uow: Unit, client_id: UUID) -> ApiClientOut:
    return await service.approve_client(uow, client_id)


@admin.post(
    "/api-clients/{client_id:uuid}:revoke",
    **operation("revokeApiClient", "吊销接口客户端", "Revoke an API client", permission="identity.write", audience="admin", requirement=["I5"],
                problems=[ApiClientNotFound, CampusNotGranted]),
)  # fmt: skip
async def revoke_client(uow: Unit, client_id: UUID) -> ApiClientOut:
    return await service.revoke_client(uow, client_id)
