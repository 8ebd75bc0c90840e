"""HTTP of the catalog."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from tjapi.catalog import service
from tjapi.catalog.errors import (
    CatalogFileInvalid,
    ExamPackageCodeTaken,
    ExamPackageContradiction,
    ExamPackageEditionNotAhead,
    ExamPackageNotFound,
    ItemGroupCodeTaken,
    ItemGroupContradiction,
    ItemGroupNotFound,
    ItemNotFound,
)
from tjapi.catalog.schemas import (
    CatalogFile,
    CatalogImportIn,
    CatalogImportOut,
    DepartmentOut,
    DepartmentsOut,
    ExamPackageDetail,
    ExamPackageIn,
    ExamPackageOut,
    ExclusionsIn,
    ExternalCodeIn,
    ExternalCodeOut,
    ItemDetail,
    ItemGroupDetail,
    ItemGroupIn,
    ItemGroupOut,
    ItemGroupPatch,
    ItemOut,
    OutsideLabIn,
    OutsideLabOut,
    OutsideLabsOut,
    PackageCopyIn,
    RangePoliciesOut,
    RangePolicyIn,
    RangePolicyOut,
)
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.etag import IfMatch, set_etag
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime

catalog = router("catalog")

Words = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=40,
        description="名称的一部分或代码开头 · Part of the name or beginning of the code",
        examples=["血红"],
    ),
]
Active = Annotated[bool | None, Query(description="只看启用或停用的 · Only those in use, or not", examples=[True])]
System = Annotated[
    str,
    Path(max_length=40, pattern=r"^[a-z0-9][a-z0-9_-]*$", description="外部系统 · The other system", examples=["lis"]),
]
TheirCode = Annotated[str, Path(min_length=1, max_length=64, description="外部代码 · Its code", examples=["HGB"])]


@catalog.get(
    "/departments",
    **operation("listDepartments", "科室列表", "List departments", permission="catalog.read", requirement=["E8.1"]),
)
async def list_departments(uow: ReadUnit) -> DepartmentsOut:
    return DepartmentsOut(items=[DepartmentOut.model_validate(d) for d in await service.departments(uow)])


@catalog.get(
    "/items",
    **operation(
        "listItems",
        "项目列表",
        "List items",
        permission="catalog.read",
        requirement=["E8.2"],
        problems=[PageTokenInvalid],
    ),
)
async def list_items(
    request: Request,
    uow: ReadUnit,
    q: Words = None,
    active: Active = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[ItemOut]:
    pager = Pager(runtime(request).keys, f"items|{q}|{active}")
    rows = await service.items_page(uow, q=q, active=active, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.sort, row.code], ItemOut.model_validate)


@catalog.get(
    "/items/{item_id:uuid}",
    **operation("getItem", "项目详情", "One item with its reference ranges", permission="catalog.read", requirement=["E8.2", "E3.3"],
                problems=[ItemNotFound]),
)  # fmt: skip
async def get_item(uow: ReadUnit, item_id: UUID) -> ItemDetail:
    return await service.describe_item(uow, item_id)


@catalog.get(
    "/item-groups",
    **operation("listItemGroups", "组合项目列表", "List item groups", permission="catalog.read", requirement=["E8.2"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_item_groups(
    request: Request, uow: ReadUnit, q: Words = None,
    department_id: Annotated[int | None, Query(ge=1, le=32_000, description="科室编号 · Department id", examples=[4])] = None,
    active: Active = None, page_size: PageSize = 50, page_token: PageToken = None,
) -> Page[ItemGroupOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"item-groups|{q}|{department_id}|{active}")
    after = pager.read(page_token)
    rows = await service.item_groups_page(
        uow, q=q, department_id=department_id, active=active, after=after, size=page_size
    )
    return pager.page(rows, page_size, lambda row: [row.sort, row.code], ItemGroupOut.model_validate)


@catalog.get(
    "/item-groups/{item_group_id:uuid}",
    **operation("getItemGroup", "组合项目详情", "One item group with its items", permission="catalog.read", requirement=["E8.2"],
                problems=[ItemGroupNotFound]),
)  # fmt: skip
async def get_item_group(response: Response, uow: ReadUnit, item_group_id: UUID) -> ItemGroupDetail:
    found = await service.describe_item_group(uow, item_group_id)
    set_etag(response, found.version)
    return found


@catalog.post(
    "/item-groups",
    **operation("createItemGroup", "新增组合项目", "Enter an item group", permission="catalog.write", requirement=["E8.2"], body=True, status=201,
                idempotent="optional", problems=[ItemNotFound, ItemGroupContradiction, ItemGroupCodeTaken]),
)  # fmt: skip
async def create_item_group(response: Response, uow: Unit, body: ItemGroupIn) -> ItemGroupDetail:
    found = await service.add_item_group(uow, body)
    set_etag(response, found.version)
    return found


@catalog.patch(
    "/item-groups/{item_group_id:uuid}",
    **operation("updateItemGroup", "修改组合项目的价格、适用范围和资源", "Change an item group: price, whom it fits, what a booking takes",
                permission="catalog.write", requirement=["E8.2"], body=True, if_match=True, problems=[ItemGroupNotFound, ItemGroupContradiction]),
)  # fmt: skip
async def update_item_group(
    response: Response, uow: Unit, item_group_id: UUID, body: ItemGroupPatch, expected: IfMatch
) -> ItemGroupDetail:
    found = await service.change_item_group(uow, item_group_id, body, expected)
    set_etag(response, found.version)
    return found


@catalog.put(
    "/item-groups/{item_group_id:uuid}/exclusions",
    **operation("putItemGroupExclusions", "设置互斥项目", "Say what an item group may not be ordered with", permission="catalog.write",
                requirement=["E8.2"], body=True, problems=[ItemGroupNotFound, ItemGroupContradiction]),
)  # fmt: skip
async def put_item_group_exclusions(uow: Unit, item_group_id: UUID, body: ExclusionsIn) -> ItemGroupDetail:
    return await service.put_exclusions(uow, item_group_id, body)


@catalog.get(
    "/exam-packages",
    **operation(
        "listExamPackages",
        "套餐列表",
        "List packages",
        permission="catalog.read",
        requirement=["E8.2"],
        problems=[PageTokenInvalid],
    ),
)
async def list_exam_packages(
    request: Request,
    uow: ReadUnit,
    q: Words = None,
    active: Active = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[ExamPackageOut]:
    pager = Pager(runtime(request).keys, f"exam-packages|{q}|{active}")
    rows = await service.packages_page(uow, q=q, active=active, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.code, row.edition], ExamPackageOut.model_validate)


@catalog.get(
    "/exam-packages/{package_id:uuid}",
    **operation("getExamPackage", "套餐详情", "One package with its item groups and items", permission="catalog.read", requirement=["E8.2"],
                problems=[ExamPackageNotFound]),
)  # fmt: skip
async def get_exam_package(uow: ReadUnit, package_id: UUID) -> ExamPackageDetail:
    return await service.describe_package(uow, package_id)


@catalog.post(
    "/exam-packages",
    **operation("createExamPackage", "新增套餐或套餐新版本", "Enter a package, or its next edition", permission="catalog.write", requirement=["E8.2"],
                body=True, status=201, idempotent="optional", problems=[ItemGroupNotFound, ExamPackageContradiction, ExamPackageEditionNotAhead]),
)  # fmt: skip
async def create_exam_package(uow: Unit, body: ExamPackageIn) -> ExamPackageDetail:
    return await service.add_package(uow, body)


@catalog.get(
    "/external-codes",
    **operation("listExternalCodes", "外部代码对照列表", "List what other systems call our items", permission="catalog.read",
                requirement=["E8.2", "E3.5"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_external_codes(
    request: Request, uow: ReadUnit,
    system: Annotated[str | None, Query(max_length=40, description="外部系统 · The other system", examples=["lis"])] = None,
    item_id: Annotated[UUID | None, Query(description="项目编号 · Item id")] = None,
    page_size: PageSize = 50, page_token: PageToken = None,
) -> Page[ExternalCodeOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"external-codes|{system}|{item_id}")
    rows = await service.external_codes_page(
        uow, system=system, item_id=item_id, after=pager.read(page_token), size=page_size
    )
    return pager.page(rows, page_size, lambda row: [row.system, row.code], ExternalCodeOut.model_validate)


@catalog.get(
    "/outside-labs",
    **operation("listOutsideLabs", "外送机构", "Laboratories to which specimens are sent", permission="catalog.read", requirement=["X3"]),
)  # fmt: skip
async def list_outside_labs(uow: ReadUnit) -> OutsideLabsOut:
    return OutsideLabsOut(items=[OutsideLabOut.model_validate(lab) for lab in await service.outside_labs(uow)])


@catalog.put(
    "/outside-labs/{lab_code}",
    **operation("putOutsideLab", "维护外送机构", "Enter an outside laboratory or change it", permission="catalog.write", requirement=["X3"], body=True),
)  # fmt: skip
async def put_outside_lab(
    uow: Unit,
    lab_code: Annotated[
        str,
        Path(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40, description="机构代码 · Code of the laboratory", examples=["GHYJ"]),
    ],
    body: OutsideLabIn,
) -> OutsideLabOut:  # fmt: skip
    return OutsideLabOut.model_validate(await service.put_outside_lab(uow, lab_code, body))


@catalog.post(
    "/exam-packages/{package_id:uuid}:copy",
    **operation("copyExamPackage", "复制套餐", "Enter a package like another one", permission="catalog.write", requirement=["E8.2"], body=True, status=201,
                idempotent="optional", problems=[ExamPackageNotFound, ExamPackageCodeTaken, ItemGroupNotFound, ExamPackageContradiction, ExamPackageEditionNotAhead]),
)  # fmt: skip
async def copy_exam_package(uow: Unit, package_id: UUID, body: PackageCopyIn) -> ExamPackageDetail:
    return await service.copy_package(uow, package_id, body)


@catalog.get(
    "/catalog-file",
    **operation("exportCatalog", "导出项目、组合项目和套餐", "Items, item groups and packages as a file, by their codes", permission="catalog.write",
                requirement=["E8.2"]),
)  # fmt: skip
async def export_catalog(response: Response, uow: ReadUnit) -> CatalogFile:
    response.headers["Content-Disposition"] = 'attachment; filename="catalog.json"'
    return await service.export_catalog(uow)


@catalog.post(
    "/catalog-imports",
    **operation("importCatalog", "导入目录文件(可预览)", "Take a catalog file over, or see what it would change", permission="catalog.write",
                requirement=["E8.2"], body=True, problems=[CatalogFileInvalid],
                description="全部导入或全部不导入;已有项目的类型和单位、已有组合的明细不会被改变 · All of it or nothing; what is known keeps its meaning."),
)  # fmt: skip
async def import_catalog(uow: Unit, body: CatalogImportIn) -> CatalogImportOut:
    return await service.import_catalog(uow, body)


# A path convertor, because real laboratories have codes such as `A/G`.
@catalog.put(
    "/external-codes/{system}/{code:path}",
    **operation("putExternalCode", "外部代码对照", "Say to which item another system's code leads", permission="catalog.write",
                requirement=["E8.2", "E3.5"], body=True, problems=[ItemNotFound]),
)  # fmt: skip
async def put_external_code(uow: Unit, system: System, code: TheirCode, body: ExternalCodeIn) -> ExternalCodeOut:
    return ExternalCodeOut.model_validate(await service.map_external_code(uow, system, code, body.item_id))


@catalog.get(
    "/range-policies",
    **operation("listRangePolicies", "区间优先策略", "Which range goes first at each campus", permission="catalog.read", requirement=["E3.3", "E8.4"]),
)  # fmt: skip
async def list_range_policies(uow: ReadUnit) -> RangePoliciesOut:
    return RangePoliciesOut(items=await service.range_policies(uow))


@catalog.put(
    "/range-policies/{campus_id}",
    **operation("putRangePolicy", "设置区间优先策略", "Say which range goes first at a campus", permission="knowledge.approve",
                requirement=["E3.3", "E8.4"], body=True, problems=[CampusNotHeld],
                description="项目自身已规定的,以项目为准;已判定的结果不变。 · An item that says so itself goes its own way; what is judged stays as it was."),
)  # fmt: skip
async def put_range_policy(
    uow: Unit,
    campus_id: Annotated[int, Path(ge=1, le=32_000, description="院区 · Campus", examples=[1])],
    body: RangePolicyIn,
) -> RangePolicyOut:
    return await service.put_range_policy(uow, campus_id, body)
