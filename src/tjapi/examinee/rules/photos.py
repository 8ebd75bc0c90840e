"""Photos: from where they come, and where they are kept. Pure."""

from dataclasses import dataclass
from typing import Literal

PhotoSource = Literal["id_card", "camera"]
PHOTO_SOURCES = ("id_card", "camera")


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A photo whose bytes are stored, and of which a version can be made. `size` in bytes."""

    file: str
    media_type: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """Where a version of a photo is stored: `file` is an address of kernel/storage."""

    file: str
    media_type: str
    version: int
