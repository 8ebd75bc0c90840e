"""A value that contradicts itself, or the flag that its own laboratory gives it, goes to a person; what is flagged critical alarms, read or not."""

from dataclasses import replace

import pytest

from adapters.lis import registry
from tests.tjapi.result.scene import OpenUnit, Scene, alerts_of, file, observation, report, state_of, visit
from tjapi.kernel.ids import uuid7
from tjapi.result import repository
from tjapi.result.rules.flags import Flag, calls_critical, contradicts, flags_said, lab_critical, lab_flag, lab_unknown
from tjapi.result.rules.raw import called_critical
from tjapi.result.rules.reading import Said, put_together, understood
from tjapi.result.rules.values import finding_words, parse, takes_back, voids
from tjapi.result.service import Filing

pytestmark = pytest.mark.requirement("E3.3", "E3.5", "X4")
WHEN = "20261123120000+0800"


def _message(scene: Scene, group: str, *segments: str) -> bytes:
    head = f"MSH|^~\\&|LIS|LAB|TJ||{WHEN}||ORU^R01|{uuid7().hex[:12]}|P|2.5.1||||||UNICODE UTF-8"
    who = f"PID|1||{scene.exam_no}^^^TJ^VN||{scene.name}||19860301|M"
    order = f"OBR|1|{scene.placers[group]}||{group}|||{WHEN}"
    return ("\r".join((head, who, order, *segments, f"SPM|1|{scene.barcodes[group]}")) + "\r").encode()


async def _filed(unit: OpenUnit, scene: Scene, group: str, *segments: str) -> Filing:
    return await file(unit, registry.parser("hl7_mllp")(_message(scene, group, *segments)))


async def _asked(unit: OpenUnit, scene: Scene) -> list[tuple[str, str]]:
    async with unit() as uow:
        found = await repository.questions_of(uow, scene.exam_id)
        return sorted((q.item_code, q.kind) for q in found if q.closed_at is None)


async def _alarms(unit: OpenUnit, scene: Scene) -> list[str]:
    return [c.rule_code for c in await alerts_of(unit, scene.exam_id)]


# --- a flag on what is left out ---

LEFT_OUT = [
    "OBX|1|ED|K^钾^L||^application^pdf^Base64^JVBERi0=|mmol/L||{}|||F",
    "OBX|1|RP|K^钾^L||file://x^image^jpeg|||{}|||F",
    "OBX|1|TX|K^钾^L||7.2 " + "x" * 70_000 + "|mmol/L||{}|||F",
]


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("flag", ["HH", "LL", "AA", "^危急值", "N^^^HH^危急高^99LIS"])
@pytest.mark.parametrize("obx", LEFT_OUT, ids=["ED", "RP", "long"])
async def test_what_is_left_out_alarms_and_is_asked_about_where_the_laboratory_calls_it_critical(
    unit: OpenUnit, obx: str, flag: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    for _ in range(2):
        filing = await _filed(unit, scene, "ELECTROLYTE", obx.format(flag))
        assert (filing.outcome, filing.reason) == ("unmatched", "value-unread")
    assert await state_of(unit, scene) == {}
    assert await _asked(unit, scene) == [("K", "unread")]
    assert await _alarms(unit, scene) == ["LAB-CRITICAL"]


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    "obx",
    [
        "OBX|1|ED|PDF^危急值报告单^L||^application^pdf^Base64^JVBERi0=|||AA|||F",
        "OBX|1|ED|||^application^pdf^Base64^JVBERi0=|||AA|||F",
        "OBX|1|NM||||||HH|||F",
    ],
    ids=["unknown code", "document without a code", "no code and no value"],
)
async def test_what_is_left_out_and_belongs_to_no_item_alarms_where_it_is_called_critical(
    unit: OpenUnit, obx: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filing = await _filed(unit, scene, "ELECTROLYTE", obx)
    assert (filing.outcome, filing.reason) == ("unmatched", "unknown-code")
    assert await _alarms(unit, scene) == ["LAB-CRITICAL"]


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("flag", ["", "N", "A", "H"])
@pytest.mark.parametrize("obx", LEFT_OUT, ids=["ED", "RP", "long"])
async def test_what_is_left_out_and_is_not_called_critical_is_named_and_asks_nothing(
    unit: OpenUnit, obx: str, flag: str
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filing = await _filed(unit, scene, "ELECTROLYTE", obx.format(flag), "OBX|2|NM|NA||140|mmol/L|||||F")
    assert (filing.outcome, filing.reason, filing.detail["filed"]) == ("unmatched", "left-out", 1)
    assert (await _asked(unit, scene), await _alarms(unit, scene)) == ([], [])


@pytest.mark.requirement("E5.2")
async def test_a_document_that_is_called_critical_beside_its_value_alarms_by_the_value(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _filed(unit, scene, "ELECTROLYTE", "OBX|1|NM|K||5.1|mmol/L|||||F", LEFT_OUT[0].format("HH"))
    assert (await state_of(unit, scene))["K"] == ("5.1", "", "final")
    assert await _alarms(unit, scene) == ["LAB-CRITICAL"]


async def test_of_a_message_of_nobody_known_a_document_that_is_called_critical_is_named(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    said = registry.parser("hl7_mllp")(_message(scene, "ELECTROLYTE", LEFT_OUT[0].format("N^^^HH")))
    said = replace(said, exam_no=None, results=(replace(said.results[0], barcode="none", placer_no="none"),))
    assert (await file(unit, said)).detail["alarming"] == ["K"]


# --- a flag with more parts than one ---


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    "flag",
    [
        "N^^^HH^危急高^99LIS", "H^危急值^99LIS", "^^^HH^危急高^99LIS", "^^^^危急高", "H^High^HL70078^^^^^^危急值", "N~^^^HH", "0^^99LIS^HH",
        f"N^{'x' * 250}^L^HH",
    ],
)  # fmt: skip
async def test_a_flag_is_critical_by_whichever_of_its_parts_says_so(unit: OpenUnit, flag: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _filed(unit, scene, "ELECTROLYTE", f"OBX|1|NM|K^钾^L||5.1|mmol/L|3.5-5.3|{flag}|||F")
    assert await _alarms(unit, scene) == ["LAB-CRITICAL"]
    raw = _message(scene, "ELECTROLYTE", f"OBX|1|NM|K^钾^L||5.1|mmol/L|3.5-5.3|{flag}|||F")
    assert called_critical(raw) == ["K"]


@pytest.mark.parametrize("flag", ["N^Normal^HL70078", "H^Above high normal^HL70078^^偏高^99LIS", "N^^^0^随便^99LIS"])
async def test_what_stands_beside_a_flag_and_adds_nothing_asks_nothing(unit: OpenUnit, flag: str) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    filing = await _filed(unit, scene, "ELECTROLYTE", f"OBX|1|NM|K^钾^L||5.1|mmol/L|3.5-5.3|{flag}|||F")
    assert (filing.outcome, await _asked(unit, scene), await _alarms(unit, scene)) == ("filed", [], [])
    async with unit() as uow:
        (kept,) = await repository.revisions_of_exam(uow, scene.exam_id)
        assert kept.lis_flags == flag[0]


@pytest.mark.parametrize(
    ("flags", "beside", "said"),
    [
        (("H",), ("High",), ("H",)), (("N",), ("HH", "危急高"), ("N", "HH")), (("H",), ("危急值",), ("H", "危急值")), (("N",), ("见报告",), ("N",)),
        (("N",), ("POS",), ("N", "POS")), ((), (), ()), (("L",), ("偏高",), ("L", "偏高")), (("HH",), ("危急高",), ("HH",)),
    ],
)  # fmt: skip
def test_of_what_stands_beside_a_flag_that_is_taken_which_says_more(
    flags: tuple[str, ...], beside: tuple[str, ...], said: tuple[str, ...]
) -> None:
    assert flags_said(flags, beside) == said


def test_a_flag_that_was_sent_with_its_separators_is_read_in_its_parts() -> None:
    assert lab_critical(["H^危急值^99LIS"])
    assert lab_critical(["N^^^HH^危急高^99LIS"])
    assert lab_flag(["N^^^H^偏高^99LIS"]) == "H"
    assert not lab_unknown(["H^Above high normal^HL70078"])
    assert lab_unknown(["?^H^L"])


# --- a word and the flag beside it ---

OF_WORDS = [
    *[("阴性", flag, True) for flag in ("POS", "阳性", "DET", "RR", "WR", "+", "++", "弱阳性", "±", "IND", "E", "A", "positive", "Reactive", "Detected")],
    *[("阳性", flag, True) for flag in ("NEG", "阴性", "ND", "NR", "IND", "negative", "未检出")],
    *[("2+", flag, True) for flag in ("NEG", "ND")],
    *[("阴性", flag, False) for flag in ("NEG", "阴性", "ND", "NR", "N", "", "-", "*")],
    *[("阳性", flag, False) for flag in ("POS", "阳性", "DET", "RR", "WR", "+", "A", "H", "")],
    *[("弱阳性", flag, False) for flag in ("POS", "±", "WR")],
    ("±", "NEG", True), ("±", "IND", False), ("±", "POS", False),
]  # fmt: skip


@pytest.mark.parametrize(("word", "flag", "asked"), OF_WORDS)
def test_a_word_contradicts_a_flag_that_says_the_opposite(word: str, flag: str, asked: bool) -> None:
    value = parse(word)
    ours: Flag | None = "" if word == "阴性" else "A"
    assert contradicts("qualitative", ours, value, [flag]) == asked, word
    assert not lab_unknown([flag]) or flag == "++", "of signs nobody knows what they mean beside a number"
    # Of an item that nobody judges (乙肝表面抗体) the opposite is a contradiction as well.
    if flag != "A":
        assert contradicts("enumerated", None, value, [flag]) == asked


@pytest.mark.parametrize(
    ("kind", "ours", "raw", "flags", "asked"),
    [
        ("numeric", "", "5.1", ("H",), False), ("numeric", "H", "5.9", ("L",), True), ("numeric", "", "0.02", ("POS",), True),
        ("numeric", "", "0.02", ("WR",), True), ("numeric", "H", "1.02", ("POS",), False), ("numeric", "", "0.02", ("NEG",), False),
        ("numeric", "", "0.02", ("+",), False), ("numeric", None, "0.02", ("POS",), False),
        ("numeric", "", "5.1", ("H", "L"), True), ("numeric", None, "5.1", ("H", "L"), True), ("text", "", "未见异常", ("A",), True),
        ("text", "", "未见异常", ("阳性",), True), ("text", None, "肝囊肿", ("A",), False), ("enumerated", "", "未见", ("+",), True),
        ("enumerated", "A", "查见", ("ND",), True), ("enumerated", "A", "查见", ("+",), False), ("enumerated", None, "A型", ("N",), False),
        ("numeric", "H", "5.9", ("HH",), False),
    ],
)  # fmt: skip
def test_a_value_contradicts_a_flag_that_says_another_side(
    kind: str, ours: Flag | None, raw: str, flags: tuple[str, ...], asked: bool
) -> None:
    assert contradicts(kind, ours, parse(raw), flags) == asked


@pytest.mark.parametrize(
    ("code", "word", "flag"),
    [
        ("HBSAG", "阴性", "POS"), ("HBSAG", "阴性", "阳性"), ("HBSAG", "阴性", "DET"), ("HBSAG", "阴性", "RR"), ("HBSAG", "阴性", "WR"),
        ("HBSAG", "阴性", "+"), ("HBSAG", "阴性", "N^^^POS"), ("HBSAG", "阳性", "NEG"), ("HBSAG", "阳性", "ND"), ("HBSAB", "阴性", "POS"),
        ("HBCAB", "阳性", "阴性"),
    ],
)  # fmt: skip
async def test_a_word_whose_flag_says_the_opposite_is_asked_about(
    unit: OpenUnit, code: str, word: str, flag: str
) -> None:
    scene = await visit(unit, "HBV")
    filing = await _filed(unit, scene, "HBV", f"OBX|1|ST|{code}^x^L||{word}|||{flag}|||F")
    assert filing.reason == "value-implausible"
    assert await _asked(unit, scene) == [(code, "implausible")]


@pytest.mark.parametrize(
    ("word", "beside", "taken_back"),
    [
        ("阴性", "1:320", True), ("阴性", "阳性", True), ("阴性", "Detected", True), ("未见", "弱阳性", True), ("阳性", "1:320", False),
        ("阴性", "not detected", False), ("阴性", "非阳性", False), ("阴性", "胶体金法", False),
    ],
    ids=["titre", "positive", "detected", "weak", "of-a-positive", "not-detected", "denied", "method"],
)  # fmt: skip
def test_words_beside_a_negative_that_say_the_opposite_take_it_back(word: str, beside: str, taken_back: bool) -> None:
    assert takes_back(word, beside) is taken_back


# --- a coded result that says two things ---

CODED = [
    "260385009^Negative^SCT^^Invalid result", "NEG^阴性^L^POS^阳性^L", "POS^阴性^L", "NEG^阴性^L^POS", "NEG^阴性^L^^灰区", "NEG^阴性^L^IND^不确定^L",
    "NEG^阴性^L^^^^^^检测无效", "^阴性^^^弱阳性", "^阴性^^^±", "^阴性^^^待复检", "^阴性^^^Detected", "^阴性^^^1:320",
]  # fmt: skip


@pytest.mark.parametrize("code", ["HBSAG", "HBSAB"])
@pytest.mark.parametrize("value", CODED)
async def test_a_coded_result_whose_parts_disagree_is_undetermined(unit: OpenUnit, value: str, code: str) -> None:
    scene = await visit(unit, "HBV")
    await _filed(unit, scene, "HBV", f"OBX|1|CE|{code}||{value}||||||F")
    assert [flag for _, flag, _ in [s for s in (await state_of(unit, scene)).values() if s]] == [None]
    assert await _asked(unit, scene) == [(code, "undetermined")]


@pytest.mark.parametrize(
    "value",
    ["260385009^Negative^SCT", "NEG^阴性^L^0^未检出^L", "-^阴性^L", "260385009^Negative^SCT^N^阴性^L^^^阴性(-)", "NEG^阴性^L^^Not detected", "NEG^阴性^L^^胶体金法", "^阴性^^^<1:10"],
)  # fmt: skip
async def test_a_coded_result_whose_parts_agree_is_what_they_say(unit: OpenUnit, value: str) -> None:
    scene = await visit(unit, "HBV")
    assert (await _filed(unit, scene, "HBV", f"OBX|1|CE|HBSAG||{value}||||||F")).outcome == "filed"
    assert [s[1] for s in (await state_of(unit, scene)).values() if s] == [""]
    assert await _asked(unit, scene) == []


@pytest.mark.parametrize("word", ["检测无效", "灰区", "可疑", "标本溶血", "Invalid", "equivocal", "疑似阳性", "需重测"])
@pytest.mark.parametrize("first", [True, False])
async def test_a_second_observation_that_takes_the_word_back_makes_both_undetermined(
    unit: OpenUnit, word: str, first: bool
) -> None:
    scene = await visit(unit, "HBV")
    said = ["阴性", word] if first else [word, "阴性"]
    await file(unit, report(scene, "HBV", *(observation("HBCAB", w) for w in said)))
    assert await _asked(unit, scene) == [("HBCAB", "undetermined")]


@pytest.mark.parametrize(
    ("kind", "said", "others", "is_read"),
    [
        ("qualitative", "阴性", ("阳性",), False), ("qualitative", "阴性", ("NEG", "0.02"), True), ("qualitative", "弱阳性", ("±", "1+"), True),
        ("qualitative", "1+", ("3+",), False), ("qualitative", "阳性", ("2+",), True), ("enumerated", "未见", ("查见",), False),
        ("enumerated", "未见", ("未见", "U"), True), ("multi_select", "未见", ("查见",), True), ("multi_select", "未见", ("结果无效",), False),
        ("text", "未见", ("结果无效",), False), ("text", "未见", ("未见",), True), ("numeric", "5.1", ("检测无效",), True),
    ],
)  # fmt: skip
def test_what_is_said_in_other_words_agrees_or_nothing_is_read(
    kind: str, said: str, others: tuple[str, ...], is_read: bool
) -> None:
    known = ["阴性", "阳性", "未见", "查见"]
    (one,), unread = put_together(kind, [Said(said, "", 0, others)], [], known)
    assert unread is None
    value = one.reading.value
    if kind == "multi_select" and is_read:
        assert value.text == "未见;查见"  # and normal stands beside no other
    elif kind == "text":
        assert (value.text == said) == is_read
    elif kind == "numeric":
        assert value.text == said
    else:
        assert understood(kind, value, known) == is_read


# --- a day and a time ---


@pytest.mark.parametrize(
    ("kind", "said", "read"),
    [
        ("TS", "202611281600+0000", "2026-11-29 00:00:00"), ("DTM", "20261128160000Z", "2026-11-29 00:00:00"), ("DT", "202611281600+0000", "2026-11-29"),
        ("TS", "202611290030+0900", "2026-11-28 23:30:00"), ("TS", "20261129093000+0800", "2026-11-29 09:30:00"), ("TS", "20261129", "2026-11-29"),
        ("DT", "20261129+0900", "2026-11-29"), ("TS", "20261129+0000", "2026-11-29"), ("TS", "202611290930", "2026-11-29 09:30:00"),
    ],
)  # fmt: skip
def test_a_moment_in_a_value_is_told_on_the_hospitals_day(kind: str, said: str, read: str) -> None:
    head = f"MSH|^~\\&|LIS|LAB|TJ||{WHEN}||ORU^R01|M1|P|2.5.1||||||UNICODE UTF-8\rPID|1||X1^^^TJ^VN\rOBR|1|L1||G\r"
    found = registry.parser("hl7_mllp")(f"{head}OBX|1|{kind}|LMP||{said}||||||F\r".encode())
    assert found.results[0].observations[0].raw_value == read


@pytest.mark.parametrize(
    "said", ["危", "危急", "偏高危", "低危急值", "高危值", "高危急值", "高危!", "危险", "极高危急"]
)
def test_a_flag_that_calls_a_value_critical_is_one_however_it_is_written(said: str) -> None:
    assert lab_critical([said])


@pytest.mark.parametrize(
    "said", ["高危", "低危", "中危", "高危型", "极高危", "很高危", "中高危", "危险因素", "高危人群", "危险度"]
)
def test_a_grade_of_a_risk_is_no_alarm_and_is_asked_about(said: str) -> None:
    assert not lab_critical([said])
    assert lab_unknown([said])


# --- a word that is no negative ---


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        *[(raw, None) for raw in ("2-", "0.05-", "12.5 -", "阴性 1:320", "阴性(1:320)", "1:80(-)", "1:320 neg", "阴性 >1:10", "—", "–", "―", " — ")],
        *[(raw, "阴性") for raw in ("-", "－", "‐", "−", "(—)", "（–）", "[—]", "阴性(—)", "阴性—", "-(0)", "0.02(-)", "阴性(-) 0.05", "阴性(<0.05)", "阴性(<1:10)")],
        ("阳性 1:320", "阳性"), ("1:320(+)", "1+"),
    ],
)  # fmt: skip
def test_a_minus_behind_a_number_a_titre_and_a_lone_dash_are_no_negative(raw: str, expected: str | None) -> None:
    assert finding_words(raw) == expected


@pytest.mark.parametrize("raw", ["2-", "0.05-", "阴性 1:320", "—"])
async def test_what_may_be_a_negative_and_may_be_none_is_asked_about(unit: OpenUnit, raw: str) -> None:
    scene = await visit(unit, "HBV")
    await _filed(unit, scene, "HBV", f"OBX|1|ST|HBSAG||{raw}||||||F")
    assert (await state_of(unit, scene))["HBSAG"] == (raw, None, "final")
    assert await _asked(unit, scene) == [("HBSAG", "undetermined")]


# --- words beside a value ---


@pytest.mark.parametrize(
    "note",
    [
        "危急值", "危急值，已电话通知临床", "已达危急值范围", "达到危急值标准", "属危急值", "*危急值*", "结果为危急值", "危急值(已报)", "Critical value called to Dr. Li",
        "PANIC VALUE", "critical", "双侧侧脑室出血,危急值,已报",
        "危急值未通知到临床", "危急值未能联系", "危急值 电话无人接听", "危急值已取消通知", "不能排除危急值",
        "不除外危急值", "危急值标记：是", "是否危急值：是", "符合危急值标准", "危急值:已报", "危機值", "危 急 值", "危\n急值", "危急值\n未能联系临床", "溶血\n危急值",
    ],
)  # fmt: skip
def test_words_that_call_a_value_critical_are_understood(note: str) -> None:
    assert calls_critical(note)


@pytest.mark.parametrize(
    "note",
    [
        "非危急值", "未达危急值", "无危急值", "*为危急值", "危急值参考范围:<2.5 或 >6.5", "若为危急值请联系", "如遇危急值请立即报告", "危急值已解除", "critical limits 2.5-6.5",
        "not critical", "血钾正常", "", "危急值:否", "是否危急值：否", "危急值：无", "危急值已排除", "如有危急值请联系", "危急值标准:K>6.2", "不属于危急值", "不是危急值",
        "危急值报告制度", "未达到危急值标准", "是否危急值",
    ],
)  # fmt: skip
def test_words_that_explain_or_deny_call_nothing_critical(note: str) -> None:
    assert not calls_critical(note)


@pytest.mark.parametrize(
    "note",
    [
        "检测无效", "结果无效", "标本错误", "请重新采血", "样本作废", "Result invalid", "INVALID", "Specimen mislabeled", "结果不可靠", "仪器故障", "需重测", "作废",
        "检测失败", "Do not use", "溶血，结果不可信", "标本采错", "非本人标本", "条码贴错", "结果已撤销", "以复查结果为准", "标本量不足", "标本污染", "QNS", "Recollect", "檢測無效", "標本錯誤", "检测 无效", "结果\n无效", "结果无效\n如需复印请联系",
    ],
)  # fmt: skip
def test_words_that_take_a_number_back_are_understood(note: str) -> None:
    assert voids(note)


@pytest.mark.parametrize(
    "note",
    ["本结果复印无效", "如结果有误请联系检验科", "本数据涂改无效", "标本轻度溶血", "已复检", "建议复查", "核对无误", "样本无误", "未见异常", "if invalid please call", "", "如对结果有疑问，请重新检测。", "本次结果已更正，原结果作废", "结果有误请联系检验科"],
)  # fmt: skip
def test_remarks_and_footers_take_no_number_back(note: str) -> None:
    assert not voids(note)


SAID_BESIDE = {
    "note": ("OBX|1|NM|K^钾^L||5.1|mmol/L|3.5-5.3||||F", "NTE|1|L|{}"),
    "own observation": ("OBX|1|NM|K^钾^L||5.1|mmol/L|3.5-5.3||||F", "OBX|2|TX|K^钾^L||{}||||||F"),
    "repetition": ("OBX|1|ST|K^钾^L||5.1~{}|mmol/L|3.5-5.3||||F",),
}


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("segments", SAID_BESIDE.values(), ids=SAID_BESIDE)
async def test_a_value_that_is_called_critical_in_words_alarms(unit: OpenUnit, segments: tuple[str, ...]) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _filed(unit, scene, "ELECTROLYTE", *(one.format("危急值，已电话通知") for one in segments))
    assert await _alarms(unit, scene) == ["LAB-CRITICAL"]


@pytest.mark.parametrize("segments", SAID_BESIDE.values(), ids=SAID_BESIDE)
async def test_a_number_that_words_beside_it_take_back_is_asked_about(
    unit: OpenUnit, segments: tuple[str, ...]
) -> None:
    scene = await visit(unit, "ELECTROLYTE")
    await _filed(unit, scene, "ELECTROLYTE", *(one.format("标本错误，结果无效") for one in segments))
    assert len(await _asked(unit, scene)) == 1
