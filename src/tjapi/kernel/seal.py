"""电子章: the hospital's seal on a document, as a PAdES signature that anybody can check; and checking it.

PAdES-B-B (ETSI EN 319 142-1), with a timestamp of a TSA where one is configured (B-T). The signature certifies the document: no change
at all is allowed after it (DocMDP level 1, ISO 32000-2 §12.8.2.2). The key is read by whoever seals and by nobody else (reliability.md 24).
"""

import asyncio
import io
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, radians, sin
from pathlib import Path
from typing import Any

from asn1crypto import cms as asn1_cms
from asn1crypto import keys as asn1_keys
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.pdfgen.canvas import Canvas

from tjapi.kernel.documents.fonts import MISSING, EmbeddedFace, load_face

FIELD = "HospitalSeal"
SIDE = 108.0
"""Width and height of the visible seal, points: 38 mm, the size of an institution's round seal being 40 to 45."""
_CA, _CERTIFICATE, _KEY = "ca.pem", "seal.pem", "seal.key"
_YEARS = 10
_SEQUENCE, _SET, _TAG_0, _SHORT = 0x30, 0x31, 0xA0, 0x80
_VERSION_1 = bytes((0x02, 1, 1))
_DATA = asn1_cms.ContentType("data").dump()
_SIGNED_DATA = asn1_cms.ContentType("signed_data").dump()
_RED = (0.80, 0.10, 0.10)


class SealMissingError(Exception):
    """There is no certificate and key to seal with."""


class SealInvalidError(Exception):
    """What was sealed does not check out; it must not be handed out."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the visible seal goes: page from 1, lower left corner and size in points."""

    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class SealCheck:
    """What a check of a sealed document found; `reason` is empty where all is well."""

    valid: bool
    signer: str
    signed_at: datetime | None
    reason: str


class Seal:
    """The hospital's seal: a certificate, its key, and what is printed on it."""

    def __init__(self, folder: Path, *, rim: str, foot: str, font: Path, tsa_url: str | None = None) -> None:
        try:
            key = _pem(folder / _KEY)
            certificate, authority = _pem(folder / _CERTIFICATE), _pem(folder / _CA)
        except OSError as error:
            raise SealMissingError(str(folder)) from error
        ca = asn1_x509.Certificate.load(authority)
        registry: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register(ca)
        self._signer = signers.SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(certificate), signing_key=asn1_keys.PrivateKeyInfo.load(key), cert_registry=registry,
        )  # fmt: skip
        self._authority = authority
        self._face = folder / "face.pdf"  # what is printed; pyHanko reads it by name
        _write(self._face, round_seal(rim, foot, font))
        self._tsa = timestamps.HTTPTimeStamper(tsa_url) if tsa_url else None

    async def seal(self, pdf: bytes, anchor: Anchor, *, reason: str, location: str) -> bytes:
        """Seal a document and check it before it is returned. Raises SealInvalidError."""
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        x, y = round(anchor.x), round(anchor.y)
        box = (x, y, x + round(anchor.width), y + round(anchor.height))
        place = fields.SigFieldSpec(FIELD, on_page=anchor.page - 1, box=box)
        about = signers.PdfSignatureMetadata(
            field_name=FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES, reason=reason, location=location,
        )  # fmt: skip
        style = StaticStampStyle.from_pdf_file(str(self._face), border_width=0, background_opacity=1)
        signer = signers.PdfSigner(
            about, signer=self._signer, timestamper=self._tsa, stamp_style=style, new_field_spec=place
        )
        out = io.BytesIO()
        await signer.async_sign_pdf(writer, output=out)
        sealed = out.getvalue()
        found = await check(sealed, self._authority)
        if not found.valid:
            raise SealInvalidError(found.reason)
        return sealed


async def check(pdf: bytes, authority: bytes) -> SealCheck:
    """Check a sealed document against the authority's certificate (DER): one seal, over the whole file, unchanged since, and ours.

    A signature cannot cover its own container: the hexadecimal digits, their padding, the copies of certificates. These are held against
    what sealing writes, so that not one bit of the file may differ.
    """
    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        seals = reader.embedded_regular_signatures
        if len(seals) != 1 or len(reader.embedded_signatures) != 1:
            return SealCheck(False, "", None, f"{len(reader.embedded_signatures)} signatures, not one")
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(authority)], allow_fetching=False, other_certs=[]
        )
        status = await async_validate_pdf_signature(seals[0], signer_validation_context=context)
        untouched = _container_is_as_made(pdf, seals[0], status.signing_cert.dump(), authority)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the bytes, the answer is that the seal does not hold
        return SealCheck(False, "", None, f"cannot be read: {type(error).__name__}")
    signer = status.signing_cert.subject.native.get("common_name", "")
    wrong = [
        words
        for words, holds in (
            ("the bytes were changed", status.intact and status.valid),
            ("the certificate is not the hospital's", status.trusted),
            ("something was added after the seal", status.modification_level in (None, ModificationLevel.NONE)),
            (
                "the seal does not cover the whole file",
                status.coverage is not None and status.coverage.name == "ENTIRE_FILE",
            ),
            ("changes are allowed after the seal", bool(status.docmdp_ok)),
            ("the seal's own container was changed", untouched),
        )
        if not holds
    ]
    moment = status.signer_reported_dt
    return SealCheck(not wrong, str(signer), moment, "; ".join(wrong))


def _container_is_as_made(pdf: bytes, found: EmbeddedPdfSignature, leaf: bytes, authority: bytes) -> bool:
    """Say whether what the signature does not cover is what sealing writes.

    That is CMS SignedData (RFC 5652, 5.1) in DER around the signed parts, with these two certificates, as upper-case hexadecimal and zeros.
    """
    _, start, end, _ = (int(number) for number in found.byte_range)
    (signer,) = found.signed_data["signer_infos"]
    (digest,) = found.signed_data["digest_algorithms"]
    issued, unsigned = asn1_x509.Certificate.load(leaf), signer["unsigned_attrs"]
    if {attribute["type"].native for attribute in unsigned} - {"signature_time_stamp_token"}:
        return False
    named = _der(_SEQUENCE, issued.issuer.dump(), issued["tbs_certificate"]["serial_number"].dump())
    info = _der(
        _SEQUENCE, _VERSION_1, named, signer["digest_algorithm"].dump(), signer["signed_attrs"].dump(), signer["signature_algorithm"].dump(),
        signer["signature"].dump(), unsigned.dump() if len(unsigned) else b"",
    )  # fmt: skip
    for certificates in ((leaf, authority), (authority, leaf)):
        signed = _der(
            _SEQUENCE,
            _VERSION_1,
            _der(_SET, digest.dump()),
            _der(_SEQUENCE, _DATA),
            _der(_TAG_0, *certificates),
            _der(_SET, info),
        )
        made = _der(_SEQUENCE, _SIGNED_DATA, _der(_TAG_0, signed)).hex().upper().encode()
        if pdf[start:end] == b"<" + made.ljust(end - start - 2, b"0") + b">":
            return bool(digest.dump() == signer["digest_algorithm"].dump())
    return False


def _der(tag: int, *parts: bytes) -> bytes:
    """Wrap parts under a tag, with the length as DER writes it (X.690, 8.1.3 and 10.1)."""
    body = b"".join(parts)
    if len(body) < _SHORT:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + body


_DEMO_ROOT = "演示根证书"


def is_demo_seal(folder: Path) -> bool:
    """Say whether the seal of a folder was issued by a demo's authority: by who issued the certificate, whatever lies beside it."""
    try:
        issued_by = x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes()).issuer
    except (OSError, ValueError):
        return False
    return any(_DEMO_ROOT in str(part.value) for part in issued_by.get_attributes_for_oid(NameOID.COMMON_NAME))


def seal_expires(folder: Path) -> datetime | None:
    """Return until when the certificate of a folder's seal holds; None where there is none that can be read."""
    try:
        return x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def make_demo_seal(folder: Path, hospital: str) -> None:
    """Make an authority and a seal certificate of a demo hospital, once; the key is readable by its owner alone."""
    if (folder / _KEY).exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC)
    ca_key, ca_name = ec.generate_private_key(ec.SECP256R1()), _name(hospital, f"{hospital} {_DEMO_ROOT}")
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), ca_key, now, authority=True)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate(
        _name(hospital, f"{hospital} 体检专用章"), ca_name, key.public_key(), ca_key, now, authority=False
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / _CA, ca.public_bytes(serialization.Encoding.PEM))
    _write(folder / _CERTIFICATE, leaf.public_bytes(serialization.Encoding.PEM))
    _write(folder / _KEY, private)  # the last: whoever finds it finds the others


def authority_pem(folder: Path) -> str:
    """Return the certificate (PEM) that the seal is checked against. Raises SealMissingError."""
    try:
        return (folder / _CA).read_text(encoding="ascii")
    except OSError as error:
        raise SealMissingError(str(folder)) from error


def authority_of(folder: Path) -> bytes:
    """Return the certificate (DER) that the seal is checked against. Raises SealMissingError."""
    try:
        return _pem(folder / _CA)
    except OSError as error:
        raise SealMissingError(str(folder)) from error


def round_seal(rim: str, foot: str, font: Path) -> bytes:
    """Return a PDF of one page: the round red seal, the name round its rim, a star, and what it is for."""
    letters = EmbeddedFace(load_face(font), "S1")
    out = io.BytesIO()
    canvas: Any = Canvas(out, pagesize=(SIDE, SIDE), invariant=1)
    middle, radius = SIDE / 2, SIDE / 2 - 3
    canvas.setStrokeColorRGB(*_RED)
    canvas.setFillColorRGB(*_RED)
    canvas.setLineWidth(2.4)
    canvas.circle(middle, middle, radius)
    size = min(12.5, 200 / max(len(rim), 8))
    _around(canvas, letters, rim, (middle, middle), radius - size * 1.05 - 2, size)
    _star(canvas, middle, middle + 4, 15)
    _write_centred(canvas, letters, foot, (middle, middle - radius * 0.52), 9.5)
    canvas._doc.delayedFonts.append(letters)  # noqa: SLF001 - as in documents.pages: its own embedding takes twelve kilobytes more
    canvas.save()
    return out.getvalue()


def _around(
    canvas: Any, letters: EmbeddedFace, text: str, centre: tuple[float, float], radius: float, size: float
) -> None:
    """Set a text on the upper arc, from lower left to lower right, each character upright on its ray."""
    spread = min(250.0, 24.0 * max(len(text) - 1, 1))
    step = spread / max(len(text) - 1, 1)
    for i, character in enumerate(text):
        angle = 90 + spread / 2 - i * step
        at = centre[0] + radius * cos(radians(angle)), centre[1] + radius * sin(radians(angle))
        _write_centred(canvas, letters, character, at, size, turned=angle - 90)


def _write_centred(
    canvas: Any, letters: EmbeddedFace, text: str, at: tuple[float, float], size: float, *, turned: float = 0
) -> None:
    """Write a text with the middle of its baseline at a point, turned by degrees."""
    shown = [character if character in letters.face.characters else MISSING for character in text]
    half = size * sum(letters.face.widths[character] for character in shown) / 2
    along, across = cos(radians(turned)), sin(radians(turned))
    codes = "".join(letters[character] for character in shown)
    matrix = (
        f"{along:.4f} {across:.4f} {-across:.4f} {along:.4f} {at[0] - half * along:.2f} {at[1] - half * across:.2f}"
    )
    canvas.addLiteral(f"BT /{letters.resource} {size:.2f} Tf {matrix} Tm <{codes}> Tj ET")


def _star(canvas: Any, x: float, y: float, radius: float) -> None:
    points: Sequence[tuple[float, float]] = [
        (
            x + r * sin(radians(36 * i)), y + r * cos(radians(36 * i))
        )
        for i, r in enumerate([radius, radius * 0.382] * 5)
    ]  # fmt: skip
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    path.close()
    canvas.drawPath(path, stroke=0, fill=1)


def _name(hospital: str, common: str) -> x509.Name:
    attributes = (
        (NameOID.COUNTRY_NAME, "CN"),
        (NameOID.ORGANIZATION_NAME, hospital[:64]),
        (NameOID.COMMON_NAME, common[:64]),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, key: ec.EllipticCurvePrivateKey, now: datetime, *,
    authority: bool,
) -> x509.Certificate:  # fmt: skip
    usage = dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False)  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority, content_commitment=not authority, key_cert_sign=authority, crl_sign=authority, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )  # fmt: skip
    if not authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(key, hashes.SHA256())


def _pem(path: Path) -> bytes:
    content = path.read_bytes()
    _, _, der = asn1_pem.unarmor(content)
    return bytes(der)


def _write(path: Path, content: bytes) -> None:
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def check_now(pdf: bytes, authority: bytes) -> SealCheck:
    """Check outside of an event loop, for the command line."""
    return asyncio.run(check(pdf, authority))
