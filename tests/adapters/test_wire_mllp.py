"""The framing codec, fed the way networks feed."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.wire import mllp

PAYLOAD = st.binary(max_size=60).filter(lambda body: mllp.START not in body and mllp.STOP not in body)
ENDS = (b"\x1c\r", b"\x1c", b"\x1c\n", b"\x1c\r\n", b"\x1c\r\r", b"\x1c\0")


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


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("cut", range(1, 22))
def test_a_frame_cut_off_by_the_next_is_kept_beside_and_not_glued_to_it(cut: int) -> None:
    decoder, stream = mllp.MllpDecoder(), b"\x0bMSH|half" + mllp.frame(b"MSH|whole")
    assert decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) == [b"MSH|whole"]
    assert (decoder.unended(), decoder.unended(), decoder.mid_frame) == ([b"MSH|half"], [], False)


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("end", ENDS)
def test_a_frame_ends_with_the_mark_however_its_line_end_is_written(end: bytes) -> None:
    decoder = mllp.MllpDecoder()
    assert decoder.feed(b"\x0bMSH|1" + end) == [b"MSH|1"]
    assert not decoder.mid_frame
    assert decoder.feed(b"\x0bMSH|2" + end) == [b"MSH|2"]
    assert (decoder.skipped, decoder.unended(), decoder.strays()) == (0, [], [])


@pytest.mark.requirement("E3.5")
def test_a_start_right_after_the_mark_is_the_next_frame_and_the_first_is_kept() -> None:
    decoder = mllp.MllpDecoder()
    assert decoder.feed(b"\x0bMSH|1\x1c\x0bMSH|2\x1c\x0bMSH|3\x1c") == [b"MSH|1", b"MSH|2", b"MSH|3"]
    assert (decoder.skipped, decoder.unended()) == (0, [])


def test_marks_inside_a_text_stay_in_it() -> None:
    decoder = mllp.MllpDecoder()
    assert decoder.feed(mllp.START + b"MSH|a\x0bpasted\x1cfrom|word" + mllp.END) == [b"MSH|a\x0bpasted\x1cfrom|word"]
    assert (decoder.unended(), decoder.skipped) == ([], 0)


def test_what_follows_a_lone_mark_and_is_no_courtesy_is_kept_for_a_person() -> None:
    decoder = mllp.MllpDecoder()
    assert decoder.feed(b"\x0bMSH|first half\x1c") == [b"MSH|first half"]
    assert decoder.feed(b"second half\r") == []
    assert decoder.feed(b"|of it\x1c\r\x0bMSH|2\x1c\r") == [b"MSH|2"]
    assert decoder.strays() == [b"second half\r|of it\x1c\r"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(PAYLOAD, st.sampled_from(ENDS)), max_size=6), st.data())
def test_frames_of_any_end_survive_any_slicing(sent: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    stream = b"".join(mllp.START + payload + end for payload, end in sent)
    decoder, frames = mllp.MllpDecoder(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        frames += decoder.feed(stream[:cut])
        stream = stream[cut:]
    assert frames == [payload for payload, _ in sent]
    assert (decoder.unended(), decoder.strays(), decoder.mid_frame) == ([], [], False)


def test_a_million_starts_and_marks_cost_no_more_each_than_a_few() -> None:
    for noise in (b"\x0bMSH", b"\x1cx", b"\x0bx", b"\x0b"):
        spent = []
        for times in (20_000, 200_000):
            began = time.process_time()
            mllp.MllpDecoder(4_000_000).feed(b"\x0bMSH" + noise * times + mllp.END)
            spent.append(time.process_time() - began)
        assert spent[1] < 10 * spent[0] * 4 + 0.05, noise


def test_an_oversize_frame_is_refused_while_it_grows_and_those_before_it_are_kept() -> None:
    decoder = mllp.MllpDecoder(max_frame=10)
    assert decoder.feed(mllp.frame(b"x" * 10)) == [b"x" * 10]
    with pytest.raises(mllp.FrameTooLarge) as caught:
        decoder.feed(mllp.frame(b"ok") + b"\x0b" + b"y" * 12)
    assert caught.value.frames == [b"ok"]
    with pytest.raises(mllp.FrameTooLarge):
        mllp.MllpDecoder(max_frame=10).feed(mllp.frame(b"x" * 11))


@pytest.mark.parametrize("payload", [b"a\x0bb", b"a\x1c\rb", b"a\x1cb"])
def test_framing_bytes_cannot_be_smuggled_into_a_payload(payload: bytes) -> None:
    with pytest.raises(ValueError, match="framing"):
        mllp.frame(payload)
