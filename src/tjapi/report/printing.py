"""The printing press: one process pool for every document of a process, started at the first use."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tjapi.kernel.documents import NO_ASSETS, DocumentRenderer, RenderedDocument


class Printing:
    """Renders templates for the hospital whose name is on the letterhead."""

    def __init__(self, hospital_name: str, templates: Path, public_url: str) -> None:
        self.hospital_name = hospital_name
        self.public_url = public_url.rstrip("/")
        self._templates = templates
        self._renderer: DocumentRenderer | None = None

    async def render(
        self, template: str, data: Mapping[str, Any], assets: Mapping[str, bytes] = NO_ASSETS, *, now: datetime
    ) -> RenderedDocument:
        """Render a template with its pictures. The same data, pictures and moment give the same bytes."""
        if self._renderer is None:
            self._renderer = DocumentRenderer(self._templates)
        return await self._renderer.render(template, data, assets, now=now)

    async def close(self) -> None:
        """Stop the worker processes."""
        if self._renderer is not None:
            await self._renderer.close()
