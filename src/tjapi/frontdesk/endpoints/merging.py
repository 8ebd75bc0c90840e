"""HTTP of merging people: here, because what belongs to them in every later step may speak against it."""

from uuid import UUID

from tjapi.appointment.errors import AppointmentsOnOneDay
from tjapi.exam.errors import ExamsOnOneDay
from tjapi.examinee import service as examinees
from tjapi.examinee.errors import (
    ExamineeKnownElsewhere,
    ExamineeMergedAway,
    ExamineeNotFound,
    ExamineesContradict,
    ExamineesDistinct,
    MergeNotFound,
    MergeNotLast,
    MergeUndone,
    SameExaminee,
    SurvivorWithoutDocument,
)
from tjapi.examinee.schemas import MergeIn, MergeOut, UndoMergeIn
from tjapi.kernel.routing import Unit, operation, router

merging = router("examinees")


@merging.post(
    "/examinees/{examinee_id:uuid}:merge",
    **operation("mergeExaminee", "合并到另一条档案", "Merge somebody into whom they were found to be", permission="examinee.merge",
                requirement=["E1.2", "I1"], body=True, idempotent="optional",
                problems=[ExamineeNotFound, SameExaminee, ExamineeMergedAway, ExamineeKnownElsewhere, ExamineesDistinct, ExamineesContradict,
                          SurvivorWithoutDocument, ExamsOnOneDay, AppointmentsOnOneDay],
                description="体检、预约、名单、报告等随之转移,可撤销;两人及其会话须重新登录 · Exams, appointments, memberships and reports follow, and come back when it is undone; whoever is signed in as either signs in again."),
)  # fmt: skip
async def merge_examinee(uow: Unit, examinee_id: UUID, body: MergeIn) -> MergeOut:
    return await examinees.merge(uow, examinee_id, body)


@merging.post(
    "/examinee-merges/{merge_id:uuid}:undo",
    **operation("undoExamineeMerge", "撤销合并", "They are two people after all", permission="examinee.merge", requirement=["E1.2", "I1"], body=True,
                idempotent="optional", problems=[MergeNotFound, MergeUndone, MergeNotLast, ExamineeKnownElsewhere],
                description="合并时转移的记录原样转回;合并之后新增的留在保留的档案 · What followed the merge goes back; what came since stays with the survivor."),
)  # fmt: skip
async def undo_merge(uow: Unit, merge_id: UUID, body: UndoMergeIn) -> MergeOut:
    return await examinees.undo_merge(uow, merge_id, body.reason)
