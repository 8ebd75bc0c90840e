"""Finding people by what the desk scans: also by a tube, which a person may hold in hand."""

from uuid import UUID

from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamLookup, FoundPerson
from tjapi.kernel.uow import UnitOfWork
from tjapi.kernel.validation import scanned
from tjapi.requisition import service as requisitions


async def look_up(uow: UnitOfWork, sought: ExamLookup, after: UUID | None) -> list[FoundPerson]:
    """Return whom a key may mean, with their newest exams; one person too many. Raises PermissionMissing, LookupKeyInvalid.

    What somebody may not see finds nobody, as if it were not there.
    """
    tube = None
    if sought.by in ("any", "barcode"):
        tube = await requisitions.tube_by_barcode(uow, scanned(sought.key))
    return await exams.look_up(uow, sought, after, of_barcode=None if tube is None else tube.exam_id)
