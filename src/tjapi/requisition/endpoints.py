"""HTTP of requisitions and tubes."""

from uuid import UUID

from tjapi.exam.errors import ExamNotFound, ExamStateConflict
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.requisition import service
from tjapi.requisition.errors import (
    NotCheckedIn,
    RequisitionNotFailed,
    RequisitionNotFound,
    TubeNotFound,
    TubeStateConflict,
)
from tjapi.requisition.schemas import RequisitionOut, RequisitionsOut, TubeOut, TubesOut

requisitions = router("requisitions")


@requisitions.get(
    "/exams/{exam_id:uuid}/tubes",
    **operation("listTubes", "试管与条码", "Tubes and barcodes of an exam", permission="requisition.read", requirement=["E1.5"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def list_tubes(uow: ReadUnit, exam_id: UUID) -> TubesOut:
    return TubesOut(items=await service.tubes(uow, exam_id))


@requisitions.post(
    "/tubes/{tube_id:uuid}:collect",
    **operation("collectTube", "采集标本", "A specimen was taken", permission="specimen.collect", requirement=["E1.5", "X3"],
                problems=[TubeNotFound, TubeStateConflict, NotCheckedIn, ExamStateConflict]),
)  # fmt: skip
async def collect_tube(uow: Unit, tube_id: UUID) -> TubeOut:
    return await service.collect(uow, tube_id)


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
