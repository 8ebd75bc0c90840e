"""Pictures from outside: judged by their content, bounded before they are decoded, and made anew.

What is kept is a JPEG of ours, never the bytes that came: upright, at most 960 × 1280, without EXIF (a phone writes the place where it
stood), colour profile, thumbnail or whatever else travels behind an image. The same picture always gives the same bytes, so it has one
address in the storage. One thread decodes, one picture after the other: memory is bounded, and the event loop never waits.
"""

import asyncio
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from PIL import Image

PictureFault = Literal["empty", "too_large", "not_a_picture", "too_many_pixels", "too_small", "damaged"]
FAULTS: dict[PictureFault, tuple[str, str]] = {
    "empty": ("没有图片内容", "there is no picture"),
    "too_large": ("图片文件超过 8 MB", "the picture is over 8 MB"),
    "not_a_picture": ("不是可接受的图片格式(JPEG 或 PNG)", "not a picture of a kind that is taken (JPEG or PNG)"),
    "too_many_pixels": ("图片超过 1600 万像素", "the picture has more than 16 million pixels"),
    "too_small": ("图片宽或高不足 60 像素", "the picture is less than 60 pixels wide or high"),
    "damaged": ("图片已损坏,无法读取", "the picture is damaged and cannot be read"),
}
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 16_000_000
LEAST_SIDE = 60
WIDEST, HIGHEST = 960, 1280
_QUALITY = 88
# A progressive JPEG decodes the whole picture once per scan: cameras write about ten, an attacker writes thousands.
_MOST_SCANS = 64
_SCAN = b"\xff\xda"
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,), 3: (Image.Transpose.ROTATE_180,), 4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,), 6: (Image.Transpose.ROTATE_270,), 7: (Image.Transpose.TRANSVERSE,), 8: (Image.Transpose.ROTATE_90,),
}  # fmt: skip
# 16-bit and floating-point kinds are measurements, not photographs: brought down to 8 bits they would come out black or white.
_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr"})
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, KeyError, TypeError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
_desk = ThreadPoolExecutor(1, thread_name_prefix="pictures")


class PictureRefusedError(ValueError):
    """Why bytes are not a picture that is taken."""

    def __init__(self, fault: PictureFault) -> None:
        super().__init__(fault)
        self.fault: PictureFault = fault


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept."""

    content: bytes
    media_type: str
    width: int
    height: int


async def take(raw: bytes, *, kinds: tuple[str, ...] = ("JPEG", "PNG")) -> Picture:
    """Judge bytes and make the picture that is kept, off the event loop. Raises PictureRefusedError."""
    return await asyncio.get_running_loop().run_in_executor(_desk, made_anew, raw, kinds)


def made_anew(raw: bytes, kinds: tuple[str, ...]) -> Picture:
    """Return the picture that bytes hold, bounded and stripped. `kinds` are Pillow's formats. Raises PictureRefusedError."""
    if not raw:
        raise PictureRefusedError("empty")
    if len(raw) > MOST_BYTES:
        raise PictureRefusedError("too_large")
    try:
        image = Image.open(io.BytesIO(raw), formats=kinds)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefusedError("too_many_pixels") from error
    except _BROKEN as error:
        raise PictureRefusedError("not_a_picture") from error
    with image:
        _refuse_by_head(image, raw)
        try:
            upright = _bounded(image)
        except _BROKEN as error:
            raise PictureRefusedError("damaged") from error
    kept = io.BytesIO()
    upright.save(kept, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(kept.getvalue(), "image/jpeg", *upright.size)


def _refuse_by_head(image: Image.Image, raw: bytes) -> None:
    """Refuse by what the head says, before a single pixel is decoded."""
    if image.width * image.height > MOST_PIXELS:
        raise PictureRefusedError("too_many_pixels")
    if min(image.size) < LEAST_SIDE:
        raise PictureRefusedError("too_small")
    if image.mode not in _MODES or (image.format == "JPEG" and raw.count(_SCAN) > _MOST_SCANS):
        raise PictureRefusedError("damaged")


def _bounded(image: Image.Image) -> Image.Image:
    turns = _UPRIGHT.get(_orientation(image), ())
    # A JPEG is decoded no larger than it is needed.
    image.draft("RGB" if image.mode in ("RGB", "YCbCr", "CMYK") else None, (WIDEST, HIGHEST))
    image.load()
    flat = _on_white(image)
    for turn in turns:
        flat = flat.transpose(turn)
    flat.thumbnail((WIDEST, HIGHEST))
    return flat


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:  # a picture is no worse for its broken notes
        return 1


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "CMYK", "YCbCr") and "transparency" not in image.info:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    paper = Image.new("RGB", clear.size, "white")
    paper.paste(clear, mask=clear.getchannel("A"))
    return paper
