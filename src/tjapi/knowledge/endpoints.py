"""HTTP of the knowledge base."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.knowledge import service
from tjapi.knowledge.errors import (
    KnowledgeApproved,
    KnowledgeInvalid,
    KnowledgeKnown,
    KnowledgeNotApproved,
    KnowledgeNotDraft,
    KnowledgeOwnDraft,
    KnowledgeVersionNotFound,
)
from tjapi.knowledge.rules import FindingKind, Purpose
from tjapi.knowledge.schemas import ActivateIn, ChangesOut, FindingOut, RuleOut, VersionIn, VersionOut

knowledge = router("knowledge")


@knowledge.get(
    "/findings",
    **operation("listFindings", "体征词与疾病词典", "Findings and diseases with their advice", permission="knowledge.read",
                requirement=["E8.3", "E4.4"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_findings(
    request: Request,
    uow: ReadUnit,
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=40,
            description="名称、拼音首字母或 ICD-10 · Name, initials or ICD-10",
            examples=["zfg"],
        ),
    ] = None,
    kind: Annotated[FindingKind | None, Query(description="类别 · Kind")] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[FindingOut]:
    pager = Pager(runtime(request).keys, f"findings|{q}|{kind}")
    rows = await service.findings_page(uow, q=q, kind=kind, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.importance, row.code], FindingOut.model_validate)


@knowledge.get(
    "/knowledge-rules",
    **operation("listKnowledgeRules", "规则列表", "Rules that find, and rules that alert", permission="knowledge.read",
                requirement=["E3.4", "E5.1"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_rules(
    request: Request,
    uow: ReadUnit,
    purpose: Annotated[Purpose | None, Query(description="用途 · Purpose", examples=["critical"])] = None,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[RuleOut]:
    pager = Pager(runtime(request).keys, f"knowledge-rules|{purpose}")
    rows = await service.rules_page(uow, purpose=purpose, after=pager.read(page_token), size=page_size)
    return pager.page(rows, page_size, lambda row: [row.code], RuleOut.model_validate)


@knowledge.get(
    "/knowledge-versions",
    **operation("listKnowledgeVersions", "知识库版本", "Versions of the knowledge base, newest first", permission="knowledge.read",
                requirement=["E4.4"], problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_versions(
    request: Request, uow: ReadUnit, page_size: PageSize = 50, page_token: PageToken = None
) -> Page[VersionOut]:
    pager = Pager(runtime(request).keys, "knowledge-versions")
    rows = await service.versions(uow, after=pager.read(page_token), size=page_size)
    shown = {v.id: v for v in await service.out(uow, rows)}
    return pager.page(rows, page_size, lambda row: [row.number], lambda row: shown[row.id])


@knowledge.post(
    "/knowledge-versions",
    **operation("createKnowledgeVersion", "提交知识库新版本", "Write a new version as a draft", permission="knowledge.write",
                requirement=["E4.4", "E5.1", "E8.3"], body=True, status=201, problems=[KnowledgeInvalid, KnowledgeKnown]),
)  # fmt: skip
async def create_version(uow: Unit, body: VersionIn) -> VersionOut:
    return await service.write(uow, body)


@knowledge.get(
    "/knowledge-versions/{version_id:uuid}/changes",
    **operation("getKnowledgeChanges", "与现用版本的差异", "How a version differs from the active one", permission="knowledge.read",
                requirement=["E4.4"], problems=[KnowledgeVersionNotFound]),
)  # fmt: skip
async def get_changes(uow: ReadUnit, version_id: UUID) -> ChangesOut:
    return await service.changes(uow, version_id)


@knowledge.post(
    "/knowledge-versions/{version_id:uuid}:approve",
    **operation("approveKnowledgeVersion", "检验科签批知识库版本", "Approve a version as the head of the laboratory", permission="knowledge.approve",
                requirement=["E4.4", "X6"], problems=[KnowledgeVersionNotFound, KnowledgeApproved, KnowledgeOwnDraft]),
)  # fmt: skip
async def approve_version(uow: Unit, version_id: UUID) -> VersionOut:
    return await service.approve(uow, version_id)


@knowledge.post(
    "/knowledge-versions/{version_id:uuid}:activate",
    **operation("activateKnowledgeVersion", "主检签批并启用知识库版本", "Sign a version as chief physician, and put it into use", permission="knowledge.activate",
                requirement=["E4.4", "E5.1", "X6"], body=True,
                problems=[KnowledgeVersionNotFound, KnowledgeInvalid, KnowledgeNotDraft, KnowledgeNotApproved, KnowledgeOwnDraft]),
)  # fmt: skip
async def activate_version(uow: Unit, version_id: UUID, body: ActivateIn) -> VersionOut:
    return await service.activate(uow, version_id, body.effective_on)
