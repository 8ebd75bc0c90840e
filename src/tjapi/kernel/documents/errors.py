"""What may go wrong between a template and its pages."""

from tjapi.kernel.child.errors import Excessive


class DocumentError(Exception):
    """The document could not be made. Messages name templates, tags and lines, never a person's data."""


class TemplateNotFound(DocumentError):  # noqa: N818  # named as the sentence a caller reads
    """No folder of that name with a `template.toml` and a `body.xml.j2`."""

    def __init__(self, template: str) -> None:
        super().__init__(f"template {template!r} not found")
        self.template = template


class TemplateInvalid(DocumentError):  # noqa: N818  # named as the sentence a caller reads
    """The template, or the XML it yields, breaks the rules of the vocabulary.

    `line` counts from 1: in `body.xml.j2` for a template error, in the yielded XML for a vocabulary error, 0 when unknown.
    """

    def __init__(self, template: str, reason: str, line: int = 0) -> None:
        super().__init__(f"template {template!r}, line {line}: {reason}")
        self.template = template
        self.reason = reason
        self.line = line


class RenderTooLarge(DocumentError, Excessive):  # noqa: N818  # named as the sentence a caller reads
    """The input, the yielded XML, the pages or the memory needed pass their limits."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"template {template!r}: {reason}")
        self.template = template
        self.reason = reason


class RenderTimeout(DocumentError, Excessive):  # noqa: N818  # named as the sentence a caller reads
    """The render took longer than its deadline; its worker was killed."""

    def __init__(self, template: str, seconds: float) -> None:
        super().__init__(f"template {template!r}: not rendered within {seconds:g} s")
        self.template = template
        self.seconds = seconds


class RenderFailed(DocumentError):  # noqa: N818  # named as the sentence a caller reads
    """The worker failed in a way that is our bug."""

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(f"template {template!r}: {reason}")
        self.template = template
        self.reason = reason


class RenderDied(RenderFailed, Excessive):
    """The worker died twice on the same document."""
