"""The printing press: one pool of processes for every document of a process, started at the first use."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tjapi.kernel.documents import NO_ASSETS, DocumentRenderer, RenderedDocument, RenderedLabels, Sheet
from tjapi.kernel.documents.coverage import coverage


class Printing:
    """Renders templates for the hospital whose name is on the letterhead."""

    def __init__(self, hospital_name: str, templates: Path, public_url: str) -> None:
        self.hospital_name = hospital_name
        self.public_url = public_url.rstrip("/")
        self._templates = templates
        self._renderer: DocumentRenderer | None = None

    def unprintable(self, text: str) -> list[str]:
        """Return the characters of a text that no font has, and that paper would show as 〓: the desk is told before anything is printed."""
        return coverage(self._templates).missing(text)

    async def render(
        self, template: str, data: Mapping[str, Any], assets: Mapping[str, bytes] = NO_ASSETS, *, now: datetime
    ) -> RenderedDocument:
        """Render a template with its pictures. The same data, pictures and moment give the same bytes."""
        return await self._press().render(template, data, assets, now=now)

    async def render_set(self, sheets: Sequence[Sheet], *, now: datetime, timeout: float) -> RenderedDocument:  # noqa: ASYNC109
        """Render several documents into one file, within so many seconds."""
        return await self._press().render_set(sheets, now=now, timeout=timeout)

    async def render_labels(self, sheets: Sequence[Sheet], language: str, *, timeout: float) -> RenderedLabels:  # noqa: ASYNC109
        """Render labels in a printer's language, within so many seconds."""
        return await self._press().render_labels(sheets, language, timeout=timeout)

    async def close(self) -> None:
        """Stop the worker processes."""
        if self._renderer is not None:
            await self._renderer.close()

    def _press(self) -> DocumentRenderer:
        if self._renderer is None:
            # Two, the second started when it is needed: a unit's papers must not keep one person's waiting.
            self._renderer = DocumentRenderer(self._templates, max_workers=2)
        return self._renderer
