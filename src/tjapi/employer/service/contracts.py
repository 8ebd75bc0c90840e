"""What a campus and an employer agreed upon."""

from collections.abc import Sequence
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.errors import ContractInvalid, ContractNotFound
from tjapi.employer.models import Contract
from tjapi.employer.schemas import ContractIn
from tjapi.employer.service.employers import employer
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, naming
from tjapi.kernel.uow import UnitOfWork


async def create_contract(uow: UnitOfWork, new: ContractIn) -> Contract:
    """Enter a contract. Raises CampusNotHeld, EmployerNotFound, ContractInvalid."""
    identity.refuse_foreign_campus(uow, new.campus_id)
    with naming("/employer_id"):
        await employer(uow, new.employer_id)
    errors = []
    if new.valid_to < new.valid_from:
        errors.append(FieldError("/valid_to", "before-valid-from", "早于有效期起", "before the first day"))
    if await repository.contract_numbered(uow, new.campus_id, new.contract_no) is not None:
        errors.append(FieldError("/contract_no", "taken", "合同号已被使用", "the number is taken"))
    if errors:
        raise ContractInvalid(errors=errors)
    made = Contract(id=uuid7(), **new.model_dump(), created_at=uow.now)
    uow.session.add(made)
    await uow.audit("contract.created", "contract", made.id, campus_id=made.campus_id)
    return made


async def contract(uow: UnitOfWork, contract_id: UUID) -> Contract:
    """Return a contract. Raises ContractNotFound."""
    found = await repository.contract(uow, contract_id)
    if found is None:
        raise ContractNotFound
    return found


async def contracts_page(
    uow: UnitOfWork, *, employer_id: UUID | None, after: Sequence[str] | None, size: int
) -> Sequence[Contract]:
    """Return a page of contracts, the latest first, one too many."""
    return await repository.contracts_page(uow, employer_id=employer_id, after=after, size=size)
