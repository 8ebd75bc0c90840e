"""Minors and who answers for them. Pure.

A minor is below 18 (Civil Code, art. 17). Of a child below 14 personal data are handled by consent of a parent or another guardian
(Personal Information Protection Law, art. 31): it is kept before the child is examined.
"""

from datetime import date
from typing import Literal

from tjapi.examinee.rules.documents import full_years

GuardianRelation = Literal["father", "mother", "grandparent", "other"]
ConsentForm = Literal["signed_paper", "in_person", "electronic"]
RELATIONS: tuple[GuardianRelation, ...] = ("father", "mother", "grandparent", "other")
CONSENT_FORMS: tuple[ConsentForm, ...] = ("signed_paper", "in_person", "electronic")
OF_AGE = 18
_OF_CONSENT = 14


def is_minor(birth: date, day: date) -> bool:
    """Say whether somebody has not completed 18 years on a day."""
    return full_years(birth, day) < OF_AGE


def needs_consent(birth: date, day: date) -> bool:
    """Say whether a guardian has to consent on a day: below 14."""
    return full_years(birth, day) < _OF_CONSENT


def born_after(day: date) -> date:
    """Return the day after which whoever was born is a minor on a day; who was born on the 29th of February completes a year on the 1st of March."""
    try:
        return day.replace(year=day.year - OF_AGE)
    except ValueError:
        return day.replace(year=day.year - OF_AGE, day=28)
