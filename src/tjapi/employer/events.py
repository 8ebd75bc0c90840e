"""Facts of campaigns: ids, no personal data."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tjapi.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOpened(Event):
    """A campaign's members may be booked from now on."""

    name: ClassVar[str] = "campaign.opened"
    campaign_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCompleted(Event):
    """Every member of a campaign has come to an end."""

    name: ClassVar[str] = "campaign.completed"
    campaign_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReopened(Event):
    """A completed campaign was opened again, for a reason."""

    name: ClassVar[str] = "campaign.reopened"
    campaign_id: UUID
