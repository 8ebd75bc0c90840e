"""The verbs of the knowledge base: write a version, look at how it differs, sign it; and what it finds in a case."""

from tjapi.knowledge.service.asking import Advice, Fired, Knowledge, Rule, active, edition, forget, in_memory
from tjapi.knowledge.service.reading import changes, drafted_ranges, findings_page, of_number, out, rules_page, versions
from tjapi.knowledge.service.shipping import bring_in, load_starter, read_starter
from tjapi.knowledge.service.signing import TAKE_EFFECT, activate, approve, take_effect
from tjapi.knowledge.service.writing import example_case, faults, sha256_of, unit_faults, write

__all__ = [
    "TAKE_EFFECT",
    "Advice",
    "Fired",
    "Knowledge",
    "Rule",
    "activate",
    "active",
    "approve",
    "bring_in",
    "changes",
    "drafted_ranges",
    "edition",
    "example_case",
    "faults",
    "findings_page",
    "forget",
    "in_memory",
    "load_starter",
    "of_number",
    "out",
    "read_starter",
    "rules_page",
    "sha256_of",
    "take_effect",
    "unit_faults",
    "versions",
    "write",
]
