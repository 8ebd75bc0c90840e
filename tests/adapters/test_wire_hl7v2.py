"""The splitter against python-hl7 as oracle, and the places where python-hl7 is no help: charsets and broken input."""

from datetime import UTC, datetime

import hl7
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.wire import hl7v2

NOW = datetime(2026, 8, 1, 9, 30, tzinfo=UTC)
AWKWARD = "陈珅"  # 珅's second GB18030 byte is `|`
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\x85"), max_size=12)
SAFE = st.text(st.sampled_from("abcXYZ019 .陈珅张μ℃%+-"), max_size=8).map(str.strip)


def message(*lines: str, charset: str = "utf-8", declared: str = "") -> bytes:
    header = f"MSH|^~\\&|LIS|LAB|TJAPI||20260801093000||ORU^R01^ORU_R01|M1|P|2.5.1||||||{declared}"
    return ("\r".join([header, *lines]) + "\r").encode(charset)


def every_character_with_a_separator_byte() -> list[str]:
    found = []
    for lead in range(0x81, 0xFF):
        for trail in b"|^~\\":
            try:
                found.append(bytes([lead, trail]).decode("gb18030"))
            except UnicodeDecodeError:
                continue
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(SAFE, min_size=1, max_size=4), min_size=1, max_size=6))
def test_components_are_those_python_hl7_sees(fields: list[list[str]]) -> None:
    line = "OBX|" + "|".join("^".join(components) for components in fields)
    raw = message(line)
    oracle = hl7.parse(raw.decode())
    ours = hl7v2.decode(raw).first("OBX")
    assert ours is not None
    for number, components in enumerate(fields, 1):
        assert ours.field(number) == str(oracle.segment("OBX")[number])
        for position in range(1, len(components) + 1):
            assert ours.value(number, position) == components[position - 1]
            assert oracle.extract_field("OBX", 1, number, 1, position) == components[position - 1]


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT, TEXT)
@example(" ", "", "")
def test_what_we_build_python_hl7_reads_back_unescaped(first: str, second: str, third: str) -> None:
    header: list[hl7v2.Field] = ["MSH", "A", "B", "C", "D", "20260801", "", ("ORU", "R01"), "1", "P", "2.5.1"]
    raw = hl7v2.build([header, ["NTE", "1", (first, "x" + second), ["r" + third, (("s", "t" + first),)]]])
    oracle = hl7.parse(raw.decode())
    ours = hl7v2.decode(raw).first("NTE")
    assert ours is not None
    for value, place in ((first, (2, 1, 1, 1)), ("x" + second, (2, 1, 2, 1)), ("r" + third, (3, 1, 1, 1))):
        field, repetition, component, subcomponent = place
        assert ours.value(field, component, subcomponent, repetition) == value
        assert oracle.extract_field("NTE", 1, field, repetition, component, subcomponent) == value
    assert ours.value(3, 1, 2, 2) == "t" + first


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)))
def test_escaping_any_text_is_undone_by_unescaping(text: str) -> None:
    escaped = hl7v2.escape(text)
    assert not set(escaped) & set("|^~&\r\n\x0b\x1c")
    assert hl7v2.unescape(escaped) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_gb18030_characters_containing_separator_bytes_stay_whole() -> None:
    characters = every_character_with_a_separator_byte()
    assert len(characters) > 400
    for start in range(0, len(characters), 40):
        name = "陈" + "".join(characters[start : start + 40])
        pid = hl7v2.decode(message(f"PID|1||E1||{name}^二||19800101|F", charset="gb18030", declared="GB 18030-2000"))
        segment = pid.first("PID")
        assert segment is not None
        assert (segment.value(5), segment.value(5, 2), segment.value(8)) == (name, "二", "F")


@pytest.mark.parametrize(
    "declared", ["GB 18030-2000", "GB18030", "GBK", "GB2312", "gb_18030", "", "ASCII~GB18030", "~GB18030"]
)
def test_gb18030_is_read_however_it_is_declared(declared: str) -> None:
    read = hl7v2.decode(message(f"PID|||||{AWKWARD}", charset="gb18030", declared=declared))
    assert read.charset == "gb18030"
    assert AWKWARD in read.text


@pytest.mark.parametrize("declared", ["UNICODE UTF-8", "UTF-8", "utf8", "", "ASCII", "UNICODE"])
def test_utf8_is_read_however_it_is_declared(declared: str) -> None:
    assert hl7v2.decode(message(f"PID|||||{AWKWARD}", declared=declared)).charset == "utf-8"


def test_the_charset_is_found_behind_a_chinese_sender_whose_bytes_look_like_separators() -> None:
    raw = f"MSH|^~\\&|{AWKWARD}|检验科|TJ||20260801||ORU^R01|M9|P|2.5.1||||||GB18030\rPID|||||{AWKWARD}\r".encode(
        "gb18030"
    )
    read = hl7v2.decode(raw)
    assert (read.message_id(), read.charset, read.header.value(3)) == ("M9", "gb18030", AWKWARD)
    assert hl7v2.control_id(raw) == "M9"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"hello",
        b"MSH",
        b"MSH|",
        b"MSH|^^\\&|",
        b"MSHxABCD",
        message("PID|||||\u00e9", charset="latin-1"),
        message(f"PID|||||{AWKWARD}", charset="gb18030", declared="UNICODE UTF-8"),
        message("PID|||||") + b"\xff\xfe\xff",
    ],
)
def test_what_cannot_be_decoded_is_refused_by_name(raw: bytes) -> None:
    with pytest.raises(hl7v2.UndecodableMessage):
        hl7v2.decode(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80).map(lambda tail: b"MSH" + tail) | st.binary(max_size=40))
def test_no_bytes_raise_anything_but_undecodable(raw: bytes) -> None:
    hl7v2.control_id(raw)
    hl7v2.nack(raw, "AE", "no", NOW, "X")
    try:
        read = hl7v2.decode(raw)
    except hl7v2.UndecodableMessage:
        return
    hl7v2.ack(read, "AA", "", NOW, "X")
    for segment in read.segments:
        segment.value(3, 2)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("junk", ["", "\x1a", "\r\n\r\n", "\x00\x00", " "])
def test_line_ends_and_trailing_junk_do_not_matter(end: str, junk: str) -> None:
    raw = message("PID|1||E1", "OBX|1|ST|A||第一行").decode().replace("\r", end) + junk
    read = hl7v2.decode(b"\xef\xbb\xbf" + raw.encode())
    assert [segment.name for segment in read.segments] == ["MSH", "PID", "OBX"]
    assert not read.stray_lines


def test_a_bare_line_feed_inside_text_does_not_end_the_segment() -> None:
    read = hl7v2.decode(message("OBX|1|FT|A||第一行\n第二行|mmol/L"))
    obx = read.first("OBX")
    assert obx is not None
    assert (obx.value(5), obx.value(6)) == ("第一行\n第二行", "mmol/L")


def test_text_broken_by_a_carriage_return_is_seen_as_stray() -> None:
    assert hl7v2.decode(message("OBX|1|FT|A||第一行\r第二行|mmol/L")).stray_lines == ["第二行|mmol/L"]


def test_a_senders_own_separators_are_used_for_reading_and_answering() -> None:
    read = hl7v2.decode(b"MSH$*!?:$LIS$LAB$TJ$$20260801$$ORU*R01$M7$P$2.3\rPID$1$$A:b*c!D$?F??S??T??R??E?\r")
    pid = read.first("PID")
    assert pid is not None
    assert (pid.value(3, 1, 2), pid.value(3, 2), pid.value(3, repetition=2), pid.value(4)) == ("b", "c", "D", "$*:!?")
    answer = hl7v2.ack(read, "AA", "", NOW, "X1")
    assert answer.startswith(b"MSH$*!?:$TJ$$LIS$LAB$")
    assert b"MSA$AA$M7$" in answer


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"\F\\S\\T\\R\\E" + "\\", "|^&~\\"),
        (r"a\.br\b", "a\nb"),
        (r"\X41\\X4243" + "\\", "ABC"),
        (r"\H\bold\N" + "\\", "bold"),
        (r"5\.sp2\6", "5\n\n6"),
        (r"\Zvendor" + "\\", r"\Zvendor" + "\\"),
        (r"C:\dir", r"C:\dir"),
        (r"\XFF" + "\\", r"\XFF" + "\\"),
    ],
)
def test_escapes_are_undone_and_the_unknown_is_left_alone(escaped: str, plain: str) -> None:
    assert hl7v2.unescape(escaped) == plain


def test_hexadecimal_escapes_are_in_the_messages_charset() -> None:
    escaped = "\\X" + AWKWARD.encode("gb18030").hex() + "\\"
    assert hl7v2.unescape(escaped, charset="gb18030") == AWKWARD


@pytest.mark.parametrize(("charset", "declared"), [("gb18030", "GB 18030-2000"), ("utf-8", "UNICODE UTF-8")])
def test_an_acknowledgement_answers_in_the_senders_charset_and_names_its_message(charset: str, declared: str) -> None:
    answer = hl7v2.ack(
        hl7v2.decode(message(f"PID|||||{AWKWARD}", charset=charset, declared=declared)), "AE", "无此项目|", NOW, "G1"
    )
    oracle = hl7.parse(answer.decode(charset))
    assert str(oracle.segment("MSA")[2]) == "M1"
    assert oracle.unescape(str(oracle.segment("MSA")[3])) == "无此项目|"
    assert hl7v2.decode(answer).message_type() == "ACK^R01"
    assert str(oracle.segment("MSH")[18]) == declared


def test_undecodable_bytes_are_answered_with_their_own_control_id() -> None:
    raw = message("PID|||||") + b"\xff\xfe"
    answer = hl7.parse(hl7v2.nack(raw, "AE", "not text", NOW, "G1").decode("ascii"))
    assert (str(answer.segment("MSA")[1]), str(answer.segment("MSA")[2])) == ("AE", "M1")


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("declared", ["GB18030", "GB 18030-2000", "GBK", "GB2312"])
@pytest.mark.parametrize("text", ["28.1阳性", "PLT|28.1|µmol/L", "陈珅", "阴性", "37.0°", "±"])
def test_utf8_under_a_declared_gb18030_is_doubtful_because_it_eats_separators(declared: str, text: str) -> None:
    with pytest.raises(hl7v2.CharsetDoubtful, match="all of it is UTF-8"):
        hl7v2.decode(message(f"OBX|1|NM|K||{text}|mmol/L", declared=declared))


@pytest.mark.parametrize("name", ["郑伟", "陈珅", "毛女", "钱某", "魏伟", "谢刚", "μmol/L", "男", "女"])
def test_honest_gb18030_is_read_though_some_of_its_names_are_valid_utf8(name: str) -> None:
    assert name in hl7v2.decode(message(f"PID|||||{name}", charset="gb18030", declared="GB18030")).text


@pytest.mark.requirement("E3.5")
def test_a_declared_iso_8859_1_is_iso_8859_1() -> None:
    read = hl7v2.decode(message("PID|||||M\u00fcller|\u00b5mol", charset="latin-1", declared="8859/1"))
    assert (read.charset, read.first("PID").value(5)) == ("iso-8859-1", "M\u00fcller")  # type: ignore[union-attr]
    mangled = hl7v2.decode(message("PID|||||\u9648", charset="gb18030", declared="8859/1"))
    assert mangled.first("PID").value(5) == "\u00b3\u00c2"  # type: ignore[union-attr]
    with pytest.raises(hl7v2.CharsetDoubtful, match="8859-1"):
        hl7v2.decode(message(f"PID|||||{AWKWARD}", declared="8859/1"))


@pytest.mark.parametrize("declared", ["BIG-5", "ISO IR87", "KS X 1001", "EBCDIC", "8859/15"])
def test_a_charset_we_do_not_know_matters_only_where_bytes_are_no_ascii(declared: str) -> None:
    assert hl7v2.decode(message("PID|||||CHEN", declared=declared)).message_id() == "M1"
    with pytest.raises(hl7v2.CharsetDoubtful, match="do not know"):
        hl7v2.decode(message(f"PID|||||{AWKWARD}", declared=declared))


def test_a_person_may_say_how_a_message_is_to_be_read() -> None:
    raw = message(f"PID|||||{AWKWARD}|\u9633", declared="GB18030")
    assert hl7v2.decode(raw, "utf-8").first("PID").value(5) == AWKWARD  # type: ignore[union-attr]
    assert "\ufffd" in hl7v2.decode(message(f"PID|||||{AWKWARD}", charset="gb18030"), "utf-8").text


BATCHED = b"MSH|^~\\&|LIS||||||ORU^R01|%d|P|2.5.1\rPID|||||%d"


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(
    ("before", "after", "faults"),
    [
        (b"", b"", ()),
        (b"FHS|^~\\&|LIS\rBHS|^~\\&|LIS\r", b"\rBTS|2\rFTS|1\r", ()),
        (b"BHS|^~\\&\r\n", b"\r\nBTS\r\n", ()),
        (b"\xef\xbb\xbfFHS|^~\\&\r", b"\r\r\nFTS|1", ()),
        (b"FHS|^~\\&\rBHS|^~\\&\r", b"\rBTS|3\rFTS|2\r", ("BTS-1 says 3 messages, 2 are here", "FTS-1 says 2 batches, 1 are here")),
        (b"FHS|^~\\&\rNTE|1||lost\r", b"\rFTS|1\rOBX|1|NM|K||5", ("text after FHS that belongs to no message", "text after FTS that belongs to no message")),
        (b"garbage\r", b"", ("text before the first segment",)),
    ],
)  # fmt: skip
def test_every_message_of_a_batch_is_taken_out_and_a_wrong_count_is_named(
    before: bytes, after: bytes, faults: tuple[str, ...]
) -> None:
    found = hl7v2.split(before + BATCHED % (1, 1) + b"\r" + BATCHED % (2, 2) + after)
    assert [hl7v2.decode(each).message_id() for each in found.messages] == ["1", "2"]
    assert [hl7v2.decode(each).first("PID").value(5) for each in found.messages] == ["1", "2"]  # type: ignore[union-attr]
    assert found.faults == faults
    assert not any(hl7v2.decode(each).stray_lines for each in found.messages)


def test_one_message_alone_comes_back_byte_for_byte() -> None:
    for raw in (BATCHED % (1, 1), b"  " + BATCHED % (1, 1) + b"\r\n\0", b"nonsense", b"", b"PID|MSH|"):
        assert hl7v2.split(raw) == hl7v2.Batch((raw,))
    assert hl7v2.split(b"FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r").faults == ("a batch without messages",)
    assert hl7v2.split(b"BHS|^~\\&").messages == ()
