"""HTTP of specimens: tubes, their hand-over, their custody."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import StringConstraints

from tjapi.catalog.errors import OutsideLabNotFound
from tjapi.exam.errors import ExamNotFound, ExamStateConflict
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.paging import Page, Pager, PageSize, PageToken, PageTokenInvalid
from tjapi.kernel.problem import Problem
from tjapi.kernel.routing import ReadUnit, Unit, operation, router
from tjapi.kernel.runtime import runtime
from tjapi.kernel.validation import Scanned
from tjapi.requisition import service
from tjapi.requisition.errors import (
    HandoverChanged,
    HandoverCountDiffers,
    HandoverNotFound,
    HandoverStateConflict,
    HandoverTubesRefused,
    NotCheckedIn,
    ReceiverHandedOver,
    ReceiverNotNamed,
    RejectionNotExplained,
    TubeHasResults,
    TubeNotFound,
    TubeNotSentOut,
    TubeStateConflict,
)
from tjapi.requisition.rules import HandoverState
from tjapi.requisition.schemas import (
    BarcodesIn,
    CancelHandoverIn,
    CustodyOut,
    DepartureIn,
    HandoverDetail,
    HandoverIn,
    HandoverOut,
    RejectIn,
    ReturnIn,
    SignReceiptIn,
    TubeOut,
    TubeRejectedOut,
    TubesOut,
)

specimens = router("specimens")
_LIST: list[type[Problem]] = [HandoverNotFound, HandoverStateConflict, HandoverChanged]


@specimens.get(
    "/exams/{exam_id:uuid}/tubes",
    **operation("listTubes", "试管与条码", "Tubes and barcodes of an exam", permission="requisition.read", requirement=["E1.5"],
                problems=[ExamNotFound]),
)  # fmt: skip
async def list_tubes(uow: ReadUnit, exam_id: UUID) -> TubesOut:
    return TubesOut(items=await service.tubes(uow, exam_id))


@specimens.get(
    "/tubes",
    **operation("scanTube", "扫码查试管", "The tube of a bar code", permission="requisition.read", requirement=["X3"], problems=[TubeNotFound]),
)  # fmt: skip
async def scan_tube(
    uow: ReadUnit,
    barcode: Annotated[
        str,
        StringConstraints(pattern=r"^[!-~]{1,40}$"),
        Scanned,
        Query(description="条码 · Bar code", examples=["010000000018"]),
    ],
) -> TubeOut:
    return await service.scanned(uow, barcode)


@specimens.post(
    "/tubes/{tube_id:uuid}:collect",
    **operation("collectTube", "采集标本", "A specimen was taken", permission="specimen.collect", requirement=["E1.5", "X3"],
                problems=[TubeNotFound, TubeStateConflict, NotCheckedIn, ExamStateConflict]),
)  # fmt: skip
async def collect_tube(
    uow: Unit,
    tube_id: UUID,
    place: Annotated[
        str | None, Query(min_length=1, max_length=60, description="采集地点 · Where", examples=["采血处 3 号窗"])
    ] = None,
) -> TubeOut:
    return await service.collect(uow, tube_id, place)


@specimens.post(
    "/tubes/{tube_id:uuid}:reject",
    **operation("rejectTube", "拒收标本并重新采集", "A specimen is refused and taken again", permission="specimen.handle", requirement=["X3"],
                body=True, problems=[TubeNotFound, TubeStateConflict, TubeHasResults, RejectionNotExplained],
                description="已有结果的项目保留结果;等待结果的项目进入新试管、新条码,并重新发申请 · What has results keeps them; the rest is asked for again in a new tube."),
)  # fmt: skip
async def reject_tube(uow: Unit, tube_id: UUID, body: RejectIn) -> TubeRejectedOut:
    return await service.reject(uow, tube_id, body.reason, body.note)


@specimens.post(
    "/tubes/{tube_id:uuid}:return",
    **operation("returnTube", "外送标本退回", "A tube that was sent out is back", permission="specimen.handle", requirement=["X3"], body=True,
                problems=[TubeNotFound, TubeNotSentOut]),
)  # fmt: skip
async def return_tube(uow: Unit, tube_id: UUID, body: ReturnIn) -> TubeOut:
    return await service.give_back(uow, tube_id, body.note)


@specimens.get(
    "/tubes/{tube_id:uuid}/custody",
    **operation("getTubeCustody", "标本监管链", "Every step of a tube: who, when, where", permission="requisition.read", requirement=["X3"],
                problems=[TubeNotFound]),
)  # fmt: skip
async def get_tube_custody(uow: ReadUnit, tube_id: UUID) -> CustodyOut:
    return await service.custody(uow, tube_id)


@specimens.post(
    "/specimen-handovers",
    **operation("openHandover", "新建交接单或外送单", "Begin a hand-over list", permission="specimen.handle", requirement=["X3"], body=True, status=201,
                idempotent="optional", problems=[CampusNotHeld, OutsideLabNotFound]),
)  # fmt: skip
async def open_handover(uow: Unit, body: HandoverIn) -> HandoverDetail:
    return await service.open_handover(uow, body)


@specimens.get(
    "/specimen-handovers",
    **operation("listHandovers", "交接单列表", "Hand-over lists, newest first", permission="requisition.read", requirement=["X3"],
                problems=[PageTokenInvalid]),
)  # fmt: skip
async def list_handovers(
    request: Request, uow: ReadUnit,
    campus_id: Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])] = None,
    state: Annotated[HandoverState | None, Query(description="状态 · State", examples=["handed_over"])] = None,
    outside_lab_id: Annotated[UUID | None, Query(description="外送机构 · Outside laboratory")] = None,
    awaiting: Annotated[bool | None, Query(description="只看外送未回或已全部回来的 · Sent out and not all back, or all back", examples=[True])] = None,
    page_size: PageSize = 50, page_token: PageToken = None,
) -> Page[HandoverOut]:  # fmt: skip
    pager = Pager(runtime(request).keys, f"handovers|{campus_id}|{state}|{outside_lab_id}|{awaiting}")
    rows = await service.handover_page(
        uow, campus_id=campus_id, state=state, outside_lab_id=outside_lab_id, awaiting=awaiting, after=pager.read(page_token),
        size=page_size,
    )  # fmt: skip
    return pager.page(rows, page_size, lambda row: [row.id], lambda row: row)


@specimens.get(
    "/specimen-handovers/{handover_id:uuid}",
    **operation("getHandover", "交接单", "A hand-over list with its tubes", permission="requisition.read", requirement=["X3"],
                problems=[HandoverNotFound]),
)  # fmt: skip
async def get_handover(uow: ReadUnit, handover_id: UUID) -> HandoverDetail:
    return await service.handover_detail(uow, handover_id)


@specimens.post(
    "/specimen-handovers/{handover_id:uuid}:add",
    **operation("addHandoverTubes", "扫描试管上单", "Scan tubes onto a list", permission="specimen.handle", requirement=["X3"], body=True,
                problems=[*_LIST, HandoverTubesRefused]),
)  # fmt: skip
async def add_handover_tubes(uow: Unit, handover_id: UUID, body: BarcodesIn) -> HandoverDetail:
    return await service.add_tubes(uow, handover_id, body.barcodes)


@specimens.post(
    "/specimen-handovers/{handover_id:uuid}:remove",
    **operation("removeHandoverTubes", "试管下单", "Take tubes off a list", permission="specimen.handle", requirement=["X3"], body=True,
                problems=[*_LIST, HandoverTubesRefused]),
)  # fmt: skip
async def remove_handover_tubes(uow: Unit, handover_id: UUID, body: BarcodesIn) -> HandoverDetail:
    return await service.remove_tubes(uow, handover_id, body.barcodes)


@specimens.post(
    "/specimen-handovers/{handover_id:uuid}:hand-over",
    **operation("handOverTubes", "交出", "The tubes leave, counted", permission="specimen.handle", requirement=["X3"], body=True,
                idempotent="optional", problems=[*_LIST, HandoverCountDiffers]),
)  # fmt: skip
async def hand_over_tubes(uow: Unit, handover_id: UUID, body: DepartureIn) -> HandoverDetail:
    return await service.hand_over(uow, handover_id, body)


@specimens.post(
    "/specimen-handovers/{handover_id:uuid}:receive",
    **operation("receiveHandoverTubes", "逐支扫描接收", "Tubes arrive, one by one", permission="specimen.handle", requirement=["X3"], body=True,
                problems=[*_LIST, HandoverTubesRefused, ReceiverHandedOver]),
)  # fmt: skip
async def receive_handover_tubes(uow: Unit, handover_id: UUID, body: BarcodesIn) -> HandoverDetail:
    return await service.receive(uow, handover_id, body.barcodes)


@specimens.post(
    "/specimen-handovers/{handover_id:uuid}:sign",
    **operation("signHandoverReceipt", "签收交接单", "Another person signs for what arrived", permission="specimen.handle", requirement=["X3"], body=True,
                idempotent="optional", problems=[*_LIST, HandoverCountDiffers, ReceiverHandedOver, ReceiverNotNamed]),
)  # fmt: skip
async def sign_handover_receipt(uow: Unit, handover_id: UUID, body: SignReceiptIn) -> HandoverDetail:
    return await service.sign_receipt(uow, handover_id, body)


@specimens.post(
    "/specimen-handovers/{handover_id:uuid}:cancel",
    **operation("cancelHandover", "作废交接单", "Drop a list that was not handed over", permission="specimen.handle", requirement=["X3"], body=True,
                problems=_LIST),
)  # fmt: skip
async def cancel_handover(uow: Unit, handover_id: UUID, body: CancelHandoverIn) -> HandoverDetail:
    return await service.cancel_handover(uow, handover_id, body.reason)
