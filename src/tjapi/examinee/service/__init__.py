"""The verbs of examinees, one use case per file: meeting, reading, finding, photos, cards and numbers of other systems."""

from tjapi.examinee.models import Examinee
from tjapi.examinee.service.finding import look_up, search
from tjapi.examinee.service.identifiers import add_identifier, identifiers, remove_identifier
from tjapi.examinee.service.importing import import_people
from tjapi.examinee.service.matching import names_by_number
from tjapi.examinee.service.meeting import amend, introduce, meet, meet_many, met
from tjapi.examinee.service.photos import keep_photo, photo_files, photo_for_reading, photo_of, photos
from tjapi.examinee.service.reading import get, look_at, many, number_ends_with, shape, unmask

__all__ = [
    "Examinee", "add_identifier", "amend", "get", "identifiers", "import_people", "introduce", "keep_photo", "look_at", "look_up", "many", "meet", "meet_many", "met", "names_by_number", "number_ends_with",
    "photo_files", "photo_for_reading", "photo_of", "photos", "remove_identifier", "search", "shape", "unmask",
]  # fmt: skip
