"""What else finds a person: phones, and the cards and numbers of other systems. Pure."""

import re
import unicodedata
from typing import Literal

IdentifierKind = Literal["exam_card", "visit_card", "his_patient"]
IDENTIFIER_KINDS = ("exam_card", "visit_card", "his_patient")
LookupKind = Literal["any", "name", "id_number", "exam_no", "phone", "card_no", "barcode"]
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_MOBILE = 11
# A magnetic stripe sends its sentinels along: ;6217…? or %B6217…^…?
_SENTINELS = re.compile(r"^[;%]|[?]$")
_CARD = re.compile(r"[A-Z0-9]{2,40}")


def normalise_phone(raw: str) -> str | None:
    """Return a phone number as digits, without the country code of China; None when it is none."""
    if len(raw) == _MOBILE and raw.isascii() and raw.isdecimal():  # as nearly every list has it
        return raw
    number = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", raw))
    number = re.sub(r"^(\+86|0086)(?=1[0-9]{10}$)", "", number)
    return number if _PHONE.fullmatch(number) else None


def normalise_card_no(raw: str) -> str | None:
    """Return the number of a card in its one spelling: half-width capitals and digits; None when it is none."""
    number = _SENTINELS.sub("", re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", raw)).upper())
    return number if _CARD.fullmatch(number) else None


def mask_card_no(number: str) -> str:
    """Return the number of a card as it is shown: its last four characters, of a short one its last two."""
    shown = 4 if len(number) > 8 else 2  # noqa: PLR2004
    return "*" * (len(number) - shown) + number[-shown:]
