"""HTTP of orders to the LIS."""

from uuid import UUID

from tjapi.exam.errors import ExamNotFound
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.requisition import service
from tjapi.requisition.errors import RequisitionNotFailed, RequisitionNotFound
from tjapi.requisition.schemas import RequisitionOut, RequisitionsOut

requisitions = router("requisitions")


@requisitions.get(
    "/exams/{exam_id:uuid}/requisitions",
    **operation("listRequisitions", "检验申请", "Orders to the LIS", permission="requisition.read", requirement=["I2"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def list_requisitions(uow: ReadUnit, exam_id: UUID) -> RequisitionsOut:
    return RequisitionsOut(items=await service.requisitions(uow, exam_id))


@requisitions.post(
    "/requisitions/{requisition_id:uuid}:resend",
    **operation("resendRequisition", "重发失败的申请", "Send a failed order again", permission="requisition.write", requirement=["I2"],
                problems=[RequisitionNotFound, RequisitionNotFailed]),
)  # fmt: skip
async def resend_requisition(uow: Unit, requisition_id: UUID) -> RequisitionOut:
    return await service.resend(uow, requisition_id)
