"""Finding people by what the desk scans or types."""

from collections.abc import Sequence
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import SearchNotOneCriterion
from tjapi.examinee.models import Examinee
from tjapi.examinee.rules import folded, normalise_phone, spellings_sought
from tjapi.examinee.schemas import ExamineeSearch
from tjapi.examinee.service.reading import ID_NUMBER, PHONE
from tjapi.kernel.uow import UnitOfWork


async def search(uow: UnitOfWork, by: ExamineeSearch, after: UUID | None) -> Sequence[Examinee]:
    """Return a page of people, the latest entered first, one too many, and leave a trace. Raises SearchNotOneCriterion.

    `q` is the beginning of a name, of its pinyin or of its initials; ID number and phone match whole.
    """
    criteria = [field for field in ("q", "id_number", "phone") if getattr(by, field) is not None]
    if len(criteria) != 1:
        raise SearchNotOneCriterion
    found: Sequence[Examinee] = ()
    if by.q is not None:
        prefix = folded(by.q)
        found = await repository.by_name_prefix(uow, prefix, after, by.page_size) if prefix else ()
    elif by.id_number is not None:
        indexes = [uow.cipher.blind_index(number, ID_NUMBER) for number in spellings_sought(by.id_number)]
        found = await repository.by_id_number(uow, indexes, after, by.page_size)
    elif by.phone is not None:
        phone = normalise_phone(by.phone)
        found = (
            await repository.by_phone(uow, uow.cipher.blind_index(phone, PHONE), after, by.page_size) if phone else ()
        )
    await uow.audit(
        "examinee.searched", "examinee", "search", detail={"by": criteria[0], "found": min(len(found), by.page_size)}
    )
    return found
