"""HTTP of guidance: rooms, queues, and the guide sheet's way back."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from tjapi.catalog.errors import ExamPackageNotFound
from tjapi.employer.errors import CampaignStateConflict
from tjapi.exam.errors import DueDateNotAhead, ExamNotFound, ExamStateConflict, LineNotThere, LineStateConflict
from tjapi.guidance import service
from tjapi.guidance.errors import (
    DepartmentUnknown,
    DueDateMissing,
    GuideSheetNotReturned,
    GuideSheetUndecided,
    NobodyWaits,
    NotHere,
    RoomCodeTaken,
    RoomNotFound,
    TicketNotFound,
    TicketStateConflict,
)
from tjapi.guidance.schemas import (
    GuidanceOut,
    ReturnIn,
    RoomIn,
    RoomOrderIn,
    RoomOrderOut,
    RoomOut,
    RoomsOut,
    SheetPoliciesOut,
    SheetPolicyIn,
    SheetPolicyOut,
    SheetReturnOut,
    TakeBackIn,
    TicketOut,
    TicketsOut,
)
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.routing import ReadUnit, Unit, operation, router

guidance = router("guidance")
CampusQuery = Annotated[int | None, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])]
OneCampus = Annotated[int, Query(ge=1, le=32_000, description="院区 · Campus", examples=[1])]
_TICKET = [TicketNotFound, TicketStateConflict]


@guidance.get(
    "/rooms",
    **operation(
        "listRooms", "诊室与排队情况", "Rooms with their queues", permission="guidance.read", requirement=["X2"]
    ),
)
async def list_rooms(uow: ReadUnit, campus_id: CampusQuery = None) -> RoomsOut:
    return RoomsOut(items=await service.rooms(uow, campus_id))


@guidance.post(
    "/rooms",
    **operation("createRoom", "新增诊室", "Add a room", permission="guidance.write", requirement=["X2"], body=True, status=201,
                problems=[CampusNotHeld, DepartmentUnknown, RoomCodeTaken]),
)  # fmt: skip
async def create_room(uow: Unit, body: RoomIn) -> RoomOut:
    return await service.create_room(uow, body)


@guidance.put(
    "/rooms/{room_id:uuid}",
    **operation("updateRoom", "修改、开放或关闭诊室", "Change, open or close a room", permission="guidance.write", requirement=["X2"], body=True,
                problems=[RoomNotFound, CampusNotHeld, DepartmentUnknown, RoomCodeTaken]),
)  # fmt: skip
async def update_room(uow: Unit, room_id: UUID, body: RoomIn) -> RoomOut:
    return await service.update_room(uow, room_id, body)


@guidance.get(
    "/room-order",
    **operation(
        "getRoomOrder",
        "检查先后规则",
        "What comes before what",
        permission="guidance.read",
        requirement=["X2"],
        problems=[CampusNotHeld],
    ),
)
async def get_room_order(uow: ReadUnit, campus_id: OneCampus) -> RoomOrderOut:
    return await service.show_order(uow, campus_id)


@guidance.put(
    "/room-order",
    **operation("putRoomOrder", "设置检查先后规则", "Say what comes before what", permission="guidance.write", requirement=["X2"], body=True,
                problems=[CampusNotHeld, DepartmentUnknown]),
)  # fmt: skip
async def put_room_order(uow: Unit, body: RoomOrderIn) -> RoomOrderOut:
    return await service.put_order(uow, body)


@guidance.post(
    "/exams/{exam_id:uuid}:guide",
    **operation("guideExaminee", "下一站", "Where to go next, with a place in the queue", permission="guidance.call", requirement=["X2"],
                problems=[ExamNotFound, NotHere]),
)  # fmt: skip
async def guide_examinee(uow: Unit, exam_id: UUID) -> GuidanceOut:
    return await service.guide(uow, exam_id)


@guidance.get(
    "/rooms/{room_id:uuid}/tickets",
    **operation(
        "listTickets",
        "诊室排队",
        "The queue of a room, in its turn",
        permission="guidance.read",
        requirement=["X2"],
        problems=[RoomNotFound],
    ),
)
async def list_tickets(uow: ReadUnit, room_id: UUID) -> TicketsOut:
    return TicketsOut(items=await service.queue(uow, room_id))


@guidance.post(
    "/rooms/{room_id:uuid}:call-next",
    **operation("callNextTicket", "叫下一位", "Call whose turn it is", permission="guidance.call", requirement=["X2"],
                problems=[RoomNotFound, NobodyWaits]),
)  # fmt: skip
async def call_next_ticket(uow: Unit, room_id: UUID) -> TicketOut:
    return await service.call_next(uow, room_id)


@guidance.post(
    "/tickets/{ticket_id:uuid}:recall",
    **operation(
        "recallTicket", "再叫一次", "Call once more", permission="guidance.call", requirement=["X2"], problems=_TICKET
    ),
)
async def recall_ticket(uow: Unit, ticket_id: UUID) -> TicketOut:
    return await service.step_ticket(uow, ticket_id, "called")


@guidance.post(
    "/tickets/{ticket_id:uuid}:pass",
    **operation(
        "passTicket", "过号", "Nobody came: pass over", permission="guidance.call", requirement=["X2"], problems=_TICKET
    ),
)
async def pass_ticket(uow: Unit, ticket_id: UUID) -> TicketOut:
    return await service.step_ticket(uow, ticket_id, "passed")


@guidance.post(
    "/tickets/{ticket_id:uuid}:requeue",
    **operation("requeueTicket", "重新排队", "Back to the end of the queue; after three calls the place is given up", permission="guidance.call",
                requirement=["X2"], problems=_TICKET),
)  # fmt: skip
async def requeue_ticket(uow: Unit, ticket_id: UUID) -> TicketOut:
    return await service.step_ticket(uow, ticket_id, "waiting")


@guidance.post(
    "/tickets/{ticket_id:uuid}:enter",
    **operation("enterTicket", "进入诊室", "Inside", permission="guidance.call", requirement=["X2"], problems=_TICKET),
)
async def enter_ticket(uow: Unit, ticket_id: UUID) -> TicketOut:
    return await service.step_ticket(uow, ticket_id, "in_room")


@guidance.post(
    "/tickets/{ticket_id:uuid}:finish",
    **operation(
        "finishTicket", "检查完成", "Done here", permission="guidance.call", requirement=["X2"], problems=_TICKET
    ),
)
async def finish_ticket(uow: Unit, ticket_id: UUID) -> TicketOut:
    return await service.step_ticket(uow, ticket_id, "done")


@guidance.get(
    "/guide-sheet-policies",
    **operation("listGuideSheetPolicies", "回收指引单策略", "What becomes of open lines when a guide sheet comes back", permission="guidance.read",
                requirement=["E1.8"]),
)  # fmt: skip
async def list_policies(uow: ReadUnit, campus_id: CampusQuery = None) -> SheetPoliciesOut:
    return SheetPoliciesOut(items=await service.policies(uow, campus_id))


@guidance.put(
    "/guide-sheet-policies",
    **operation("putGuideSheetPolicy", "设置回收指引单策略", "Say what becomes of open lines", permission="guidance.write", requirement=["E1.8"],
                body=True, problems=[CampusNotHeld, ExamPackageNotFound]),
)  # fmt: skip
async def put_policy(uow: Unit, body: SheetPolicyIn) -> SheetPolicyOut:
    return await service.put_policy(uow, body)


@guidance.get(
    "/exams/{exam_id:uuid}/guide-sheet-return",
    **operation("getGuideSheetReturn", "回收前查看未检项目", "What is open, and what returning the guide sheet would do", permission="exam.read",
                requirement=["E1.8", "X1"], problems=[ExamNotFound]),
)  # fmt: skip
async def get_return(uow: ReadUnit, exam_id: UUID) -> SheetReturnOut:
    return await service.look(uow, exam_id)


@guidance.post(
    "/exams/{exam_id:uuid}:return-guide-sheet",
    **operation("returnGuideSheet", "回收指引单", "The guide sheet comes back", permission="exam.write", requirement=["E1.8"], body=True,
                idempotent="optional",
                problems=[ExamNotFound, ExamStateConflict, LineNotThere, LineStateConflict, DueDateMissing, DueDateNotAhead, GuideSheetUndecided, CampaignStateConflict]),
)  # fmt: skip
async def return_guide_sheet(uow: Unit, exam_id: UUID, body: ReturnIn) -> SheetReturnOut:
    return await service.return_sheet(uow, exam_id, body)


@guidance.post(
    "/exams/{exam_id:uuid}:give-back-guide-sheet",
    **operation("giveBackGuideSheet", "撤销回收", "The guide sheet goes out again", permission="exam.write", requirement=["E1.8"], body=True,
                problems=[ExamNotFound, ExamStateConflict, GuideSheetNotReturned, LineStateConflict, CampaignStateConflict]),
)  # fmt: skip
async def give_back_guide_sheet(uow: Unit, exam_id: UUID, body: TakeBackIn) -> SheetReturnOut:
    return await service.give_back(uow, exam_id, body.reason)
