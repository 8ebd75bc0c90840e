"""HTTP of the front desk."""

from tjapi.frontdesk.endpoints.booking import BOOKING, PLACE, bookings
from tjapi.frontdesk.endpoints.checking import checking
from tjapi.frontdesk.endpoints.desk import frontdesk
from tjapi.frontdesk.endpoints.finding import finding
from tjapi.frontdesk.endpoints.merging import merging

__all__ = ["BOOKING", "PLACE", "bookings", "checking", "finding", "frontdesk", "merging"]
