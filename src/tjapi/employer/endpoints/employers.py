"""HTTP of units, their contacts and contracts."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from tjapi.employer import service
from tjapi.employer.errors import (
    ContractInvalid,
    EmployerCodeTaken,
    EmployerContactNotFound,
    EmployerNotFound,
    EmployerTreeInvalid,
    MemberInvalid,
)
from tjapi.employer.schemas import (
    ContactIn,
    ContactOut,
    ContractIn,
    ContractOut,
    EmployerDetail,
    EmployerIn,
    EmployerOut,
    EmployerPatch,
    UnmaskContactIn,
    UnmaskedContactOut,
)
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime

employers = router("employers")
OfEmployer = Annotated[UUID | None, Query(description="单位 · Employer")]


@employers.post(
    "/employers",
    **operation("createEmployer", "新建单位", "Enter a unit or a branch", permission="employer.write", requirement=["E2.2"], body=True,
                status=201, idempotent="required", problems=[EmployerCodeTaken, EmployerNotFound]),
)  # fmt: skip
async def create_employer(response: Response, uow: Unit, body: EmployerIn) -> EmployerOut:
    made = await service.create_employer(uow, body)
    set_etag(response, made.version)
    return EmployerOut.model_validate(made)


@employers.get(
    "/employers",
    **operation("listEmployers", "单位列表", "Units, by code", permission="employer.read", requirement=["E2.1", "E1.7"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_employers(
    request: Request,
    uow: ReadUnit,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=60, description="名称的一部分,或编号、拼音首字母的开头 · Part of the name, or beginning of code or initials", examples=["机械"]),
    ] = None,
    parent_id: Annotated[UUID | None, Query(description="上级单位 · The unit they are branches of")] = None,
    active: Annotated[bool | None, Query(description="只看启用或停用的 · Only those in use, or not", examples=[True])] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[EmployerOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"employers|{q}|{parent_id}|{active}")
    rows = await service.employers_page(
        uow, q=q, parent_id=parent_id, active=active, after=pager.read(page_token), size=page_size
    )
    return pager.page(rows, page_size, lambda row: [row.code], EmployerOut.model_validate)


@employers.get(
    "/employers/{employer_id:uuid}",
    **operation("getEmployer", "单位详情", "One unit with contacts and branches", permission="employer.read", requirement=["E2.1"],
                problems=[EmployerNotFound]),
)  # fmt: skip
async def get_employer(response: Response, uow: ReadUnit, employer_id: UUID) -> EmployerDetail:
    found = await service.describe_employer(uow, employer_id)
    set_etag(response, found.version)
    return found


@employers.patch(
    "/employers/{employer_id:uuid}",
    **operation("updateEmployer", "修改单位", "Change a unit", permission="employer.write", requirement=["E2.2"], body=True, if_match=True,
                problems=[EmployerNotFound, EmployerTreeInvalid]),
)  # fmt: skip
async def update_employer(
    response: Response, uow: Unit, employer_id: UUID, version: IfMatch, body: EmployerPatch
) -> EmployerOut:
    found = await service.update_employer(uow, employer_id, body, version)
    set_etag(response, found.version)
    return EmployerOut.model_validate(found)


@employers.post(
    "/employers/{employer_id:uuid}/contacts",
    **operation("addEmployerContact", "新增单位联系人", "Enter whom one calls", permission="employer.write", requirement=["E2.2"], body=True,
                status=201, idempotent="required", problems=[EmployerNotFound, MemberInvalid]),
)  # fmt: skip
async def add_contact(uow: Unit, employer_id: UUID, body: ContactIn) -> ContactOut:
    return ContactOut.model_validate(await service.add_contact(uow, employer_id, body))


@employers.post(
    "/employers/{employer_id:uuid}/contacts/{contact_id:uuid}:remove",
    **operation("removeEmployerContact", "删除单位联系人", "Forget a contact", permission="employer.write", requirement=["E2.2"], status=204,
                problems=[EmployerContactNotFound]),
)  # fmt: skip
async def remove_contact(uow: Unit, employer_id: UUID, contact_id: UUID) -> None:
    await service.remove_contact(uow, employer_id, contact_id)


@employers.post(
    "/employers/{employer_id:uuid}/contacts/{contact_id:uuid}:unmask",
    **operation("unmaskEmployerContact", "查看联系人完整电话", "See a contact's number in full", permission="employer.write",
                requirement=["E2.2"], body=True, problems=[EmployerContactNotFound]),
)  # fmt: skip
async def unmask_contact(uow: Unit, employer_id: UUID, contact_id: UUID, body: UnmaskContactIn) -> UnmaskedContactOut:
    return await service.unmask_contact(uow, employer_id, contact_id, body.purpose)


@employers.post(
    "/contracts",
    **operation("createContract", "新建合同", "Enter a contract", permission="employer.write", requirement=["E2.2"], body=True, status=201,
                idempotent="required", problems=[CampusNotHeld, EmployerNotFound, ContractInvalid]),
)  # fmt: skip
async def create_contract(uow: Unit, body: ContractIn) -> ContractOut:
    return ContractOut.model_validate(await service.create_contract(uow, body))


@employers.get(
    "/contracts",
    **operation("listContracts", "合同列表", "Contracts, the latest first", permission="employer.read", requirement=["E2.2"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_contracts(
    request: Request,
    uow: ReadUnit,
    employer_id: OfEmployer = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[ContractOut]:
    pager = Pager(runtime(request).keys, f"contracts|{employer_id}")
    rows = await service.contracts_page(uow, employer_id=employer_id, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.id], ContractOut.model_validate)
