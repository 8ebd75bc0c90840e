"""What a report says, however it is written: small messages and what is read of them; each stands for a kind that was seen."""

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from adapters.lis import registry
from adapters.lis.contract import LabObservation, LabReport, UnparsableReport

pytestmark = pytest.mark.requirement("E3.3", "E3.5")

CASES = Path(__file__).resolve().parents[1] / "cases"
CST = timezone(timedelta(hours=8))
HEADER = "MSH|^~\\&|LIS|LAB|TJAPI||20261129100000+0800||ORU^R01^ORU_R01|M1|P|2.5.1|||||CHN|UNICODE UTF-8"
PID = "PID|1||X1^^^TJ^VN||测试甲||19850307|M"
OBR = "OBR|1|L1||CHEM^生化^L|||20261129090000"
NINE_THIRTY = datetime(2026, 11, 29, 9, 30, tzinfo=CST)


def parse(*lines: str) -> LabReport:
    return registry.parser("hl7_mllp")(("\r".join(lines) + "\r").encode())


def case(name: str) -> LabReport:
    return registry.parser("hl7_mllp")((CASES / name).read_bytes())


def table(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (CASES / name).read_text(encoding="utf-8").splitlines()[1:]]


def obx(kind: str = "NM", value: str = "5.1", *, code: str = "K", tail: str = "mmol/L|||||F") -> str:
    return f"OBX|1|{kind}|{code}||{value}|{tail}"


def one(*lines: str) -> LabObservation:
    (found,) = parse(HEADER, PID, OBR, *lines).results[0].observations
    return found


def _value(o: LabObservation) -> Any:
    return o.raw_value


def _with_remarks(o: LabObservation) -> Any:
    return o.raw_value, o.remarks


def _status(o: LabObservation) -> Any:
    return o.status


def _codes(o: LabObservation) -> Any:
    return o.code, o.other_codes


def _flags(o: LabObservation) -> Any:
    return o.abnormal_flags


READINGS: list[tuple[Callable[[LabObservation], Any], tuple[str, ...], Any]] = [
    (_value, (obx(value=" 5.1 "),), "5.1"),
    (_value, (obx(value="5.1^^"),), "5.1"),
    (_value, (obx(value="5.1~5.3"),), "5.1~5.3"),
    (_value, (obx(" nm ", "5.1"),), "5.1"),
    (_value, (obx("", "5.1"),), "5.1"),
    (_value, (obx("ST", "10^9"),), "10^9"),
    (_value, (obx("ST", '""'),), ""),
    (_value, (obx("TX", '""'),), ""),
    (_value, (obx("SN", "=^2.90"),), "2.90"),
    (_value, (obx("SN", "^1^:^320"),), "1:320"),
    (_value, (obx("SN", ">^1000"),), ">1000"),
    (_value, (obx("SN", "<=^0.5"),), "<=0.5"),
    (_value, (obx("SN", "^3^-^5"),), "3-5"),
    (_value, (obx("SN", " > ^ 1000 "),), ">1000"),
    (_value, (obx("SN", "5.2"),), "5.2"),
    (_value, (obx("SN", "^3~^4"),), "3;4"),
    (_value, (obx("DT", "20261129"),), "2026-11-29"),
    (_value, (obx("TM", "0930"),), "09:30"),
    (_value, (obx("TM", "093015.2"),), "09:30:15"),
    (_value, (obx("TS", "20261129093000+0800"),), "2026-11-29 09:30:00"),
    (_value, (obx("DTM", "20261129"),), "2026-11-29"),
    (_value, (obx("TS", "昨天"),), "昨天"),
    (_value, (obx("TX", r"第一行\X000d\第二行"),), "第一行\n第二行"),
    (_value, (obx("TX", r"第一行\X000D000A\第二行"),), "第一行\n第二行"),
    (_value, (obx("TX", r"一\X07\二\X1B\[31m\X00\三"),), "一二[31m三"),
    (_value, (obx("TX", "一\x00二\x07\x1b三"),), "一二三"),
    (_value, (obx("TX", "一\x0b二"),), "一\n二"),
    (_value, (obx("ST", "5\u200b.1\u202e"),), "5.1"),
    (_value, (obx("TX", r"A\.br\B~C"),), "A\nB\nC"),
    (_value, (obx("CE", "NEG^阴性^L"),), "阴性"),
    (_value, (obx("CWE", "P2"),), "P2"),
    (_value, (obx("CWE", "^^^P2^阳性(2+)^L"),), "阳性(2+)"),
    (_value, (obx("CWE", "^^^^^^^^阳性(3+)"),), "阳性(3+)"),
    (_value, (obx("CWE", "^^^P2"),), "P2"),
    (_value, (obx("CWE", "^红色~^浑浊"),), "红色;浑浊"),
    (_value, (obx("CWE", "^HBsAg & HBeAg"),), "HBsAg & HBeAg"),
    (_value, (obx("cwe", "1^阳性"),), "阳性"),
    (_value, (obx("CWE", '""'),), ""),
    (_with_remarks, (obx("CWE", "1^阳性^L^P2^阳性(2+)^L"),), ("阳性", ("阳性(2+)",))),
    (_with_remarks, (obx("CWE", "1^阳性^L^P^阳性^L"),), ("阳性", ())),
    (_with_remarks, (obx("ST", "见备注"), "NTE|1|L|标本轻度脂血"), ("见备注", ("标本轻度脂血",))),
    (_with_remarks, (obx(), "NTE|1|L|第一行~第二行", "NTE|2||再\\.br\\来"), ("5.1", ("第一行\n第二行", "再\n来"))),
    (_with_remarks, (obx(), "NTE|1|L|", "NTE|2"), ("5.1", ())),
    (_codes, (obx(code="2601-3^Magnesium^LN^MG^镁^L"),), ("2601-3", ("MG",))),
    (_codes, (obx(code="2601-3^Mg^LN~MG^镁^L^M2"),), ("2601-3", ("MG", "M2"))),
    (_codes, (obx(code="^^^MG^镁^L"),), ("MG", ())),
    (_codes, (obx(code="^镁"),), ("镁", ())),
    (_codes, (obx(code="K^钾^L^K^钾^L"),), ("K", ())),
    (_codes, (obx(code=" K \u200b"),), ("K", ())),
    (_codes, (obx(code=""),), ("", ())),
    (_flags, (obx(tail="mmol/L||HH~A|||F"),), ("HH", "A")),
    (_flags, (obx(tail="mmol/L|| HH |||F"),), ("HH",)),
    (_flags, (obx(tail="mmol/L||^危急|||F"),), ("危急",)),
    (_flags, (obx(tail='mmol/L||""~|||F'),), ()),
    *[
        (_status, (obx(tail=f"mmol/L|||||{said}"),), read)
        for said, read in {
            "F": "F", "f": "F", " F ": "F", "Final": "F", "FINAL RESULT": "F", "Ｆ": "F", "最终": "F", "c": "C", "Corrected": "C", "更正": "C",
            "p": "P", "Preliminary": "P", "w": "W", "D": "D", "": "", '""': "", "F^Final^HL70085": "F", "^Final": "F", "X": "X", "done": "DONE",
        }.items()
    ],
]  # fmt: skip


@pytest.mark.parametrize(("what", "lines", "read"), READINGS)
def test_an_observation_is_read_however_it_is_written(
    what: Callable[[LabObservation], Any], lines: tuple[str, ...], read: Any
) -> None:
    assert what(one(*lines)) == read


PEOPLE: list[tuple[str, tuple[str, tuple[str, ...]]]] = [
    ("李^四", ("李四", ())),
    ("李四", ("李四", ())),
    ("ZHANG^SAN", ("ZHANG SAN", ("ZHANG, SAN",))),
    ("张三^ZHANG SAN", ("张三", ("ZHANG SAN", "张三ZHANG SAN"))),
    ("张三~ZHANG^SAN~张叁", ("张三", ("ZHANG SAN", "张叁", "ZHANG, SAN"))),
    ("~张三", ("张三", ())),
    ("张\u200b三\u202e", ("张三", ())),
    ("张&&张^三", ("张三", ())),
    ('""', ("", ())),
    ("", ("", ())),
]


@pytest.mark.parametrize(("sent", "read"), PEOPLE)
def test_every_spelling_of_a_name_is_kept(sent: str, read: tuple[str, tuple[str, ...]]) -> None:
    report = parse(HEADER, f"PID|1||X1^^^TJ^VN||{sent}||19850307|M", OBR, obx())
    assert (report.patient_name, report.other_names) == read


@pytest.mark.parametrize(
    ("pid3", "pid19", "read"),
    [
        ("690101198503070012^^^^NI", "", ("690101198503070012",)),
        ("A1^^^^PI~690101 19850307 001x^^^^sfz", "", ("69010119850307001X",)),
        ("110101199003074477", "", ("110101199003074477",)),
        ("110101199003074478", "", ()),
        ("1101011990********^^^^NI", "", ()),
        ("X1^^^TJ^VN", "110101199003074477", ("110101199003074477",)),
        ("H12345678^^^^IDCARD~110101199003074477^^^^MR", "", ("H12345678", "110101199003074477")),
    ],
)
def test_whole_identity_numbers_are_found_by_kind_or_by_check_digit(pid3: str, pid19: str, read: tuple[str]) -> None:
    report = parse(HEADER, f"PID|1||{pid3}||测试甲||19850307|M{'|' * 11}{pid19}", OBR, obx())
    assert report.id_numbers == read


LEFT_OUT: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    ((PID, OBR, obx(), "OBX|2|||||||||||"), ("OBX[2]: no code, no value",)),
    ((PID, OBR, "OBX|1|NM|||||||||F", obx()), ("OBX[1]: no code, no value",)),
    ((PID, OBR, obx(code="")), ("OBX[1]-3: a value without a code",)),
    ((PID, "OBR|1", OBR, obx()), ("OBR[1]: empty",)),
    ((PID, OBR, obx(), "OBR|2|||||"), ("OBR[2]: empty",)),
    ((PID, "PID|2||||", OBR, obx()), ("PID[2]: empty",)),
    ((PID, "ORC", OBR, obx(), "SPM|1"), ("SPM[1]: empty",)),
    ((PID, OBR, obx(tail="mmol/L|||||F|||20261399")), ("OBX[1]-14: not a moment",)),
    ((PID, OBR.replace("20261129090000", "昨天"), obx()), ("OBR[1]-7: not a moment",)),
    ((PID, OBR, obx(), f"SPM|1|B1{'|' * 15}x"), ("SPM[1]-17: not a moment",)),
    ((PID.replace("19850307", "198503"), OBR, obx()), ("PID-7: not a whole day",)),
    ((PID, OBR, obx(), "OBX|2|ED|PDF||^application^pdf^Base64^JVBERi0="), ("OBX[2]-5: an embedded document (ED) is not read",)),
    ((PID, OBR, obx(), "OBX|2|RP|PIC||\\\\server\\x.jpg"), ("OBX[2]-5: an embedded document (RP) is not read",)),
    ((PID, OBR, obx(), obx("FT", "x" * 70_000, code="T")), ("OBX[2]-5: longer than 65536 characters",)),
    ((PID, OBR, obx(), "NTE|1||" + "长" * 10_001), ("NTE[1]: a note too long, or one too many",)),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "named"), LEFT_OUT)
def test_what_is_not_taken_up_is_named_by_its_place_and_costs_nothing_else(
    lines: tuple[str, ...], named: tuple[str, ...]
) -> None:
    report = parse(HEADER, *lines)
    assert report.left_out == named
    assert [o.raw_value for r in report.results for o in r.observations] == ["5.1"]


@pytest.mark.parametrize(("field", "value", "expected"), table("13-date-forms.tsv"))
def test_a_date_that_only_compares_or_orders_costs_no_value(field: str, value: str, expected: str) -> None:
    header = HEADER.replace("20261129100000+0800", value) if field == "MSH-7" else HEADER
    pid = PID.replace("19850307", value) if field == "PID-7" else PID
    report = parse(header, pid, OBR, obx(tail=f"mmol/L|||||F|||{value if field == 'OBX-14' else ''}"))
    observation = report.results[0].observations[0]
    assert observation.raw_value == "5.1", expected
    if field == "OBX-14":
        unread = {"20261129093060", "00000000"}
        zone = timezone.utc if value.endswith("Z") else CST  # noqa: UP017 - beside the other zone
        assert observation.observed_at == (None if value in unread else NINE_THIRTY.replace(tzinfo=zone))
    elif field == "PID-7":
        assert report.patient_birth_date == (date(1985, 3, 7) if value == "1985-03-07" else None)
    else:
        assert report.sent_at == (datetime(2026, 11, 29, 10, tzinfo=CST) if value else None)
    unread = {"00000000", "20261129093060", "1985", "198503", "198503071"}
    assert bool(report.left_out) == (value in unread)


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("19850306160000+0000", date(1985, 3, 7)),
        ("19850306T160000Z", date(1985, 3, 7)),
        ("19850307000000+0800", date(1985, 3, 7)),
        ("198503072330", date(1985, 3, 7)),
        ("1985/3/7", date(1985, 3, 7)),
        ("1985年3月7日", date(1985, 3, 7)),
        ("１９８５０３０７", date(1985, 3, 7)),
        ("19850230", None),
        ("00010101", None),
        ("99991231", None),
    ],
)
def test_a_birth_moment_is_the_hospitals_day(sent: str, day: date | None) -> None:
    assert parse(HEADER, PID.replace("19850307", sent), OBR, obx()).patient_birth_date == day


def test_notes_on_a_group_are_its_own_and_a_note_after_a_dropped_line_is_not_lost() -> None:
    report = parse(
        HEADER, PID, "ORC|RE", "NTE|1||医嘱", OBR, "NTE|1||整组", obx(), "NTE|1||值", "OBX|2|||||", "NTE|1||空行后", "SPM|1|B1", "NTE|1||标本"
    )  # fmt: skip
    (result,) = report.results
    assert result.remarks == ("医嘱", "整组", "空行后", "标本")
    assert [o.remarks for o in result.observations] == [("值",)]


def test_the_small_inputs_are_read_right() -> None:
    assert case("08-nul-escape.hl7").results[0].observations[0].raw_value == "第一行\n第二行"
    assert case("09-control-escape.hl7").results[0].observations[0].raw_value == "第一行第二行[31m"
    assert [o.raw_value for o in case("11-cwe-alternate-only.hl7").results[0].observations] == ["阳性(2+)", "阳性(3+)"]
    assert case("12-remark-in-nte.hl7").results[0].observations[0].remarks == ("标本轻度脂血,血红蛋白以复查为准",)
    assert case("14-birth-in-utc.hl7").patient_birth_date == date(1985, 3, 7)
    empty = case("18-empty-obx.hl7")
    assert ([o.raw_value for o in empty.results[0].observations], empty.left_out) == (
        ["100"],
        ("OBX[2]: no code, no value",),
    )
    assert _codes(case("20-local-code-second.hl7").results[0].observations[0]) == ("2601-3", ("MG",))
    assert case("21-batch.hl7").results[0].observations[0].raw_value == "101"
    assert case("38-control-id-with-blanks.hl7").message_id == "AB 12 0001"


def test_a_batch_of_several_is_no_report_and_a_doubtful_charset_is_a_persons() -> None:
    parser, one_message = registry.parser("hl7_mllp"), f"{HEADER}\r{PID}\r{OBR}\r{obx()}\r"
    with pytest.raises(UnparsableReport, match="a batch of 2 messages"):
        parser((one_message * 2).encode())
    with pytest.raises(UnparsableReport, match="BTS-1 says 3"):
        parser(f"BHS|^~\\&\r{one_message}BTS|3\r".encode())
    doubtful = one_message.replace("UNICODE UTF-8", "GB18030").replace("5.1", "阳性").encode()
    with pytest.raises(UnparsableReport) as caught:
        parser(doubtful)
    assert caught.value.kind == "charset-doubtful"
    assert parser(doubtful, charset="utf-8").results[0].observations[0].raw_value == "阳性"
