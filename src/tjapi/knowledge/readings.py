"""What there is to read of a row of the knowledge in its source; see `catalog.readings`. Pure."""

from typing import Any

from tjapi.catalog.readings import digest


def of_finding(row: Any) -> dict[str, str]:
    """Return what there is to read of a finding: what it is and advises, and its code of ICD-10, each from a source of its own."""
    advised = digest(
        row.kind, row.important_class, row.advice, row.lifestyle, row.see, row.recheck_days, row.variants, row.outranks
    )
    return {f"findings/{row.code}": advised, **({f"icd10/{row.code}": row.icd10} if row.icd10 else {})}


def of_rule(row: Any) -> dict[str, str]:
    """Return what there is to read of a rule: when it finds what."""
    return {f"rules/{row.code}": digest(row.finding, row.condition)}


def of_critical(row: Any) -> dict[str, str]:
    """Return what there is to read of a critical rule: when it alarms, and how much."""
    return {f"critical/{row.code}": digest(row.important_class, row.condition)}
