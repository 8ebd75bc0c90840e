"""Facts of the knowledge base."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSigned(Event):
    """What is in use is signed: what an unsigned edition left unfound of exams that are open may be found now."""

    name: ClassVar[str] = "knowledge.signed"
    version_id: UUID
