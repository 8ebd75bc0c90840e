"""What is printed at the front desk, in which forms, and how copies are counted."""

from typing import Literal

DocumentKind = Literal["guide_sheet", "request_form", "tube_label", "exam_label"]
PrintFormat = Literal["pdf", "zpl", "tspl"]
DOCUMENT_KINDS = ("guide_sheet", "request_form", "tube_label", "exam_label")
PRINT_FORMATS = ("pdf", "zpl", "tspl")
LABELS: frozenset[str] = frozenset({"tube_label", "exam_label"})
"""What label printers print: also as ZPL and TSPL."""
