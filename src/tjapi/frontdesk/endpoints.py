"""HTTP of the front desk."""

from uuid import UUID

from tjapi.exam.errors import ExamNotFound, ExamStateConflict
from tjapi.frontdesk import service
from tjapi.frontdesk.schemas import AccessCodeOut, CheckInOut
from tjapi.kernel.routing import Unit, operation, router

frontdesk = router("frontdesk")


@frontdesk.post(
    "/exams/{exam_id:uuid}:check-in",
    **operation("checkIn", "报到", "Check in", permission="exam.check_in", requirement=["E1.5"], idempotent="optional",
                problems=[ExamNotFound, ExamStateConflict]),
)  # fmt: skip
async def check_in(uow: Unit, exam_id: UUID) -> CheckInOut:
    return await service.check_in(uow, exam_id)


@frontdesk.post(
    "/exams/{exam_id:uuid}:issue-access-code",
    **operation("issueAccessCode", "重新生成查询码", "A new one-time code for the examinee", permission="exam.check_in", requirement=["I5"],
                idempotent="optional", problems=[ExamNotFound]),
)  # fmt: skip
async def issue_access_code(uow: Unit, exam_id: UUID) -> AccessCodeOut:
    return await service.issue_access_code(uow, exam_id)
