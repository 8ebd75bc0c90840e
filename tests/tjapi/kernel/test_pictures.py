"""Pictures from outside: what is taken, what is refused by its head, and what is left of what came with them."""

import contextlib
import io
import random
import resource
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from tests.tjapi.world import portrait
from tjapi.kernel import pictures
from tjapi.kernel.pictures import PictureRefusedError, made_anew

pytestmark = pytest.mark.requirement("E1.4")
BOTH = ("JPEG", "PNG")
ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


def fault(raw: bytes, kinds: tuple[str, ...] = BOTH) -> str:
    with pytest.raises(PictureRefusedError) as caught:
        made_anew(raw, kinds)
    return caught.value.fault


def opened(raw: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(raw))
    image.load()
    return image


def noted(**fields: Any) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = fields.get("turned", 1), "Kamera der Frau Mustermann"
    exif.get_ifd(GPS)[1] = "N"
    return portrait(exif=exif)


def png_of(width: int, height: int, *, colour: int = 2, depth: int = 8, body: bytes = b"") -> bytes:
    """A PNG whose head may say anything."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", BOTH)
def test_a_jpeg_or_png_becomes_a_jpeg_of_ours_no_larger_than_it_need_be(kind: str) -> None:
    kept = made_anew(portrait(kind, (3000, 4000)), BOTH)
    assert (kept.media_type, kept.width, kept.height) == ("image/jpeg", 960, 1280)
    again = opened(kept.content)
    assert (again.format, again.size) == ("JPEG", (960, 1280))
    small = made_anew(portrait(kind, (102, 126)), BOTH)
    assert (small.width, small.height) == (102, 126), "nothing is blown up"


def test_a_picture_is_known_by_its_content_and_by_nothing_else() -> None:
    for kind in ("GIF", "BMP", "TIFF", "WEBP"):
        assert fault(portrait(kind)) == "not_a_picture", kind
    assert fault(b"%PDF-1.4 a report that calls itself image/jpeg") == "not_a_picture"
    assert fault(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "not_a_picture"
    assert fault(b"") == "empty"
    assert made_anew(portrait("BMP"), (*BOTH, "BMP")).media_type == "image/jpeg"


def test_where_a_phone_stood_and_whose_it_was_is_gone() -> None:
    sent = noted() + b"and a document behind the picture"
    assert b"Mustermann" in sent
    kept = made_anew(sent, BOTH)
    assert b"Mustermann" not in kept.content
    assert b"document" not in kept.content
    assert dict(opened(kept.content).getexif()) == {}


@pytest.mark.parametrize(("turned", "corner"), [(1, "ul"), (3, "lr"), (6, "ur"), (8, "ll"), (2, "ur"), (5, "ul")])
def test_a_picture_taken_sideways_is_kept_upright(turned: int, corner: str) -> None:
    kept = opened(made_anew(noted(turned=turned), BOTH).content)
    right, bottom = kept.width - 5, kept.height - 5
    at = {"ul": (5, 5), "ur": (right, 5), "ll": (5, bottom), "lr": (right, bottom)}
    white = {name for name, place in at.items() if min(kept.getpixel(place)) > 240}  # type: ignore[arg-type]
    assert white == {corner}
    assert (kept.width > kept.height) == (turned in (5, 6, 7, 8))


def test_what_is_transparent_comes_out_white() -> None:
    made = io.BytesIO()
    Image.new("RGBA", (80, 80), (200, 0, 0, 0)).save(made, "PNG")
    assert min(opened(made_anew(made.getvalue(), BOTH).content).getpixel((40, 40))) > 250  # type: ignore[arg-type]


def test_the_same_picture_always_gives_the_same_bytes() -> None:
    assert made_anew(portrait(), BOTH) == made_anew(portrait(), BOTH)
    assert made_anew(portrait(seed=1), BOTH) != made_anew(portrait(seed=2), BOTH)


def test_thirty_bombs_are_refused_by_their_heads_without_memory_or_time() -> None:
    zeros = zlib.compress(bytes(50_000_000), 9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for side in range(30):
        assert fault(png_of(20_000 + side, 20_000, body=zeros)) == "too_many_pixels"
    assert fault(png_of(2**31 - 1, 2**31 - 1)) == "too_many_pixels"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 30_000, f"{grown} KB more"


def test_a_jpeg_of_a_thousand_scans_is_not_decoded() -> None:
    honest = portrait(size=(600, 800), progressive=True)
    assert made_anew(honest, BOTH).width == 600
    start = honest.rindex(b"\xff\xda")
    assert fault(honest[:-2] + honest[start:-2] * 1000 + honest[-2:]) == "damaged"


def test_faults_are_named() -> None:
    assert fault(portrait(size=(59, 400))) == "too_small"
    assert fault(png_of(5000, 4000)) == "too_many_pixels"
    assert fault(bytes(pictures.MOST_BYTES + 1)) == "too_large"
    assert fault(portrait("PNG")[:-60]) == "damaged"
    assert fault(portrait("PNG")[:200]) == "damaged"
    assert fault(png_of(100, 100, colour=0, depth=16, body=zlib.compress(bytes(20_100)))) == "damaged"
    assert {"not_a_picture", "damaged", "too_small"} <= set(pictures.FAULTS)


@pytest.mark.filterwarnings("ignore::UserWarning")  # what Pillow thinks of broken notes
def test_no_mutation_of_a_picture_is_anything_but_taken_or_refused() -> None:
    chance = random.Random(20261125)
    sources = [portrait("PNG", (64, 80)), portrait("JPEG", (64, 80)), noted(), portrait("BMP", (64, 80))]
    for _ in range(1500):
        raw = bytearray(chance.choice(sources))
        for _ in range(chance.randrange(1, 6)):
            raw[chance.randrange(len(raw)) if chance.random() < 0.5 else chance.randrange(120)] = chance.randrange(256)
        if chance.random() < 0.2:
            del raw[chance.randrange(len(raw)) :]
        with contextlib.suppress(PictureRefusedError):
            made_anew(bytes(raw), (*BOTH, "BMP"))


async def test_a_picture_is_taken_off_the_event_loop() -> None:
    assert (await pictures.take(portrait())).width == 300
