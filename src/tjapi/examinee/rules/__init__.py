"""What is decided about people from values alone: their documents, what card readers send, their names, and by what they are found. Pure."""

from tjapi.examinee.rules.cards import NATIONS, is_for_ever, read_date, read_nation, read_sex
from tjapi.examinee.rules.documents import (
    FAULTS,
    ID_KINDS,
    SEXES,
    Fault,
    IdKind,
    IdNumber,
    IdNumberFault,
    Sex,
    birth_date_fault,
    check_digit,
    eighteen_of_fifteen,
    full_years,
    normalise_id_number,
    parse_id_number,
    spellings_of,
    spellings_sought,
)
from tjapi.examinee.rules.duplicates import (
    CONTRADICTIONS,
    LIKELY,
    POINTS,
    Contradiction,
    Evidence,
    Likeness,
    Traits,
    contradictions,
    likeness,
)
from tjapi.examinee.rules.keys import (
    IDENTIFIER_KINDS,
    IdentifierKind,
    LookupKind,
    mask_card_no,
    normalise_card_no,
    normalise_phone,
)
from tjapi.examinee.rules.names import clean_name, folded, name_keys, readings
from tjapi.examinee.rules.photos import PHOTO_SOURCES, PhotoFile, PhotoRef, PhotoSource

__all__ = [
    "CONTRADICTIONS", "FAULTS", "IDENTIFIER_KINDS", "ID_KINDS", "LIKELY", "NATIONS", "PHOTO_SOURCES", "POINTS", "SEXES", "Contradiction", "Evidence", "Fault", "IdKind",
    "IdNumber", "IdNumberFault", "IdentifierKind", "Likeness", "LookupKind", "PhotoFile", "PhotoRef", "PhotoSource", "Sex", "Traits", "birth_date_fault", "check_digit",
    "clean_name", "contradictions", "eighteen_of_fifteen", "folded", "full_years", "is_for_ever", "likeness", "mask_card_no", "name_keys", "normalise_card_no",
    "normalise_id_number", "normalise_phone", "parse_id_number", "read_date", "read_nation", "read_sex", "readings", "spellings_of", "spellings_sought",
]  # fmt: skip
