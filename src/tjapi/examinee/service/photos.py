"""Photos: every version is kept; the last one is the face that paper and screens show."""

from collections.abc import Collection
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import PhotoNotFound
from tjapi.examinee.models import ExamineePhoto
from tjapi.examinee.rules import PhotoFile, PhotoRef, PhotoSource
from tjapi.examinee.schemas import PhotoOut, PhotosOut
from tjapi.examinee.service.reading import get, locked
from tjapi.kernel.uow import UnitOfWork


async def keep_photo(uow: UnitOfWork, examinee_id: UUID, file: PhotoFile, source: PhotoSource) -> PhotoOut:
    """Add a version whose bytes are stored already. Raises ExamineeNotFound.

    What came last from the same source and is the same picture makes no new version: a card is read at every visit, and must not
    push aside the photo that the camera took since.
    """
    examinee_id = (await locked(uow, examinee_id)).id
    last = await repository.photo(uow, examinee_id, source=source)
    if last is not None and last.file == file.file:
        return _out(last)
    photo = ExamineePhoto(
        examinee_id=examinee_id, version=await repository.next_photo_version(uow, examinee_id), file=file.file, media_type=file.media_type,
        width=file.width, height=file.height, size=file.size, source=source, taken_by=uow.principal.id,
        taken_by_name=uow.principal.name, taken_at=uow.now,
    )  # fmt: skip
    uow.session.add(photo)
    await uow.audit("examinee.photo_kept", "examinee", examinee_id, detail={"version": photo.version, "source": source})
    return _out(photo)


async def photo_of(uow: UnitOfWork, examinee_id: UUID) -> PhotoRef | None:
    """Return where the current photo is, for a paper or a report; None when there is none, or it may not be seen.

    Whoever shows it to somebody leaves the audit row.
    """
    photo = await repository.photo(uow, examinee_id)
    return None if photo is None else PhotoRef(photo.file, photo.media_type, photo.version)


async def photo_files(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return where the current photo of each of many people is; whoever shows them leaves the audit row."""
    return await repository.photo_files(uow, ids)


async def photo_for_reading(uow: UnitOfWork, examinee_id: UUID, version: int | None = None) -> PhotoRef:
    """Return a version, the current one unless said, whose bytes somebody is about to see; it is audited. Raises ExamineeNotFound, PhotoNotFound."""
    examinee_id = (await get(uow, examinee_id)).id
    photo = await repository.photo(uow, examinee_id, version=version)
    if photo is None:
        raise PhotoNotFound
    await uow.audit("examinee.photo_seen", "examinee", examinee_id, detail={"version": photo.version})
    return PhotoRef(photo.file, photo.media_type, photo.version)


async def photos(uow: UnitOfWork, examinee_id: UUID) -> PhotosOut:
    """Return the versions, newest first: who, when, from where. Raises ExamineeNotFound."""
    examinee_id = (await get(uow, examinee_id)).id
    await uow.audit("examinee.photos_listed", "examinee", examinee_id)
    return PhotosOut(items=[_out(photo) for photo in await repository.photos(uow, examinee_id)])


def _out(photo: ExamineePhoto) -> PhotoOut:
    return PhotoOut.model_validate(photo, from_attributes=True)
