"""The verbs of the front desk: bookings in one file, the desk and its papers in the other."""

from tjapi.frontdesk.service.booking import (
    book,
    booking,
    cancel_booking,
    let_place_go,
    miss_booking,
    reinstate_booking,
    reschedule_booking,
)
from tjapi.frontdesk.service.desk import (
    OpenedPrint,
    check_in,
    documents,
    handover_paper,
    issue_access_code,
    open_print,
    print_documents,
    prints,
    read_paper,
    redeem_access_code,
)

__all__ = [
    "OpenedPrint", "book", "booking", "cancel_booking", "check_in", "documents", "handover_paper", "issue_access_code", "let_place_go", "miss_booking",
    "open_print", "print_documents", "prints", "read_paper", "redeem_access_code", "reinstate_booking", "reschedule_booking",
]  # fmt: skip
