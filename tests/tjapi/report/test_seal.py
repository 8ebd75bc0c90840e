"""The seal holds against every change: single bits, and everything that a PDF lets somebody add, exchange or hide after the fact."""

import datetime as dt
import io
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic as pdf_objects
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields
from pyhanko.sign.signers import cms_embedder
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from tests.tjapi.report.specimens import NOW, critical
from tjapi.kernel.documents import render
from tjapi.kernel.seal import Anchor, Seal, SealMissingError, authority_of, check, make_demo_seal

pytestmark = pytest.mark.requirement("E6.1")
TEMPLATES = Path(__file__).parents[3] / "report_templates"
FONT = TEMPLATES / "_shared" / "fonts" / "NotoSansSC-Bold.ttf"
HOSPITAL = "桂澄中医医院(演示)"
generic: Any = pdf_objects  # not typed by its makers
Writer = Any
SEED = int(os.environ.get("TJ_TEST_SEED", "20261125"))


@dataclass(frozen=True)
class Sealed:
    """A sealed report, what it was before, the authority of its seal, and a stranger's seal of the same name."""

    pdf: bytes
    rendered: bytes
    anchor: Anchor
    authority: bytes
    folder: Path
    stranger: Path


def _seal(folder: Path) -> Seal:
    return Seal(folder, rim=HOSPITAL, foot="体检专用章", font=FONT)


@pytest.fixture(scope="module")
async def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    folder, stranger = tmp_path_factory.mktemp("seal"), tmp_path_factory.mktemp("stranger")
    for place in (folder, stranger):
        make_demo_seal(place, HOSPITAL)
    document = render("exam_report", critical().data(), now=NOW, templates=TEMPLATES)
    assert document.seal_place is not None
    anchor = Anchor(*document.seal_place)
    pdf = await _seal(folder).seal(document.pdf, anchor, reason="健康体检报告", location=HOSPITAL)
    return Sealed(pdf, document.pdf, anchor, authority_of(folder), folder, stranger)


async def test_the_sealed_document_is_the_rendered_one_and_its_seal(sealed: Sealed) -> None:
    assert sealed.pdf.startswith(sealed.rendered)
    found = await check(sealed.pdf, sealed.authority)
    assert (found.valid, found.reason, found.signer) == (True, "", f"{HOSPITAL} 体检专用章")


async def _undetected(sealed: Sealed, flips: int) -> list[int]:
    dice = random.Random(SEED)
    start = sealed.pdf.rindex(b"/Contents <") * 8
    end = sealed.pdf.index(b">", start // 8) * 8
    # every other one into the seal's own container, which no signature covers
    places = [dice.randrange(start, end) if n % 2 else dice.randrange(len(sealed.pdf) * 8) for n in range(flips)]
    missed = []
    for place in places:
        changed = bytearray(sealed.pdf)
        changed[place // 8] ^= 1 << place % 8
        if (await check(bytes(changed), sealed.authority)).valid:
            missed.append(place)
    return missed


@pytest.mark.filterwarnings("ignore")
async def test_a_flipped_bit_is_detected_wherever_it_is(sealed: Sealed) -> None:
    print(f"seed {SEED}")
    assert await _undetected(sealed, 60) == []


@pytest.mark.torture
@pytest.mark.filterwarnings("ignore")
async def test_a_thousand_flipped_bits_are_detected(sealed: Sealed) -> None:
    print(f"seed {SEED}")
    assert await _undetected(sealed, 1000) == []


# -- what a PDF lets somebody do afterwards ---------------------------------------------------------------------------


def _update(pdf: bytes, change: Callable[[Writer], None]) -> bytes:
    """Write an incremental update, as any PDF editor would."""
    writer: Writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _page(writer: Writer, number: int = 1) -> Any:
    return writer.find_page_for_modification(number)[0].get_object()


def _text(writer: Writer, words: bytes) -> Any:
    return writer.add_object(generic.StreamObject(stream_data=b"BT /T1 14 Tf 100 400 Td (" + words + b") Tj ET"))


def _annotation(writer: Writer) -> None:
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"), pdf_name("/Subtype"): pdf_name("/FreeText"), pdf_name("/Contents"): pdf_string("正常"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (90, 400, 300, 430))), pdf_name("/DA"): pdf_string("/Helv 12 Tf"),
        }
    )  # fmt: skip
    page = _page(writer)
    page[pdf_name("/Annots")] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page)


def _stamp(writer: Writer) -> None:
    """An annotation over the seal, on the very page and place."""
    page = _page(writer, 3)
    annotations = page["/Annots"]
    annotations.append(writer.add_object(generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Annot"), pdf_name("/Subtype"): pdf_name("/Stamp"), pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (400, 590, 520, 710)))})))  # fmt: skip
    page[pdf_name("/Annots")] = annotations
    writer.update_container(page)


def _replaced_content(writer: Writer) -> None:
    page = _page(writer)
    page[pdf_name("/Contents")] = _text(writer, b"normal")
    writer.update_container(page)


def _added_content(writer: Writer) -> None:
    page = _page(writer)
    page[pdf_name("/Contents")] = generic.ArrayObject([page.raw_get("/Contents"), _text(writer, b"K 4.1")])
    writer.update_container(page)


def _edited_stream(writer: Writer) -> None:
    """The same object number, other operators."""
    content = _page(writer).raw_get("/Contents")
    stream = writer.get_object(content.reference)
    stream._data, stream._encoded_data = stream.data.replace(b" Tj", b" Tj ", 1), None
    writer.mark_update(content.reference)


def _added_page(writer: Writer) -> None:
    tree = writer.root["/Pages"]
    page = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Page"), pdf_name("/Parent"): writer.root.raw_get("/Pages"),
            pdf_name("/MediaBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842))), pdf_name("/Contents"): _text(writer, b"more"),
        }
    )  # fmt: skip
    tree["/Kids"].append(writer.add_object(page))
    tree[pdf_name("/Count")] = generic.NumberObject(int(tree["/Count"]) + 1)
    writer.update_container(tree)
    writer.update_container(tree["/Kids"])


def _removed_page(writer: Writer) -> None:
    tree = writer.root["/Pages"]
    del tree["/Kids"][1]
    tree[pdf_name("/Count")] = generic.NumberObject(int(tree["/Count"]) - 1)
    writer.update_container(tree)
    writer.update_container(tree["/Kids"])


def _other_tree(writer: Writer) -> None:
    """Shadow attack, hide-and-replace: the catalogue points to pages prepared elsewhere."""
    page = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Page"), pdf_name("/MediaBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))})  # fmt: skip
    tree = generic.DictionaryObject({pdf_name("/Type"): pdf_name("/Pages"), pdf_name("/Count"): generic.NumberObject(1)})  # fmt: skip
    place = writer.add_object(tree)
    page[pdf_name("/Parent")] = place
    tree[pdf_name("/Kids")] = generic.ArrayObject([writer.add_object(page)])
    writer.root[pdf_name("/Pages")] = place
    writer.update_root()


def _form_field(writer: Writer) -> None:
    field = generic.DictionaryObject({pdf_name("/FT"): pdf_name("/Tx"), pdf_name("/T"): pdf_string("K"), pdf_name("/V"): pdf_string("4.1")})  # fmt: skip
    form = writer.root["/AcroForm"]
    form["/Fields"].append(writer.add_object(field))
    writer.update_container(form)
    writer.update_container(form["/Fields"])


def _hidden_seal(writer: Writer) -> None:
    """Shadow attack, hide: the seal's appearance becomes empty."""
    field = writer.root["/AcroForm"]["/Fields"][0].get_object()
    field[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(generic.StreamObject(stream_data=b""))})  # fmt: skip
    writer.update_container(field)


def _other_font(writer: Writer) -> None:
    """Shadow attack, replace: the digits of a font are exchanged, the text stays."""
    fonts = _page(writer)["/Resources"]["/Font"]
    first, second = sorted(fonts)[:2]
    fonts[pdf_name(first)], fonts[pdf_name(second)] = fonts.raw_get(second), fonts.raw_get(first)
    writer.update_container(fonts)


def _no_docmdp(writer: Writer) -> None:
    del writer.root["/Perms"]
    writer.update_root()


def _script(writer: Writer) -> None:
    writer.root[pdf_name("/OpenAction")] = generic.DictionaryObject({pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): pdf_string("this.print()")})  # fmt: skip
    writer.update_root()


def _title(writer: Writer) -> None:
    writer.set_info(generic.DictionaryObject({pdf_name("/Title"): pdf_string("另一份报告")}))


def _nothing(writer: Writer) -> None:
    writer.update_root()


def _byte_range(pdf: bytes, change: Callable[[list[int]], list[int]]) -> bytes:
    found = list(re.finditer(rb"/ByteRange \[([0-9 ]+)\] *", pdf))[-1]
    numbers = change([int(n) for n in found[1].split()])
    written = b"/ByteRange [" + b" ".join(b"%d" % n for n in numbers) + b"]"
    return pdf[: found.start()] + written.ljust(len(found[0])) + pdf[found.end() :]


def _gap(pdf: bytes) -> tuple[int, int]:
    start = pdf.rindex(b"/Contents <") + len(b"/Contents ")
    return start, pdf.index(b">", start) + 1


def _padding(pdf: bytes) -> bytes:
    _, end = _gap(pdf)
    return pdf[: end - 9] + b"DEADBEEF" + pdf[end - 1 :]


def _case(pdf: bytes) -> bytes:
    start, end = _gap(pdf)
    return pdf[:start] + pdf[start:end].lower() + pdf[end:]


def _wrapped(pdf: bytes) -> bytes:
    """Signature wrapping: the signed tail moves to the end, and what the reader follows stands in the gap that this leaves."""
    _, end = _gap(pdf)
    tail = pdf[end:]
    forged = pdf[:end] + tail.replace(b"%%EOF", b"%%EOF\n") + b"\n%forged\n"
    return _byte_range(forged, lambda r: [r[0], r[1], len(forged), r[3]]) + tail


UPDATES: dict[str, Callable[[Writer], None]] = {
    "an added annotation": _annotation, "a stamp over the seal": _stamp, "replaced page content": _replaced_content,
    "added page content": _added_content, "an edited content stream": _edited_stream, "an added page": _added_page, "a removed page": _removed_page,
    "another page tree": _other_tree, "a form field": _form_field, "the seal made invisible": _hidden_seal, "an exchanged font": _other_font,
    "the certification taken away": _no_docmdp, "a script": _script, "another title": _title, "an empty update": _nothing,
}  # fmt: skip
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "a trailing line end": lambda pdf: pdf + b"\n", "trailing zeros": lambda pdf: pdf + bytes(64),
    "a trailing comment": lambda pdf: pdf + b"% approved\n", "leading bytes": lambda pdf: b"%PDF-1.7\n" + pdf,
    "another padding": _padding, "the hexadecimal in lower case": _case, "a shorter byte range": lambda pdf: _byte_range(pdf, lambda r: [*r[:3], r[3] - 20]),
    "a wider gap": lambda pdf: _byte_range(pdf, lambda r: [r[0], r[1] - 8, r[2], r[3]]), "a byte range of nothing": lambda pdf: _byte_range(pdf, lambda _: [0, 0, 0, 0]),
    "a wrapped signature": _wrapped, "a cut end": lambda pdf: pdf[:-30],
}  # fmt: skip


@pytest.mark.parametrize("attack", [*UPDATES, *BYTES])
@pytest.mark.filterwarnings("ignore")
async def test_what_is_done_to_a_sealed_report_afterwards_is_detected(sealed: Sealed, attack: str) -> None:
    changed = _update(sealed.pdf, UPDATES[attack]) if attack in UPDATES else BYTES[attack](sealed.pdf)
    assert changed != sealed.pdf
    found = await check(changed, sealed.authority)
    assert not found.valid
    assert found.reason


async def _signed_again(pdf: bytes, folder: Path) -> bytes:
    """Sign once more by hand: pyHanko's own signer refuses, as the first signature forbids it; an attacker's would not."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    steps = cms_embedder.PdfCMSEmbedder(fields.SigFieldSpec("Second")).write_cms("Second", writer)
    next(steps)
    held = SignatureObject(bytes_reserved=16384, subfilter=fields.SigSeedSubFilter.PADES)
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=held))
    digest, out = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256", in_place=False))
    signer = _seal(folder)._signer
    steps.send(await signer.async_sign(digest.document_digest, "sha256", use_pades=True))
    return bytes(out.getvalue())


async def test_a_second_signature_is_detected_even_the_hospitals_own(sealed: Sealed) -> None:
    for folder in (sealed.folder, sealed.stranger):
        twice = await _signed_again(sealed.pdf, folder)
        assert len(PdfFileReader(io.BytesIO(twice)).embedded_regular_signatures) == 2
        found = await check(twice, sealed.authority)
        assert (found.valid, found.reason) == (False, "2 signatures, not one")


async def test_a_seal_of_the_same_name_by_another_authority_is_detected(sealed: Sealed) -> None:
    forged = await _seal(sealed.stranger).seal(sealed.rendered, sealed.anchor, reason="健康体检报告", location=HOSPITAL)
    assert (await check(forged, authority_of(sealed.stranger))).valid
    found = await check(forged, sealed.authority)
    assert (found.valid, found.signer) == (False, f"{HOSPITAL} 体检专用章")
    assert "not the hospital's" in found.reason


async def test_a_document_without_a_seal_is_none(sealed: Sealed) -> None:
    assert not (await check(sealed.rendered, sealed.authority)).valid
    assert not (await check(b"%PDF-1.4", sealed.authority)).valid


def test_without_a_key_there_is_no_seal(tmp_path: Path) -> None:
    make_demo_seal(tmp_path, HOSPITAL)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == dict.fromkeys(("ca.pem", "seal.key", "seal.pem"), 0o600)  # fmt: skip
    (tmp_path / "seal.key").unlink()
    with pytest.raises(SealMissingError):
        _seal(tmp_path)


def test_poppler_says_that_the_signature_is_valid_and_covers_everything(sealed: Sealed, tmp_path: Path) -> None:
    pdfsig = shutil.which("pdfsig")
    if pdfsig is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have pdfsig: `make pdfsig` installs it")
        pytest.skip("no pdfsig: `make pdfsig` installs poppler-utils")
    (tmp_path / "sealed.pdf").write_bytes(sealed.pdf)
    (tmp_path / "changed.pdf").write_bytes(sealed.pdf.replace(b"/Creator (tjapi)", b"/Creator (tjapx)"))
    (tmp_path / "longer.pdf").write_bytes(_update(sealed.pdf, _annotation))
    said = {
        name: subprocess.run([pdfsig, "-nocert", tmp_path / f"{name}.pdf"], capture_output=True, text=True, check=False).stdout
        for name in ("sealed", "changed", "longer")
    }  # fmt: skip
    assert "Signature is Valid." in said["sealed"]
    assert "Total document signed" in said["sealed"]
    assert "ETSI.CAdES.detached" in said["sealed"]
    assert "Signature is Valid." not in said["changed"]
    assert "Total document signed" not in said["longer"]


def test_the_signature_names_its_reason_and_a_time_of_its_own(sealed: Sealed) -> None:
    (seal,) = PdfFileReader(io.BytesIO(sealed.pdf)).embedded_regular_signatures
    assert seal.sig_object["/Reason"] == "健康体检报告"
    assert seal.self_reported_timestamp is not None
    assert seal.self_reported_timestamp > dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
