"""Exams of people who do not exist, as the rows of which a report is made: ordinary ones, and those that break layouts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from tjapi.kernel.ids import uuid7
from tjapi.report.layout import report_data
from tjapi.report.views import ReportSource
from tjapi.result.schemas import TrendOut, TrendPointOut

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
VERIFY = "https://tj.example.cn/verify/" + "a3" * 16
LONG_NAME = "岑布洛陀米洛甲·特康达汪·韦莫一花婆娅王"
"""Twenty characters, as Zhuang names in Chinese writing may have."""
ADVICE = "低脂、低糖饮食，限制动物内脏、蛋黄与油炸食品；每周进行 150 分钟以上中等强度有氧运动（如快走、游泳、八段锦等）；3 个月后复查。若仍高于 3.4 mmol/L，请到心血管内科就诊。"


@dataclass
class Specimen:
    """An exam being put together."""

    name: str = "覃桂兰"
    sex: str = "female"
    age: int = 46
    package: str = "职工健康体检套餐"
    overview: str = ""
    results: list[Any] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)
    sheets: list[Any] = field(default_factory=list)
    unperformed: list[Any] = field(default_factory=list)
    trends: list[TrendOut] = field(default_factory=list)

    def item(
        self, department: str, group: str, name: str, value: str, *, unit: str = "", bounds: tuple[str | None, str | None] | None = None,
        flag: str = "", code: str = "X",
    ) -> UUID:  # fmt: skip
        """Add a result and return its id."""
        names = [r.department for r in self.results]
        department_id = names.index(department) if department in names else len(self.results)
        result_id = uuid7()
        self.results.append(
            SimpleNamespace(
                department_id=department_id, department=department, department_sort=department_id, group_name=group, line_sort=0,
                result_id=result_id, item_name=name, item_code=code, raw_value=value, flag=flag, unit=unit,
                range_snapshot={"low": bounds[0], "high": bounds[1]} if bounds else None, lis_range_text=None,
                kind="numeric" if unit or bounds else "text", judged=bool(bounds), remarks=None, choices=None, alert=None, lab_alarm=False, alert_ids=(),
                by_person=False, lis_flags=None, dismissed_for=None, examined_by="", verified_by="", reported_at=None,
            )
        )  # fmt: skip
        return result_id

    def found(self, kind: str, title: str, *, advice: str = ADVICE, detail: str = "", lifestyle: str = "", rests_on: Sequence[UUID] = ()) -> None:  # fmt: skip
        """Add what was concluded."""
        self.entries.append(
            SimpleNamespace(kind=kind, title=title, detail=detail, advice=advice, lifestyle=lifestyle, result_ids=list(rests_on), own_critical=False, only_words=False, stale=False, soon=None)
        )  # fmt: skip

    def signed(self, department: str, doctor: str = "韦素兰", summary: str = "未见明显异常。") -> None:
        """Have a department's sheet signed, also where nothing was examined."""
        department_id = next((r.department_id for r in self.results if r.department == department), len(self.results))
        self.sheets.append(
            SimpleNamespace(
                department_id=department_id, department=department, department_sort=department_id, summary=summary,
                signer_name=doctor, signed_at=NOW, stale=False,
            )
        )  # fmt: skip

    def trend(
        self, name: str, unit: str, bounds: tuple[str | None, str | None], values: Sequence[tuple[int, str, str | None]], change: str,
        code: str = "GLU",
    ) -> None:  # fmt: skip
        """Add a number through the years, newest first, as `trends` gives it."""
        points = [
            TrendPointOut(exam_id=uuid7(), exam_date=date(year, 11, 20), value=value, flag=flag)
            for year, value, flag in values
        ]
        self.trends.append(
            TrendOut(item_id=uuid7(), item_code=code, item_name=name, unit=unit, low=bounds[0], high=bounds[1], change=change, points=points)
        )  # fmt: skip

    def data(
        self, *, version: int = 1, watermark: str | None = "演示", photo: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return what the template prints."""
        head = SimpleNamespace(
            exam_no="TA26112000017", exam_date=date(2026, 11, 20), package_name=self.package, name=self.name, sex=self.sex,
            age_years=self.age, age_days=self.age * 366, birth_date=date(1980, 3, 14), campus_id=1, campus_name="青山院区", id_number_masked="690101********0012",
            phone_masked="199****0000",
            guardians="", pregnant=False,
        )  # fmt: skip
        closing = SimpleNamespace(
            overview=self.overview,
            overview_stale=False,
            initial_name="农志明",
            initial_at=NOW,
            final_name="苏文澜",
            final_at=NOW,
        )
        rows = ReportSource(head, self.results, self.sheets, closing, self.entries, self.unperformed)
        return report_data(
            rows, self.trends, hospital_name="桂澄中医医院(演示)", version=version, watermark=watermark, printed_at=NOW, verify_url=VERIFY,
            photo=photo,
        )  # fmt: skip


def one_item() -> Specimen:
    """Somebody came for the blood sugar alone."""
    made = Specimen(package="", overview="空腹血糖在参考范围内。")
    made.item("检验科", "空腹血糖", "空腹血糖", "5.1", unit="mmol/L", bounds=("3.9", "6.1"))
    made.signed("检验科", "蒙晓青")
    return made


def nothing_found() -> Specimen:
    """Nothing to conclude, nothing out of range."""
    made = Specimen()
    _general(made)
    for department in ("一般检查", "内科"):
        made.signed(department)
    return made


def rare(name: str) -> Specimen:
    """A name that fonts and layouts stumble over."""
    made = nothing_found()
    made.name = name
    return made


def critical() -> Specimen:
    """A critical value, an ordinary disease and a risk factor, entered in the wrong order; one examination refused."""
    made = Specimen(sex="male", name="韦志远")
    _general(made)
    bmi = made.item("一般检查二", "一般检查", "体重指数", "29.3", unit="kg/m2", bounds=("18.5", "23.9"), flag="H")
    potassium = made.item("检验科", "电解质", "血钾", "6.5", unit="mmol/L", bounds=("3.5", "5.3"), flag="HH")
    platelets = made.item("检验科", "血常规", "血小板计数", "95", unit="10*9/L", bounds=("125", "350"), flag="L")
    made.item("检验科", "肾功能", "尿酸", "380", unit="umol/L", bounds=("208", "428"))
    nodule = made.item("超声科", "甲状腺彩超", "甲状腺", "左叶中部见一低回声结节，大小约 5 mm × 4 mm，边界清，形态规则，CDFI 未见明显血流信号。", flag="A")  # fmt: skip
    made.found("risk", "肥胖", rests_on=[bmi], lifestyle="循序渐进地增加运动，控制主食。")
    made.found("finding", "甲状腺结节（TI-RADS 3 类）", rests_on=[nodule], advice="6–12 个月后复查甲状腺彩超。")
    made.found("finding", "血小板减少", rests_on=[platelets])
    made.found("disease", "高钾血症", rests_on=[potassium], advice="请立即到急诊或肾内科复查血钾与心电图。")
    made.overview = "血钾危急值已于检查当日电话告知本人，并建议立即就医。"
    made.unperformed.append(SimpleNamespace(department="放射科", name="低剂量胸部 CT", state="refused", holds=[]))
    for department in ("一般检查", "内科", "检验科", "超声科"):
        made.signed(department, summary="见异常结果汇总。")
    return made


def sixty_items() -> Specimen:
    """As much as an ordinary package holds."""
    made = critical()
    for group, count in (("血细胞分析(五分类)", 22), ("肝功能全套", 15), ("肾功能全套", 8), ("尿液分析", 12)):
        for number in range(count):
            high = number % 7 == 3
            made.item(
                "检验科二", group, f"{group}第 {number + 1} 项", f"{5 + number / 10:.1f}", unit=("10^9/L", "U/L", "mmol/L", "")[number % 4],
                bounds=("3.5", "5.2" if high else "9.5"), flag="H" if high else "",
            )  # fmt: skip
    for title in ("血脂异常（混合型）", "高尿酸血症", "脂肪肝（轻度）伴谷丙转氨酶升高", "血压偏高"):
        made.found("disease", title, detail="多项结果高于参考上限。", lifestyle="低盐低脂饮食，规律作息。")
    made.signed("检验科二", "蒙晓青", "白细胞计数等多项偏高，请结合临床。")
    return made


def three_years() -> Specimen:
    """A woman whose numbers are known for three years; nine of them, of which eight are drawn."""
    made = nothing_found()
    glucose = made.item("检验科", "空腹血糖", "空腹血糖", "6.4", unit="mmol/L", bounds=("3.9", "6.1"), flag="H")
    made.item("妇科", "妇科检查", "外阴", "未见异常")
    made.item("妇科", "妇科检查", "宫颈", "光滑")
    made.found("finding", "空腹血糖升高", rests_on=[glucose])
    made.trend(
        "空腹血糖", "mmol/L", ("3.9", "6.1"), [(2026, "6.4", "H"), (2025, "5.9", None), (2024, "5.4", None)], "0.5"
    )
    made.trend(
        "尿酸", "umol/L", (None, "360"), [(2026, "402", "H"), (2025, "371", "H"), (2024, "340", None)], "31", "UA"
    )
    made.trend(
        "收缩压", "mmHg", ("90", "139"), [(2026, "128", None), (2025, "128", None), (2024, "142", "H")], "0", "SBP"
    )
    made.trend(
        "总胆固醇", "mmol/L", (None, "5.2"), [(2026, "5.0", None), (2025, "5.6", "H"), (2024, "5.8", "H")], "-0.6", "TC"
    )
    made.trend(
        "血红蛋白", "g/L", ("115", "150"), [(2026, "121", None), (2025, "108", "L"), (2024, "104", "L")], "13", "HGB"
    )
    made.trend(
        "体重指数",
        "kg/m2",
        ("18.5", "23.9"),
        [(2026, "23.1", None), (2025, "23.4", None), (2024, "22.8", None)],
        "-0.3",
        "BMI",
    )
    made.trend("甘油三酯", "mmol/L", (None, "1.7"), [(2026, "1.2", None), (2025, "1.3", None)], "-0.1", "TG")
    made.trend(
        "肌酐", "umol/L", ("41", "73"), [(2026, "58", None), (2025, "60", None), (2024, "57", None)], "-2", "CREA"
    )
    made.trend("谷丙转氨酶", "U/L", ("7", "40"), [(2026, "22", None), (2025, "24", None)], "-2", "ALT")
    for department in ("检验科", "妇科"):
        made.signed(department, "罗景和")
    return made


def _general(made: Specimen) -> None:
    for name, value, unit, bounds in (
        ("身高", "168", "cm", None), ("体重", "64.5", "kg", None), ("收缩压", "118", "mmHg", ("90", "139")),
        ("舒张压", "76", "mmHg", ("60", "89")), ("脉搏", "72", "/min", ("60", "100")),
    ):  # fmt: skip
        made.item("一般检查", "一般检查", name, value, unit=unit, bounds=bounds)
    for name, value in (("心音", "未闻及病理性杂音"), ("肺部听诊", "双肺呼吸音清，未闻及干湿性啰音"), ("腹部触诊", "腹软，无压痛、反跳痛；肝脾肋下未触及。")):  # fmt: skip
        made.item("内科", "内科检查", name, value)
