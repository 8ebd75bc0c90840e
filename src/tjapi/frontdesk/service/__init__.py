"""The verbs of the front desk: bookings, the desk, one-time codes, and what is printed."""

from tjapi.frontdesk.service.booking import (
    book,
    book_at_desk,
    booking,
    cancel_booking,
    let_place_go,
    miss_booking,
    reinstate_booking,
    reschedule_booking,
)
from tjapi.frontdesk.service.checking import came_under_doubt, check_identity, decide_identity, identity_checks
from tjapi.frontdesk.service.codes import issue_access_code, redeem_access_code
from tjapi.frontdesk.service.desk import check_in
from tjapi.frontdesk.service.finding import look_up
from tjapi.frontdesk.service.printing import (
    MAKE,
    OpenedPrint,
    documents,
    handover_paper,
    keep_file,
    open_print,
    part_of,
    print_documents,
    prints,
    read_paper,
    to_make,
)

__all__ = [
    "MAKE",
    "OpenedPrint",
    "book",
    "book_at_desk",
    "booking",
    "came_under_doubt",
    "cancel_booking",
    "check_identity",
    "check_in",
    "decide_identity",
    "documents",
    "handover_paper",
    "identity_checks",
    "issue_access_code",
    "keep_file",
    "let_place_go",
    "look_up",
    "miss_booking",
    "open_print",
    "part_of",
    "print_documents",
    "prints",
    "read_paper",
    "redeem_access_code",
    "reinstate_booking",
    "reschedule_booking",
    "to_make",
]  # fmt: skip
