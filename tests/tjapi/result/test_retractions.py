"""What a laboratory's own words do to the value beside them: taken back, corrected, called another finding; and the harmless ones."""

import pytest

from adapters.lis import registry
from adapters.lis.contract import LabReport, UnparsableReport
from tests.tjapi.result.scene import OpenUnit, Scene, file, state_of, visit
from tests.tjapi.result.wire import asked, filed, message
from tjapi.result.rules.notes import denied, meant, weighs
from tjapi.result.rules.raw import called_critical
from tjapi.result.rules.values import amended, disputes, takes_back, voids

pytestmark = pytest.mark.requirement("E3.3", "E3.5")
K = "OBX|1|NM|K^钾^L||4.1|mmol/L|3.5-5.3||||F"
NA = "OBX|2|NM|NA^钠^L||140|mmol/L|135-145||||F"
WORDS = tuple(
    f"OBX|{i}|ST|{code}||阴性||||||F" for i, code in enumerate(("HBSAG", "HBSAB", "HBEAG", "HBEAB", "HBCAB"), 1)
)

VOID = {
    "report": "报告作废 已作废 作废 本报告作废,请勿使用 此单已作废 结果予以作废 报告已撤回 检验报告错误 错误报告 该项作废 作废原因：标签错误 報告作廢",
    "patient": "姓名与标本不符 标本信息不符 非本人标本 患者信息错误 张冠李戴 标本与申请单信息不一致 他人标本 血标本弄错",
    "label": "标签错误 条码贴错 标签有误 条形码与姓名不符",
    "tube": "抽错管 试管错误 采血管使用不当 用错管",
    "clotted": "标本凝固 标本有凝块 标本部分凝固 血样见小凝块 标本状态:凝固 凝块",
    "unfit": "溶血，无法报告 标本严重溶血,不予报告 标本不合格 标本量不足 标本不宜检测 标本退回 拒收 EDTA污染 疑输液污染 输液同侧采血 不排除标本错误 不能完全排除标本错误",
    "entered": "录入错误 误报 仪器报错 质控失控 测试数据 结果存疑",
    "cancelled": "已取消 检测取消 申请已撤销 结果已撤销",
    "unused": "请勿使用 此结果勿用 结果不可信 不可报告",
    "again": "建议重新采血 建议重抽血复查 重新采血 请重新采集标本 已联系护士重抽 护士已重新抽血 需重新送检 乙肝表面抗原标本错误",
    "unverified": "未审核 未经审核 待审核 初步结果",
}
ENGLISH = (
    "REPORTED IN ERROR", "Entered in error", "Result issued in error.", "Erroneous result", "wrong patient", "Wrong label", "wrong tube", "Mislabeled",
    "Specimen mislabelled", "WBIT", "Patient ID mismatch", "Specimen clotted", "sample is clotted", "Clotted.", "Small clots", "contaminated with IV fluid",
    "Unsuitable specimen", "specimen not suitable", "Specimen integrity compromised", "Not reportable", "Hemolyzed - not reportable", "QNS",
    "Sample hemolyzed; do not interpret", "DO NOT USE", "Do not report", "Should not be used", "Cancelled", "canceled by lab", "Test not performed",
    "VOID", "This result is void", "voided", "Result withdrawn", "Invalid result", "recollect", "Please redraw", "Repeat requested", "Please repeat",
    "New specimen required", "not verified", "TEST ONLY", "标本clotted", "Insufficient sample", "Rejected",
)  # fmt: skip
HARMLESS = (
    "未作废", "非作废报告", "标本轻度溶血", "标本溶血", "溶血+", "脂血", "无凝块", "标本无凝块", "标本未凝固", "未见凝块", "凝固法", "凝固酶阴性", "标本凝血时间正常", "血浆凝固时间12s",
    "无需重新采血", "不必重抽", "不建议重新采血", "已复检", "建议复查", "2周后复查", "核对无误", "标签无误", "已排除标本错误", "原报告作废，以本报告为准", "上次报告作废", "旧标签作废",
    "必要时请重新采血", "如有疑问,请重新采血", "结果有误请联系检验科", "个人信息有误请及时联系", "涂改无效", "复印无效", "未盖章无效", "逾期作废", "本报告仅对该标本负责", "结果仅供临床参考",
    "非空腹", "请结合临床", "是否作废：否", "凝块：无", "误差范围内", "标本合格", "与临床不符", "稀释后结果", "结果未作废", "抽血顺利", "避免误报", "未误报", "",
    "no clot", "no clots seen", "not clotted", "No visible clot", "clots: none", "not contaminated", "Clotting time 8 min", "clot retraction normal", "slightly hemolyzed",
    "Hemolyzed", "no evidence of contamination", "No need to recollect", "void if altered", "Invalid without signature", "Previously reported in error as 4.1", "If mislabeled please call",
    "Disregard previous report", "Vitamin D insufficient", "Lipemia may cause erroneous results", "not cancelled", "never rejected", "verified", "errors: none",
)  # fmt: skip


@pytest.mark.parametrize("note", [*(note for row in VOID.values() for note in row.split(" ")), *ENGLISH])
def test_words_that_take_a_value_back_are_understood(note: str) -> None:
    assert voids(note)
    assert weighs(note)
    assert takes_back("阴性", note)
    assert disputes(["阴性"], note)


@pytest.mark.parametrize(
    "note",
    [
        "复查中",
        "值 50 复查中",
        "正在复测",
        "待复检",
        "待复查",
        "复检结果未出",
        "复查后报告",
        "复测后再发报告",
        "结果待复核",
    ],
)
def test_a_value_that_is_being_measured_again_is_not_final(note: str) -> None:
    assert voids(note)


@pytest.mark.parametrize(
    "note", ["已复查", "请到复查中心", "建议复查", "待复查后一致", "如待复查", "门诊复查", "复查后一致"]
)
def test_a_value_that_was_measured_again_or_shall_be_later_is_what_it_is(note: str) -> None:
    assert not voids(note)


@pytest.mark.parametrize("note", HARMLESS)
def test_a_negation_a_condition_a_remark_and_a_footer_take_nothing_back(note: str) -> None:
    assert not voids(note)


@pytest.mark.parametrize(
    ("words", "note"),
    [
        *[(("阴性",), note) for note in ("更正为阳性", "更正为弱阳性", "更正:阳性", "结果更正为 阳性", "应为阳性", "实为阳性", "由阴性更正为阳性", "更正:12.5", "Corrected to positive", "changed from negative to positive", "更正为\n阳性", "更正為陽性", "更正为见报告")],
        *[(("阳性",), note) for note in ("假阳性，更正为阴性", "改为阴性", "Correction: negative")],
        *[(("4.1",), note) for note in ("更正：7.2", "更正：7.2 mmol/L", "更正为7.2", "结果应为7.2", "CORRECTED RESULT: 7.2, PREVIOUSLY REPORTED AS 4.1", "corrected to 7.2", "corrected from 4.1 to 7.2 mmol/L", "原结果4.1，更正为7.2", "更正为阳性", "should be 7.2", "姓名更正为张三")],
        (("A型",), "更正为B型"),
        *[(("2.3",), note) for note in ("复查 1.40", "复查1.40", "复测结果为1.40", "复检：1.40 mmol/L", "重测值 1.4", "已复测,复测值1.40", "稀释后复查 45", "手工计数 1.40", "第二次测定1.40", "实测1.4", "repeat 1.40", "Rechecked: 1.40", "rerun value 1.40", "manual count 1.4")],
    ],
)  # fmt: skip
def test_a_note_that_puts_something_else_in_the_place_of_a_value_is_understood(
    words: tuple[str, ...], note: str
) -> None:
    assert amended(words, note)
    assert weighs(note)
    assert disputes(words, note)


@pytest.mark.parametrize(
    ("words", "note"),
    [
        *[(("7.2",), note) for note in ("更正：7.2", "由4.1更正为7.2", "更正为7.20 mmol/L", "CORRECTED RESULT: 7.2, PREVIOUSLY REPORTED AS 4.1", "Corrected: previously reported as 4.1", "corrected from 4.1 to 7.2", "更正报告", "本次结果已更正", "更正时间：2026-11-30", "更正：2026-11-30 10:00", "参考范围更正为3.5-5.3", "采样时间改为8:00", "更正：原结果4.1", "corrected", "")],
        *[(("阳性",), note) for note in ("更正为阳性", "由阴性更正为阳性", "正常人应为阴性", "更正为阳性(+)")],
        (("A型",), "更正为A型"), (("133", "7.3"), "更正：133 mg/dL"),
        *[(("2.3",), note) for note in ("复查 2.30", "复测结果一致", "已复查2次", "复查 2 次", "3天后复查", "建议2周后复查", "复查1周", "1个月内复查", "复测2.3 mmol/L", "重测 2 遍", "repeat 2 times", "repeat 2.3", "repeat in 2 weeks", "recheck 3 months", "手工法", "稀释后测定", "复查 10:30", "复查 2026-11-30", "复查20261130", "repeat 20261130", "稀释后10倍", "稀释后 5 倍测定")],
    ],
)  # fmt: skip
def test_a_note_that_repeats_the_corrected_value_says_nothing_against_it(words: tuple[str, ...], note: str) -> None:
    assert not amended(words, note)


@pytest.mark.parametrize(
    "note",
    ["弱阳性(0.08)", "弱阳性 0.08", "HBsAg弱阳性", "灰区0.95", "S/CO 0.95,灰区", "第2次检测阳性", "复检阳性", "金标法阳性", "初筛阳性,待确证", "结果为阳性", "待确证", "检出", "阳性(1:80)", "1:8",
     "不排除阳性", "REACTIVE - confirm", "Repeatedly reactive", "low positive", "Trace detected", "borderline 0.9", "1+"],
)  # fmt: skip
def test_another_finding_beside_a_negative_speaks_against_it_with_its_figure_too(note: str) -> None:
    assert disputes(["阴性"], note)
    assert weighs(note)


@pytest.mark.parametrize(
    "note",
    ["阳性≥1.0", "阴性<1.0,阳性≥1.0", "灰区:0.9-1.1", "阳性提示感染", "参考值：阴性；阳性提示感染", "阳性者需进一步确证", "检出限0.05", "低于检出下限", "未检出", "非阳性", "无阳性发现", "not detected", "no antibodies detected",
     "Non-reactive", "positive results should be confirmed", "阴性不能排除感染", "既往乙肝表面抗体阳性", "0.01", "建议复查", "阴性(0.01)", "阴性预测值高", "if positive please confirm", "标本采集时间8:05", "Sample received at 8:05", "家族史阳性", "注：阳性为感染", "Negative for HBsAg", "HPV16阴性", "假阳性率低"],
)  # fmt: skip
def test_what_explains_or_denies_a_finding_says_nothing_against_a_negative(note: str) -> None:
    assert disputes(["阴性"], note) == []


def test_beside_a_number_and_a_text_notes_count_one_by_one_and_as_one() -> None:
    assert denied("numeric", "", ("4.1",), ("更正为", "7.2"))
    assert denied("numeric", "", ("4.1",), ("标本", "贴错"))
    assert denied("numeric", "", ("0.03",), ("弱阳性",))
    assert denied("text", None, ("心影不大",), ("本报告作废",))
    assert denied("multi_select", None, ("窦性心律",), ("报告作废",))
    assert disputes(("A型",), "更正为B型")
    assert not disputes(("A型",), "更正为A型")
    assert not denied("numeric", "", ("4.1",), ("标本轻度溶血", "已复检"))
    assert not denied("numeric", "H", ("12.5",), ("阳性",))


async def test_a_note_on_a_report_that_weighs_as_a_whole_only_is_heard(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", "NTE|1|L|标本", "NTE|2|L|贴错", K, NA)
    assert [item for item, _ in await asked(unit, scene)] == ["K", "NA"]


def test_a_code_is_named_as_a_word_and_a_specimen_is_of_all() -> None:
    said = [("钾", "K", False), ("氯", "CL", False), ("钠", "NA", False)]
    assert meant("Specimen CLOTTED", said) == [0, 1, 2]
    assert meant("肝素钠管错误，标本作废", said) == [0, 1, 2]
    assert meant("CL 更正为 99", said) == [1]
    assert meant("clinical 更正为 99", said) == [0, 1, 2]


# --- over the wire ---


@pytest.mark.parametrize("note", ["更正为阳性", "弱阳性(0.08)", "报告作废", "REPORTED IN ERROR"])
async def test_a_word_against_which_its_own_note_speaks_is_asked_about(unit: OpenUnit, note: str) -> None:
    scene = await visit(unit, "HBV")
    await filed(unit, scene, "HBV", WORDS[0], f"NTE|1|L|{note}", *WORDS[1:])
    kept = (await state_of(unit, scene))["HBSAG"]
    assert kept is not None
    assert kept[1] is None
    assert await asked(unit, scene) == [("HBSAG", "undetermined")]


@pytest.mark.parametrize("note", ["更正：7.2 mmol/L", "Specimen clotted", "标签错误", "弱阳性"])
async def test_a_number_against_which_its_own_note_speaks_is_asked_about(unit: OpenUnit, note: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filing = await filed(unit, scene, "ELECTROLYTE", K, f"NTE|1|L|{note}", NA)
    assert (filing.outcome, filing.reason) == ("unmatched", "value-implausible")
    assert await asked(unit, scene) == [("K", "implausible")]


async def test_a_correction_whose_note_names_its_own_value_is_filed(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await filed(unit, scene, "ELECTROLYTE", K.replace("F", "C"), "NTE|1|L|原结果5.1，更正为4.1", NA)
    assert await asked(unit, scene) == []


# --- of which order, of which specimen, in which segment ---

ORDERED = {"behind the person": ("|M\r", "|M\r{}\r"), "behind the visit": ("|M\r", "|M\rPV1|1|O\r{}\r")}


def _two_orders(scene: Scene, note: str, behind: str) -> bytes:
    """Return a message on two orders, with a note behind the person or the visit."""
    one = message(scene, "ELECTROLYTE", K, NA).decode()
    other = message(scene, "HBV", *WORDS).decode()
    before, put = ORDERED[behind]
    return (one.replace(before, put.format(note), 1) + other[other.index("OBR|") :]).encode()


@pytest.mark.parametrize("behind", ["behind the person", "behind the visit"])
async def test_a_note_before_all_orders_is_of_every_order(unit: OpenUnit, behind: str) -> None:
    scene = await visit(unit, "ELECTROLYTE", "HBV")
    await file(
        unit, registry.parser("hl7_mllp")(_two_orders(scene, "NTE|1|L|标本采错，非本人血样，本报告作废", behind))
    )
    assert [item for item, _ in await asked(unit, scene)] == ["HBCAB", "HBEAB", "HBEAG", "HBSAB", "HBSAG", "K", "NA"]


async def test_a_note_behind_an_orc_is_of_its_own_order_alone(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE", "HBV")
    raw = _two_orders(scene, "ORC|RE\rNTE|1|L|报告作废", "behind the person")
    await file(unit, registry.parser("hl7_mllp")(raw))
    assert [item for item, _ in await asked(unit, scene)] == ["K", "NA"]


@pytest.mark.parametrize(
    ("condition", "items"),
    [("CLOT^Clotted^HL70493", ["K", "NA"]), ("CLOT", ["K", "NA"]), ("CON~HEM", ["K", "NA"]), ("^凝块", ["K", "NA"]), ("标本不合格", ["K", "NA"]), ("SNR", ["K", "NA"]),
     ("HEM^Hemolyzed", []), ("COOL", []), ("合格", []), ("ROOM~良好", []), ("", [])],
)  # fmt: skip
async def test_the_condition_of_a_specimen_is_heard(unit: OpenUnit, condition: str, items: list[str]) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    barcode = scene.barcodes["ELECTROLYTE"]
    raw = (
        message(scene, "ELECTROLYTE", K, NA)
        .decode()
        .replace(f"SPM|1|{barcode}", f"SPM|1|{barcode}{'|' * 22}{condition}")
    )
    told = await file(unit, registry.parser("hl7_mllp")(raw.encode()))
    assert [item for item, _ in await asked(unit, scene)] == items
    assert told.outcome == ("unmatched" if items else "filed")


def _parsed(*segments: str) -> LabReport:
    head = "MSH|^~\\&|LIS|LAB|TJ||20261123120000+0800||ORU^R01|M1|P|2.5.1||||||UNICODE UTF-8\rPID|1||X1^^^TJ^VN\r"
    return registry.parser("hl7_mllp")((head + "\r".join(segments) + "\r").encode())


OBR = "OBR|1|L1||G"


def test_what_is_not_understood_and_not_empty_is_named() -> None:
    assert _parsed(OBR, K, "ZNT|1|危急值，作废", "OBY|2|NM|NA||170").left_out == (
        "ZNT[1]: a segment that is not understood",
        "OBY[1]: a segment that is not understood",
    )
    assert _parsed(OBR, K, "SPM|1|B1" + "|" * 22 + "QX9").left_out == ("SPM[1]-24: a condition that is not understood",)
    assert _parsed("ORC|RE", OBR, "TQ1|1", "ZZZ|", "ZYX||", K, "PRT|1").left_out == ()
    assert _parsed(OBR, K, "ORC|RE", "NTE|1|L|作废").left_out == ("ORC: a note on an order that does not follow",)


@pytest.mark.parametrize("piece", ["ADD|作废，标本错误", "DSC|CONT1|F"])
def test_a_message_in_pieces_is_refused_by_name(piece: str) -> None:
    with pytest.raises(UnparsableReport, match=piece[:3]):
        _parsed(OBR, K, "NTE|1|L|结果", piece)


def test_what_a_piece_goes_on_with_is_heard_at_the_door() -> None:
    raw = f"MSH|^~\\&|LIS\r{OBR}\r{K}\rNTE|1|L|危急\rADD|值，已电话通知\r"
    assert called_critical(raw.encode()) == ["K"]


def test_a_note_that_stands_beside_its_text_is_read_and_a_mere_kind_of_note_is_none() -> None:
    report = _parsed(OBR, K, "NTE|1|L||危急值^危急值", "NTE|2|结果作废", "NTE|3|L||RE^Remark^HL70364")
    assert report.results[0].observations[0].remarks == ("危急值", "结果作废")


def test_of_two_specimens_before_all_orders_none_is_lost_and_alternate_words_refuse() -> None:
    refused = "SPM|1|B1" + "|" * 19 + "^^^RC^凝块"
    result = _parsed(refused, "SPM|2|B1", OBR, K).results[0]
    assert result.refused is not None
    assert (result.refused.reason, result.refused.text) == ("clotted", "凝块")
