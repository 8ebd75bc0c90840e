"""What the worker does for results."""

from tjapi.catalog.events import ExternalCodeMapped
from tjapi.kernel.inbox import MessageReceived
from tjapi.kernel.jobs.spec import JobSpec
from tjapi.knowledge.events import KnowledgeSigned
from tjapi.result import flows

JOBS = [
    # No lane: the current value does not depend on the order of arrival, and the exam's lock keeps two messages of one exam apart.
    JobSpec("result.file_message", flows.file_message, on=(MessageReceived,), aside=flows.set_message_aside),
    JobSpec("result.find_signed", flows.find_signed, on=(KnowledgeSigned,)),
    JobSpec("result.replay_mapped", flows.replay_mapped, on=(ExternalCodeMapped,)),
]
