"""One-time codes as the standard has them, and passwords that many people use."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from tjapi.kernel.security import passwords, totp

pytestmark = pytest.mark.requirement("P2")
SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET, seconds // 30) == code


def test_a_code_is_good_once_and_half_a_minute_around() -> None:
    now = datetime(2026, 11, 30, 12, 0, 15, tzinfo=UTC)
    step = int(now.timestamp()) // 30
    code = totp.code_at(SECRET, step)
    assert totp.step_of(SECRET, code, now, 0) == step
    assert totp.step_of(SECRET, code, now, step) is None
    for shift, expected in ((30, step), (-30, step), (60, None), (-60, None)):
        assert totp.step_of(SECRET, code, now + timedelta(seconds=shift), 0) == expected
    assert totp.step_of(SECRET, "x" * 6, now, 0) is None


def test_recovery_codes_differ_and_are_read_in_any_case() -> None:
    codes = totp.recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert totp.recovery_digest(codes[0]) == totp.recovery_digest(f" {codes[0].upper()} ")


@pytest.mark.parametrize(
    "password",
    ["P@ssw0rd2026", "Admin-123456", "Welcome_2026", "Yiyuan@12345", "TiJian!2025", "Qwerty#12345", "Aa123456789", "Hospital.888888", "Abc-123456", "1a1a1a1a1a!A"],
)  # fmt: skip
def test_a_password_that_many_people_use_is_refused(password: str) -> None:
    assert passwords.weakness(password, "li.na", 8) in {"too_common", "too_few_kinds_of_characters"}
    assert passwords.is_common(password)


@pytest.mark.parametrize("password", ["Zugang-4711-xyz", "Demo-3f9a1c27be04", "Rotes-Pferd-91", "桂花Hua-2291k"])
def test_one_of_ones_own_is_taken(password: str) -> None:
    assert passwords.weakness(password, "li.na", 8) is None


def test_more_than_a_thousand_patterns_are_known() -> None:
    assert len(passwords._COMMON) >= 1_000
