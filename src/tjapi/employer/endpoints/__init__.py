"""HTTP of employers."""

from tjapi.employer.endpoints.campaigns import campaigns, shown_member
from tjapi.employer.endpoints.employers import employers
from tjapi.employer.endpoints.imports import imports

__all__ = ["campaigns", "employers", "imports", "shown_member"]
