"""The verbs of the portal: the examinee's own in one file, the campaign member's in the other."""

from tjapi.portal.service.access import (
    authenticate,
    book,
    cancel,
    end_sessions,
    issue_token,
    me,
    my_appointments,
    reschedule,
)
from tjapi.portal.service.campaign import (
    book_place,
    cancel_place,
    choose,
    end_link,
    free_places,
    issue_member_token,
    links_page,
    make_links,
    move_place,
    offer,
    price,
)

__all__ = [
    "authenticate", "book", "book_place", "cancel", "cancel_place", "choose", "end_link", "end_sessions", "free_places", "issue_member_token",
    "issue_token", "links_page", "make_links", "me", "move_place", "my_appointments", "offer", "price", "reschedule",
]  # fmt: skip
