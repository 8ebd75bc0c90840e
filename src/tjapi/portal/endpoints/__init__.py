"""HTTP of the portal."""

from tjapi.portal.endpoints.campaign import member_links, own_campaign
from tjapi.portal.endpoints.own import portal

__all__ = ["member_links", "own_campaign", "portal"]
