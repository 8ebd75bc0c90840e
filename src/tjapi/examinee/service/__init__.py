"""The verbs of examinees, one use case per file: meeting, reading, finding, photos."""

from tjapi.examinee.models import Examinee
from tjapi.examinee.service.finding import search
from tjapi.examinee.service.meeting import amend, introduce, meet
from tjapi.examinee.service.photos import keep_photo, photo_for_reading, photo_of, photos
from tjapi.examinee.service.reading import get, look_at, many, number_ends_with, shape, unmask

__all__ = [
    "Examinee", "amend", "get", "introduce", "keep_photo", "look_at", "many", "meet", "number_ends_with", "photo_for_reading", "photo_of", "photos", "search",
    "shape", "unmask",
]  # fmt: skip
