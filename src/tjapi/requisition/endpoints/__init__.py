"""HTTP of orders to the LIS, and of specimens."""

from tjapi.requisition.endpoints.orders import requisitions
from tjapi.requisition.endpoints.specimens import specimens

__all__ = ["requisitions", "specimens"]
