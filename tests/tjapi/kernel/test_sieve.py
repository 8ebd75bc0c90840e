"""One sieve for requests: what has no width is left out, what turns the direction of writing and controls are refused by the field's name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.unseen import has_bidi_control, holds_unseen, sieved, without_zero_width
from tjapi.kernel.routing import ForbiddenCharacter, MalformedBody, sieved_json

ZERO_WIDTH = "\u00ad\u034f\u200b\u200c\u200d\u2060\u2063\ufeff\u3164\u180e\ufff9\U000e0041"
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = "\x01\x08\x0b\x0c\x1b\x1f\x7f\x80\x85\x9f\ufffe\uffff"


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("character", ZERO_WIDTH)
def test_what_has_no_width_is_left_out_raw_and_escaped(character: str, ascii_only: bool) -> None:
    body = json.dumps({"name": f"测{character}试", "note": f"{character}a\\u200b"}, ensure_ascii=ascii_only).encode()
    assert json.loads(sieved_json(body)) == {"name": "测试", "note": "a\\u200b"}


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("character", TURNING + CONTROLS)
def test_what_turns_or_controls_is_refused_naming_the_field(character: str, ascii_only: bool) -> None:
    body = json.dumps({"rows": [{"name": "甲"}, {"name": f"测{character}试"}]}, ensure_ascii=ascii_only).encode()
    with pytest.raises(ForbiddenCharacter) as refused:
        sieved_json(body)
    assert [error.pointer for error in refused.value.errors] == ["/rows/1/name"]


def test_a_name_that_a_client_made_up_is_not_repeated() -> None:
    with pytest.raises(ForbiddenCharacter) as refused:
        sieved_json('{"张三": {"a": "\u202e"}}'.encode())
    assert refused.value.errors[0].pointer == "/a"


@pytest.mark.parametrize(
    "body", [b'{"a": 1.10, "b": 1e400, "c": 12345678901234567890}', b'{"a": "\\n\\t\\"\\\\"}', b"", b"nonsense"]
)
def test_nothing_else_of_a_body_changes(body: bytes) -> None:
    assert sieved_json(body) is body


@pytest.mark.parametrize("body", [b'{"a": "\xff"}', '{"a": "b"}'.encode("utf-16-le")])
def test_what_is_not_utf_8_is_no_json(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        sieved_json(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(json_values, st.booleans())
def test_what_passes_holds_nothing_unseen_and_is_otherwise_what_was_sent(value: Any, ascii_only: bool) -> None:
    body = json.dumps({"value": value}, ensure_ascii=ascii_only).encode()
    said = json.dumps(value, ensure_ascii=False)
    try:
        passed = json.loads(sieved_json(body), strict=False)["value"]
    except ForbiddenCharacter:
        assert any(
            character in said or json.dumps(character)[1:-1] in json.dumps(value) for character in _forbidden(said)
        )
        return
    again = json.dumps(passed, ensure_ascii=False)
    assert not holds_unseen(again)
    assert again == without_zero_width(said)


def _forbidden(said: str) -> list[str]:
    controls = [chr(point) for point in (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)]
    return [character for character in said if has_bidi_control(character)] + controls


@given(st.text())
def test_a_sieved_text_holds_nothing_unseen(text: str) -> None:
    kept = sieved(text)
    assert not holds_unseen(kept)
    assert sieved(kept) == kept
