"""The desk itself: check-in."""

from collections.abc import Collection
from uuid import UUID

from tjapi.appointment import service as appointments
from tjapi.exam import service as exams
from tjapi.exam.errors import ExamStateConflict
from tjapi.exam.rules import Doubt
from tjapi.frontdesk.schemas import CheckInOut
from tjapi.frontdesk.service.checking import refuse_somebody_else
from tjapi.frontdesk.service.codes import issue_access_code
from tjapi.frontdesk.service.printing import documents
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork
from tjapi.requisition import service as requisitions


async def check_in(uow: UnitOfWork, exam_id: UUID, despite: Collection[Doubt] = ()) -> CheckInOut:
    """Check in, order the tests, and hand out what is printed; the appointment, if there is one, is kept.

    The exam is of the day on which somebody comes, whatever day was meant; where they have another one on this day it is asked back.
    Raises ExamNotFound, ExamStateConflict, WalkInNotTaken, GuardianConsentMissing, IdentityNotConfirmed, ExamDoubtful.
    """
    exam = await exams.lock(uow, exam_id)
    if exam.state != "prepared":  # one on hold goes on by `resume`, with its reason
        raise ExamStateConflict("体检当前为「{current}」", "The exam is {current}", current=exam.state)
    await refuse_somebody_else(uow, exam_id)
    if exam.exam_date != business_day(uow.now):
        await exams.refuse_second(uow, exam.examinee_id, business_day(uow.now), despite, "/despite")
    await appointments.arrive(uow, exam.campus_id, exam_id)
    await exams.reschedule(uow, exam_id, business_day(uow.now))
    await exams.check_in(uow, exam_id)
    if exam.examined:  # everything was refused or waived before
        await exams.settle(uow, exam)
    access = await issue_access_code(uow, exam_id)
    return CheckInOut(
        exam=await exams.describe(uow, exam_id), tubes=await requisitions.tubes(uow, exam_id), access=access,
        documents=await documents(uow, exam_id, access_code=access.access_code),
    )  # fmt: skip
