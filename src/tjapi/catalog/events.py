"""Facts of the catalog."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCodeMapped(Event):
    """Another system's code now leads to an item: what could not be matched may be matched again."""

    name: ClassVar[str] = "external_code.mapped"
    system: str
    code: str
    item_id: UUID
