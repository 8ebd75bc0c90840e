"""HTTP of employers."""

from tjapi.employer.endpoints.campaigns import campaigns
from tjapi.employer.endpoints.employers import employers

__all__ = ["campaigns", "employers"]
