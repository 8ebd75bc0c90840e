"""HTTP of guardians."""

from uuid import UUID

from tjapi.examinee import service
from tjapi.examinee.errors import ExamineeNotFound, ExamineeOfAge, GuardianInvalid, GuardianNotFound
from tjapi.examinee.schemas import ConsentIn, GuardianIn, GuardianOut, GuardiansOut, GuardianUnmaskedOut, UnmaskIn
from tjapi.kernel.routing import ReadUnit, Unit, operation, router

guardians = router("examinees")


@guardians.post(
    "/examinees/{examinee_id:uuid}/guardians",
    **operation("addExamineeGuardian", "登记监护人", "Write down who answers for a minor", permission="examinee.write", requirement=["E1.3"],
                body=True, status=201, idempotent="optional", problems=[ExamineeNotFound, ExamineeOfAge, GuardianInvalid]),
)  # fmt: skip
async def add_guardian(uow: Unit, examinee_id: UUID, body: GuardianIn) -> GuardianOut:
    return await service.add_guardian(uow, examinee_id, body)


@guardians.get(
    "/examinees/{examinee_id:uuid}/guardians",
    **operation("listExamineeGuardians", "监护人", "Who answers for a minor", permission="examinee.read", requirement=["E1.3"],
                problems=[ExamineeNotFound]),
)  # fmt: skip
async def list_guardians(uow: ReadUnit, examinee_id: UUID) -> GuardiansOut:
    return await service.guardians(uow, examinee_id)


@guardians.post(
    "/examinees/{examinee_id:uuid}/guardians/{guardian_id:uuid}:consent",
    **operation("recordGuardianConsent", "记录监护人同意", "A guardian consents to the child's data being handled", permission="examinee.write",
                requirement=["E1.3"], body=True, problems=[ExamineeNotFound, GuardianNotFound]),
)  # fmt: skip
async def record_consent(uow: Unit, examinee_id: UUID, guardian_id: UUID, body: ConsentIn) -> GuardianOut:
    return await service.consent(uow, examinee_id, guardian_id, body.form)


@guardians.post(
    "/examinees/{examinee_id:uuid}/guardians/{guardian_id:uuid}:remove",
    **operation("removeExamineeGuardian", "解除监护人(撤回同意)", "Somebody answers for a minor no longer, or takes the consent back",
                permission="examinee.write", requirement=["E1.3"], problems=[ExamineeNotFound, GuardianNotFound]),
)  # fmt: skip
async def remove_guardian(uow: Unit, examinee_id: UUID, guardian_id: UUID) -> GuardiansOut:
    return await service.end_guardian(uow, examinee_id, guardian_id)


@guardians.post(
    "/examinees/{examinee_id:uuid}/guardians/{guardian_id:uuid}:unmask",
    **operation("unmaskExamineeGuardian", "查看监护人完整电话和证件号", "See a guardian's phone and ID number in full", permission="examinee.unmask",
                requirement=["E1.3", "E9.1"], body=True, problems=[ExamineeNotFound, GuardianNotFound]),
)  # fmt: skip
async def unmask_guardian(uow: Unit, examinee_id: UUID, guardian_id: UUID, body: UnmaskIn) -> GuardianUnmaskedOut:
    return await service.unmask_guardian(uow, examinee_id, guardian_id, body.purpose)
