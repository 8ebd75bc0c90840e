"""HTTP of identity checks."""

from uuid import UUID

from tjapi.exam.errors import ExamNotFound, ExamStateConflict
from tjapi.frontdesk import service
from tjapi.frontdesk.errors import (
    IdentityCheckDecided,
    IdentityCheckInvalid,
    IdentityCheckNotFound,
    IdentityDecidedBySame,
)
from tjapi.frontdesk.schemas import IdentityCheckIn, IdentityCheckOut, IdentityChecksOut, IdentityDecisionIn
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.result.errors import DepartmentNotOwn, SignerNotStaff

checking = router("frontdesk")


@checking.post(
    "/exams/{exam_id:uuid}/identity-checks",
    **operation("checkIdentity", "身份核验(防替检)", "Hold somebody against whose exam this is", permission="identity_check.write",
                requirement=["X11"], body=True, status=201, idempotent="optional",
                problems=[ExamNotFound, ExamStateConflict, IdentityCheckInvalid, DepartmentNotOwn],
                description="结论为非本人时体检暂停(受检者已离开的,不得终审或发布报告),待第二人裁定;认定为非本人后,须核验到本人才能继续"
                            " · Finding somebody else puts the exam on hold, or where they have gone keeps it from being finalized and its report from being"
                            " published, until a second person decides; who was somebody else is followed by a check that finds the right person."),
)  # fmt: skip
async def check_identity(uow: Unit, exam_id: UUID, body: IdentityCheckIn) -> IdentityCheckOut:
    return await service.check_identity(uow, exam_id, body)


@checking.get(
    "/exams/{exam_id:uuid}/identity-checks",
    **operation("listIdentityChecks", "身份核验记录", "The identity checks of an exam", permission="exam.read", requirement=["X11"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def list_identity_checks(uow: ReadUnit, exam_id: UUID) -> IdentityChecksOut:
    return await service.identity_checks(uow, exam_id)


@checking.post(
    "/identity-checks/{check_id:uuid}:decide",
    **operation("decideIdentity", "裁定身份核验", "A second person decides about an identity check", permission="identity_check.decide",
                requirement=["X11"], body=True, idempotent="optional",
                problems=[IdentityCheckNotFound, IdentityCheckDecided, IdentityDecidedBySame, SignerNotStaff]),
)  # fmt: skip
async def decide_identity(uow: Unit, check_id: UUID, body: IdentityDecisionIn) -> IdentityCheckOut:
    return await service.decide_identity(uow, check_id, body)
