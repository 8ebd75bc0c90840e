"""Photos on their way in: judge the bytes and keep them (no transaction) → say so (transaction)."""

import base64
import binascii
import re
from uuid import UUID

from tjapi.examinee import service
from tjapi.examinee.errors import PhotoInvalid
from tjapi.examinee.rules import PhotoFile, PhotoSource
from tjapi.examinee.schemas import IdCardPayload, PhotoOut
from tjapi.kernel import pictures
from tjapi.kernel.pictures import PictureFault, PictureRefusedError
from tjapi.kernel.problem import FieldError
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.kernel.uow import Asked

# The chip of a card holds a bitmap, and some readers hand it on as one.
_OF_A_CARD = ("JPEG", "PNG", "BMP")
_DATA_URL = re.compile(r"data:image/[a-z-]{1,20};base64,")


async def put_photo(
    held: Runtime, caller: Principal, asked: Asked, examinee_id: UUID, raw: bytes, source: PhotoSource
) -> PhotoOut:
    """Attach a photo, or replace the one there is. Raises ExamineeNotFound, PhotoInvalid."""
    async with held.units.read(caller, asked=asked) as uow:
        await service.get(uow, examinee_id)
    file = await _kept(held, raw, "", ("JPEG", "PNG"))
    async with held.units.open(caller, asked=asked) as uow:
        return await service.keep_photo(uow, examinee_id, file, source)


async def card_photo(held: Runtime, card: IdCardPayload | None, pointer: str) -> PhotoFile | None:
    """Keep the bytes of the photo that a card reader read, base64; a version is made of it when the holder is met. Raises PhotoInvalid."""
    if card is None or card.photo is None:
        return None
    try:
        raw = base64.b64decode("".join(_DATA_URL.sub("", card.photo, count=1).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PhotoInvalid(
            errors=[FieldError(pointer, "not_base64", "照片不是有效的 Base64", "the photo is not valid Base64")]
        ) from error
    return await _kept(held, raw, pointer, _OF_A_CARD)


async def _kept(held: Runtime, raw: bytes, pointer: str, kinds: tuple[str, ...]) -> PhotoFile:
    try:
        picture = await pictures.take(raw, kinds=kinds)
    except PictureRefusedError as error:
        raise _refusal(error.fault, pointer) from error
    address = await held.storage.put(picture.content)
    return PhotoFile(address, picture.media_type, picture.width, picture.height, len(picture.content))


def _refusal(fault: PictureFault, pointer: str) -> PhotoInvalid:
    return PhotoInvalid(errors=[FieldError(pointer, fault, *pictures.FAULTS[fault])])
