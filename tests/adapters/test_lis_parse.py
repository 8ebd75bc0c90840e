"""What the generic HL7 LIS sends, as vendors in China really write it."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.lis import registry
from adapters.lis.contract import LabReport, UnparsableReport

CST = timezone(timedelta(hours=8))
HEADER = "MSH|^~\\&|LIS|LAB|TJAPI||20260801093000||ORU^R01^ORU_R01|M1|P|2.5.1||||||UNICODE UTF-8"
PID = "PID|1||E1^^^TJ^PI~X1^^^TJ^VN||陈珅||19800229|F"
OBR = "|".join(
    [
        "OBR",
        "1",
        "L1",
        "F1",
        "CBC^血常规^L",
        "",
        "",
        "20260801080000",
        *[""] * 14,
        "20260801092000+0800",
        "",
        "LAB",
        "F",
    ]
)


def parse(*lines: str) -> LabReport:
    return registry.parser("hl7_mllp")(("\r".join(lines) + "\r").encode())


def test_a_report_is_read_whole() -> None:
    report = parse(
        HEADER,
        PID,
        "ORC|RE|L1|F1|R1",
        OBR,
        "OBX|1|NM|WBC^白细胞^L||12.30|10^9/L|3.5~9.5|H~HH|||F|||20260801091500",
        "SPM|1|B1||BLD|||||||||||||20260801075500",
        "OBR|2|L2||UR^尿常规^L",
        "OBX|1|ST|UPRO^尿蛋白^L|a|弱阳性|||A|||P",
        "SPM|1|^B2",
    )
    assert (report.message_id, report.sending_system, report.exam_no, report.patient_id) == ("M1", "LIS", "X1", "E1")
    assert (report.patient_name, report.patient_sex, report.patient_birth_date) == ("陈珅", "female", date(1980, 2, 29))
    assert report.sent_at == datetime(2026, 8, 1, 9, 30, tzinfo=CST)
    blood, urine = report.results
    assert (blood.barcode, blood.placer_no, blood.filler_no) == ("B1", "L1", "F1")
    assert (blood.group_code, blood.group_name, blood.status) == ("CBC", "血常规", "F")
    assert blood.specimen_at == datetime(2026, 8, 1, 7, 55, tzinfo=CST)
    assert blood.reported_at == datetime(2026, 8, 1, 9, 20, tzinfo=CST)
    wbc = blood.observations[0]
    assert (wbc.code, wbc.raw_value, wbc.unit, wbc.range_text) == ("WBC", "12.30", "10^9/L", "3.5~9.5")
    assert (wbc.abnormal_flags, wbc.status) == (("H", "HH"), "F")
    assert wbc.observed_at == datetime(2026, 8, 1, 9, 15, tzinfo=CST)
    assert (urine.barcode, urine.placer_no, urine.filler_no) == ("B2", "L2", None)
    protein = urine.observations[0]
    assert (protein.sub_id, protein.raw_value, protein.status, protein.observed_at) == ("a", "弱阳性", "P", None)


@pytest.mark.parametrize(
    ("kind", "sent", "read"),
    [
        ("ST", "<0.01", "<0.01"),
        ("ST", "0~2", "0~2"),
        ("NM", "＜0.5", "＜0.5"),
        ("SN", ">^100", ">100"),
        ("SN", "^1^:^320", "1:320"),
        ("CE", "NEG^阴性^L", "阴性"),
        ("CWE", "阴性", "阴性"),
        ("FT", r"一~二\R\三\.br\四", "一\n二~三\n四"),
        ("ST", '""', ""),
        ("ST", r"A\T\B", "A&B"),
    ],
)
def test_values_keep_the_text_the_laboratory_wrote(kind: str, sent: str, read: str) -> None:
    assert parse(HEADER, PID, OBR, f"OBX|1|{kind}|C||{sent}").results[0].observations[0].raw_value == read


@pytest.mark.parametrize(
    ("unit", "read"),
    [
        ("10^12/L", "10^12/L"),
        ("x10^9/L", "x10^9/L"),
        ("g/L^克每升", "g/L"),
        ("^mmol/L", "mmol/L"),
        ("10\\S\\9/L", "10^9/L"),
    ],
)
def test_units_survive_an_unescaped_caret(unit: str, read: str) -> None:
    assert parse(HEADER, PID, OBR, f"OBX|1|NM|C||1|{unit}").results[0].observations[0].unit == read


@pytest.mark.parametrize(
    ("lines", "barcode"),
    [
        (("SPM|1|B7", "OBR|1|L1|F1|CBC"), "B7"),
        (("OBR|1|L1|B8|CBC",), "B8"),
        (("OBR|1|B9||CBC",), "B9"),
        (("OBR|1|||CBC",), None),
    ],
)
def test_the_barcode_is_found_in_spm_then_obr_3_then_obr_2(lines: tuple[str, ...], barcode: str | None) -> None:
    assert parse(HEADER, PID, *lines).results[0].barcode == barcode


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((HEADER.replace("ORU^R01^ORU_R01", "ADT^A08"), PID, OBR), "MSH-9"),
        ((HEADER.replace("|M1|", "||"), PID, OBR), "MSH-10"),
        ((HEADER, OBR), "PID"),
        ((HEADER, PID, OBR, PID, OBR), "2 PID"),
        ((HEADER, PID), "no OBR"),
        ((HEADER, PID, "OBX|1|NM|C||1", OBR), "OBX before"),
        ((HEADER, PID.replace("E1^", "E" * 200 + "^"), OBR), "PID-3 is longer"),
        ((HEADER, PID.replace("F1|", "F1|"), OBR, "OBX|1|NM|" + "~".join("C" * 3000)), "OBX-3: more than"),
        ((HEADER, f"{PID}\rBTS|2", OBR), "text after BTS"),
        ((HEADER, PID, OBR, "OBX|1|FT|C||一", "二||||F"), "no segments"),
        (("nonsense",), "MSH"),
    ],
)
def test_what_cannot_be_filed_says_where_and_quotes_nobody(lines: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UnparsableReport) as caught:
        parse(*lines)
    assert reason in caught.value.reason
    assert "陈" not in caught.value.reason


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_report_raises_anything_but_unparsable(data: st.DataObject) -> None:
    raw = bytearray(f"{HEADER}\r{PID}\r{OBR}\rOBX|1|NM|WBC^白||1^2|x|3~4|H|||F|||20260801".encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=3))
        if not raw:
            break
    try:
        registry.parser("hl7_mllp")(bytes(raw))
    except UnparsableReport:
        return


def _headed(processing: str, kind: str = "") -> str:
    fields = HEADER.split("|")
    fields[10], fields[15] = processing, kind
    return "|".join(fields)


NOT_PRODUCTION = [
    ("T", ""),
    ("D", ""),
    ("Q", ""),
    ("t^T", ""),
    ("Ｔ", ""),
    ("X", ""),
    ("P", "2"),
    ("P", "1"),
    ("", "2"),
    ("P", "02"),
]


@pytest.mark.requirement("E3.5", "I2")
@pytest.mark.parametrize(("processing", "kind"), NOT_PRODUCTION)
def test_a_test_a_training_and_an_analysers_control_are_nobodys_result(processing: str, kind: str) -> None:
    with pytest.raises(UnparsableReport) as refused:
        parse(_headed(processing, kind), PID, OBR, "OBX|1|NM|K^钾^L||7.2|mmol/L||HH|||F")
    assert refused.value.kind == "not-production"


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(
    ("processing", "kind"), [("P", ""), ("", ""), ("P^T", "AL"), (" p ", "NE"), ('""', ""), ("P", "0"), ("P", "ER")]
)
def test_what_counts_is_read(processing: str, kind: str) -> None:
    report = parse(_headed(processing, kind), PID, OBR, "OBX|1|NM|K^钾^L||7.2|mmol/L||HH|||F")
    assert report.results[0].observations[0].raw_value == "7.2"


SEXES = {
    "male": ["M", "m", "Ｍ", "1", "１", "男", "男性", "male", "MALE", "M^Male", "^男"],
    "female": ["F", "f", "Ｆ", "2", "２", "女", " 女 ", "女性", "Female", "FEMALE", "F^女", "X^女"],
    "unknown": ["", "U", "0", "9", "未知", "不详", "未说明的性别", '""', "O", "A", "N"],
}


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(("sex", "said"), [(sex, said) for sex, spellings in SEXES.items() for said in spellings])
def test_a_sex_is_read_in_every_usual_spelling(sex: str, said: str) -> None:
    report = parse(HEADER, PID.replace("|F", f"|{said}"), OBR)
    assert (report.patient_sex, report.left_out) == (sex, ())


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize("said", ["W", "5", "女男", "f/m", "X", "12"])
def test_a_sex_that_is_said_and_not_understood_is_named_and_never_not_said(said: str) -> None:
    report = parse(HEADER, PID.replace("|F", f"|{said}"), OBR)
    assert (report.patient_sex, report.left_out) == ("unknown", ("PID-8: a sex that is not understood",))


@pytest.mark.requirement("E3.5")
def test_every_number_of_the_person_is_taken_up_and_what_is_masked_is_told_apart() -> None:
    pid = "PID|1|P2|690101********1234^^^GA^NI~E9^^^HIS^MR~69010119****1234~138****5678~PI7^^^TJ^PI|P4|陈珅||19800229|F||||||||||A18|690101*****6789"
    report = parse(HEADER, pid, "PV1|1|O|||||||||||||||||V19", OBR)
    assert set(report.numbers) >= {"P2", "E9", "138****5678", "PI7", "P4", "A18", "V19"}
    assert report.masked_id_numbers == ("690101********1234", "690101*****6789")
    assert report.id_numbers == ()


@pytest.mark.parametrize(
    ("technician", "interpreter", "observer", "names"),
    [
        ("071&蒙&晓青", "082&覃柳英", "", ("蒙晓青", "覃柳英", "")),
        ("蒙晓青", "覃柳英", "", ("蒙晓青", "覃柳英", "")),
        ("071^蒙晓青", "082^覃^柳英", "091^韦志^远", ("蒙晓青", "覃柳英", "韦志远")),
        ("071", "", "lis01", ("", "", "")),
        ("", "9&Smith&John", "", ("", "Smith John", "")),
    ],
)
def test_who_examined_and_verified_is_taken_up_by_name_and_no_number_is_a_name(
    technician: str, interpreter: str, observer: str, names: tuple[str, str, str]
) -> None:
    obr = OBR + "|" * 7 + interpreter + "||" + technician
    (result,) = parse(HEADER, PID, obr, f"OBX|1|NM|WBC^白细胞^L||6.1|10*9/L|||||F|||20260801090000||{observer}").results
    assert (result.examined_by, result.verified_by, result.observations[0].examined_by) == names
