"""HTTP of examinees."""

from tjapi.examinee.endpoints.duplicates import duplicates
from tjapi.examinee.endpoints.guardians import guardians
from tjapi.examinee.endpoints.people import examinees

__all__ = ["duplicates", "examinees", "guardians"]
