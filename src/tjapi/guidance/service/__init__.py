"""The verbs of guidance: rooms and queues, and the guide sheet's way back."""

from tjapi.guidance.service.queueing import call_next, follow_lines, guide, leave, queue, step_ticket
from tjapi.guidance.service.returning import forget, give_back, look, policies, put_policy, return_sheet
from tjapi.guidance.service.rooms import create_room, put_order, rooms, show_order, update_room

__all__ = [
    "call_next",
    "create_room",
    "follow_lines",
    "forget",
    "give_back",
    "guide",
    "leave",
    "look",
    "policies",
    "put_order",
    "put_policy",
    "queue",
    "return_sheet",
    "rooms",
    "show_order",
    "step_ticket",
    "update_room",
]
