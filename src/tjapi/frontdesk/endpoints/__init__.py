"""HTTP of the front desk."""

from tjapi.frontdesk.endpoints.booking import BOOKING, PLACE, bookings
from tjapi.frontdesk.endpoints.desk import frontdesk

__all__ = ["BOOKING", "PLACE", "bookings", "frontdesk"]
