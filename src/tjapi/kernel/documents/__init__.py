"""Documents: data and a template make a PDF, the same bytes every time.

`report_templates/<name>/body.xml.j2` (sandboxed jinja2) yields XML of a closed vocabulary (`_shared/document.xsd`);
`vocabulary` turns it into blocks, `pages` breaks them, `fonts` embeds Chinese. `DocumentRenderer` does it in worker
processes with limits on time and memory; `labels` writes the same pages for label printers (ZPL, TSPL). This package knows no hospital
noun: those live in the templates.
"""

from tjapi.kernel.documents.engine import NO_ASSETS, RenderedDocument, RenderedLabels, render
from tjapi.kernel.documents.errors import (
    DocumentError,
    RenderFailed,
    RenderTimeout,
    RenderTooLarge,
    TemplateInvalid,
    TemplateNotFound,
)
from tjapi.kernel.documents.fonts import missing_glyphs
from tjapi.kernel.documents.renderer import DocumentRenderer, Sheet

__all__ = [
    "NO_ASSETS",
    "DocumentError",
    "DocumentRenderer",
    "RenderFailed",
    "RenderTimeout",
    "RenderTooLarge",
    "RenderedDocument",
    "RenderedLabels",
    "Sheet",
    "TemplateInvalid",
    "TemplateNotFound",
    "missing_glyphs",
    "render",
]
