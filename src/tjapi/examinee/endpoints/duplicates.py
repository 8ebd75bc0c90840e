"""HTTP of people who may have been entered twice."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from tjapi.examinee import service
from tjapi.examinee.errors import DistinctionNotFound, ExamineeNotFound, SameExaminee
from tjapi.examinee.rules import LIKELY
from tjapi.examinee.schemas import DistinctionIn, DistinctionOut, DistinctionsOut, DuplicateOut, MergesOut
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime

duplicates = router("examinees")


@duplicates.get(
    "/examinee-duplicates",
    **operation("listExamineeDuplicates", "疑似重复建档", "People who may have been entered twice, with a score and its reasons",
                permission="examinee.merge", requirement=["E1.2", "I1"], problems=[ExamineeNotFound, PageTokenInvalid],
                description="后建档者在前;一页可能不满甚至为空,以 next_page_token 为准 · The latest entered first; a page may be short or empty, only next_page_token says whether more follow."),
)  # fmt: skip
async def list_duplicates(
    request: Request,
    uow: ReadUnit,
    campus_id: Annotated[int, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])],
    examinee_id: Annotated[UUID | None, Query(description="只看此人 · Of this person alone")] = None,
    min_score: Annotated[int, Query(ge=1, le=100, description="最低相似度 · Lowest score")] = LIKELY,
    page_size: PageSize = 50,
    page_token: PageToken = None,
) -> Page[DuplicateOut]:
    pager = Pager(runtime(request).keys, f"examinee-duplicates|{campus_id}|{examinee_id}|{min_score}")
    after = pager.read(page_token)
    found = await service.duplicates(
        uow, campus_id, examinee_id=examinee_id, min_score=min_score, after=after, size=page_size
    )
    return pager.searched(found.pairs, found.until, lambda pair: pair)


@duplicates.post(
    "/examinee-distinctions",
    **operation("distinguishExaminees", "判定不是同一人", "Decide that two are two people: they are not suggested again", permission="examinee.merge",
                requirement=["E1.2"], body=True, status=201, idempotent="optional", problems=[ExamineeNotFound, SameExaminee]),
)  # fmt: skip
async def distinguish(uow: Unit, body: DistinctionIn) -> DistinctionOut:
    return await service.distinguish(uow, body)


@duplicates.get(
    "/examinees/{examinee_id:uuid}/distinctions",
    **operation("listExamineeDistinctions", "非同一人判定", "Who was found to be somebody else", permission="examinee.merge", requirement=["E1.2"],
                problems=[ExamineeNotFound]),
)  # fmt: skip
async def list_distinctions(uow: ReadUnit, examinee_id: UUID) -> DistinctionsOut:
    return await service.distinctions(uow, examinee_id)


@duplicates.post(
    "/examinee-distinctions/{distinction_id:uuid}:withdraw",
    **operation("withdrawExamineeDistinction", "撤销非同一人判定", "They may be one person after all", permission="examinee.merge", requirement=["E1.2"],
                problems=[DistinctionNotFound]),
)  # fmt: skip
async def withdraw_distinction(uow: Unit, distinction_id: UUID) -> DistinctionOut:
    return await service.withdraw_distinction(uow, distinction_id)


@duplicates.get(
    "/examinees/{examinee_id:uuid}/merges",
    **operation("listExamineeMerges", "合并记录", "The merges of a person's archive", permission="examinee.merge", requirement=["E1.2", "I1"],
                problems=[ExamineeNotFound]),
)  # fmt: skip
async def list_merges(uow: ReadUnit, examinee_id: UUID) -> MergesOut:
    return await service.merges(uow, examinee_id)
