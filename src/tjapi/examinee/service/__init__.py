"""The verbs of examinees, one use case per file: meeting, reading, finding, photos, cards and numbers of other systems, and who was entered twice."""

from tjapi.examinee.models import Examinee
from tjapi.examinee.service.duplicates import distinctions, distinguish, duplicates, withdraw_distinction
from tjapi.examinee.service.finding import holders, look_up, search
from tjapi.examinee.service.guardians import (
    add_guardian,
    consent,
    end_guardian,
    guardians,
    refuse_unconsented,
    signed_as,
    unmask_guardian,
)
from tjapi.examinee.service.identifiers import add_identifier, identifiers, remove_identifier
from tjapi.examinee.service.importing import import_people
from tjapi.examinee.service.matching import names_by_number
from tjapi.examinee.service.meeting import amend, introduce, meet, meet_many, met
from tjapi.examinee.service.merging import follow, followed, is_called_otherwise, merge, merges, undo_merge
from tjapi.examinee.service.photos import keep_photo, photo_files, photo_for_reading, photo_of, photos
from tjapi.examinee.service.reading import (
    get,
    has_number,
    kept,
    look_at,
    many,
    number_ends_with,
    numbers_shown,
    shape,
    survivor_id,
    unmask,
)

__all__ = [
    "Examinee",
    "add_guardian",
    "add_identifier",
    "amend",
    "consent",
    "distinctions",
    "distinguish",
    "duplicates",
    "end_guardian",
    "follow",
    "followed",
    "get",
    "guardians",
    "has_number",
    "holders",
    "identifiers",
    "import_people",
    "introduce",
    "is_called_otherwise",
    "keep_photo",
    "kept",
    "look_at",
    "look_up",
    "many",
    "meet",
    "meet_many",
    "merge",
    "merges",
    "met",
    "names_by_number",
    "number_ends_with",
    "numbers_shown",
    "photo_files",
    "photo_for_reading",
    "photo_of",
    "photos",
    "refuse_unconsented",
    "remove_identifier",
    "search",
    "shape",
    "signed_as",
    "survivor_id",
    "undo_merge",
    "unmask",
    "unmask_guardian",
    "withdraw_distinction",
]  # fmt: skip
