"""The framing codec, fed the way networks feed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wire import mllp

PAYLOAD = st.binary(max_size=60).filter(lambda body: mllp.START not in body and mllp.END not in body + b"\x1c\r"[:1])


@settings(max_examples=150, deadline=None)
@given(st.lists(PAYLOAD, max_size=6), st.data())
def test_frames_survive_any_slicing_and_any_noise_between(payloads: list[bytes], data: st.DataObject) -> None:
    noise = st.binary(max_size=5).filter(lambda body: mllp.START not in body)
    stream = b"".join(data.draw(noise) + mllp.frame(payload) for payload in payloads)
    decoder, frames = mllp.MllpDecoder(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        frames += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert frames == payloads
    assert not decoder.mid_frame


def test_a_frame_may_come_byte_by_byte() -> None:
    decoder = mllp.MllpDecoder()
    stream = b"xx" + mllp.frame(b"MSH|1") + b"\n" + mllp.frame(b"MSH|2")
    assert [frame for byte in stream for frame in decoder.feed(bytes([byte]))] == [b"MSH|1", b"MSH|2"]
    assert decoder.skipped == 2


def test_a_frame_cut_off_by_the_next_is_not_glued_to_it() -> None:
    assert mllp.MllpDecoder().feed(b"\x0bMSH|half" + mllp.frame(b"MSH|whole")) == [b"MSH|whole"]
    decoder = mllp.MllpDecoder()
    assert decoder.feed(b"\x0bMSH|half") == []
    assert decoder.feed(mllp.frame(b"MSH|whole")) == [b"MSH|whole"]


def test_an_oversize_frame_is_refused_while_it_grows_and_those_before_it_are_kept() -> None:
    decoder = mllp.MllpDecoder(max_frame=10)
    assert decoder.feed(mllp.frame(b"x" * 10)) == [b"x" * 10]
    with pytest.raises(mllp.FrameTooLarge) as caught:
        decoder.feed(mllp.frame(b"ok") + b"\x0b" + b"y" * 12)
    assert caught.value.frames == [b"ok"]
    with pytest.raises(mllp.FrameTooLarge):
        mllp.MllpDecoder(max_frame=10).feed(mllp.frame(b"x" * 11))


@pytest.mark.parametrize("payload", [b"a\x0bb", b"a\x1c\rb"])
def test_framing_bytes_cannot_be_smuggled_into_a_payload(payload: bytes) -> None:
    with pytest.raises(ValueError, match="framing"):
        mllp.frame(payload)
