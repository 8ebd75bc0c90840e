"""What people have to say of a message, as a table."""

import pytest

from tjapi.result.rules.releases import still_needed


@pytest.mark.requirement("E3.5", "X13")
@pytest.mark.parametrize(
    ("state", "reason", "bare", "with_exam", "with_charset"),
    [
        ("quarantined", "identity-mismatch", "exam", "nothing", "nothing"),
        ("unmatched", "unknown-barcode", "exam", "nothing", "nothing"),
        ("quarantined", "charset-doubtful", "charset", "charset", "nothing"),
        ("quarantined", "content-differs", "nothing", "nothing", "nothing"),
        ("quarantined", "unparsable", "nothing", "nothing", "nothing"),
        ("quarantined", "no-usable-id", "nothing", "nothing", "nothing"),
        ("quarantined", "not-production", "impossible", "impossible", "impossible"),
        ("unmatched", "unknown-code", "impossible", "impossible", "nothing"),
        ("filed", None, "impossible", "impossible", "impossible"),
        ("received", None, "impossible", "impossible", "impossible"),
    ],
)
def test_what_a_release_still_needs(
    state: str, reason: str | None, bare: str, with_exam: str, with_charset: str
) -> None:
    said = [(False, False), (True, False), (False, True)]
    found = [still_needed(state, reason, exam=exam, charset=charset) for exam, charset in said]
    assert found == [bare, with_exam, with_charset]
