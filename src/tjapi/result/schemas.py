"""Shapes of results and sheets. Values are strings, as they were said."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tjapi.catalog.rules import ItemKind
from tjapi.exam.rules import LineState
from tjapi.knowledge.composing import Normal, Number, Side
from tjapi.knowledge.descriptions import Assertion
from tjapi.result.rules import Charset, ReleaseState, SheetState
from tjapi.result.rules.flags import Flag
from tjapi.result.rules.questions import Answer, QuestionKind
from tjapi.result.rules.revisions import ResultStatus
from tjapi.result.rules.values import Comparator

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CodedFinding(Input):
    """A finding as it is clicked: one of those that `listClickableFindings` offers for the item."""

    concept: str = Field(max_length=40, description="所见编码 · Concept", examples=["THYROID-NODULE"])
    site: str | None = Field(
        None, max_length=40, description="部位编码,缺省为项目部位 · Site, absent: the item's", examples=["THYROID"]
    )
    side: Side | None = Field(None, description="侧别 · Side", examples=["left"])
    term: str | None = Field(
        None, max_length=60, description="用词,缺省为所见名称 · Word, absent: the concept's name", examples=[None]
    )
    assertion: Assertion = Field("present", description="有无 · Whether it is there")
    sizes_mm: list[Annotated[str, Field(pattern=r"^\d{1,3}(\.\d)?$")]] = Field(
        default_factory=list,
        max_length=3,
        description="大小,至多三径 · Up to three diameters in mm",
        examples=[["8", "6.5"]],
    )
    number: Number | None = Field(None, description="单发或多发 · Single or multiple")
    grade: str | None = Field(
        None, max_length=4, description="分类,如 TI-RADS 3 · Category of the site's scheme", examples=["3"]
    )


class CodedText(Input):
    """A description as it is clicked. What is not clicked is not told: that the rest is normal only with `normal`."""

    findings: list[CodedFinding] = Field(default_factory=list, max_length=20)
    normal: Normal | None = Field(
        None,
        examples=["rest"],
        description="all 全部正常(不与所见同用),rest 其余未见异常 · All is normal, which stands beside no finding; or the rest",
    )


class ResultIn(Input):
    """A value of an item, or the findings that its text is composed of; null takes the value away."""

    item_id: UUID = Field(description="明细项目 · Item", examples=[_ID])
    value: str | None = Field(
        None,
        max_length=2000,
        description="结果,null 为清除;点选时不填 · Value, null clears it; none where it is clicked",
        examples=["172.5"],
    )
    coded: CodedText | None = Field(
        None,
        examples=[None],
        description="描述性项目的点选所见,文字由系统生成 · What is clicked of a descriptive item: the text is composed of it",
    )
    remark: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="附注,随结果显示,系统亦阅读 · Words beside the value; they are read as well",
        examples=[None],
    )
    kept_because: str | None = Field(
        None, min_length=2, max_length=200, examples=[None],
        description="超出合理范围或与上次相差过大、经核实仍保留的理由 · Why a value stands that is hardly possible, or far from the last exam's",
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.coded is None and "value" not in self.model_fields_set:
            raise PydanticCustomError("missing", "a value, or what was clicked")
        if self.coded is not None and self.value is not None:
            raise PydanticCustomError("value_and_coded", "a value and what was clicked exclude each other")
        return self


class ResultsIn(Input):
    """Values of a department; items that are not named stay as they are."""

    results: list[ResultIn] = Field(max_length=200)
    fill_defaults: bool = Field(
        False, description="零输入:未录入过的项目填入正常缺省值 · Zero input: untouched items get their normal default"
    )


class SignIn(Input):
    """A signature."""

    summary: str | None = Field(
        None,
        max_length=4000,
        description="科室小结,缺省由小结行生成 · Summary, absent: as the lines make it",
        examples=["未见异常"],
    )
    summary_confirmed: bool = Field(
        False, description="结果变化后确认原小结仍成立 · The same words stand although what they rest on has changed"
    )
    fill_defaults: bool = Field(
        False, description="签名前先零输入 · Zero input first: untouched items get their normal default"
    )
    confirmed: list[Annotated[str, Field(min_length=1, max_length=4000)]] = Field(
        default_factory=list, max_length=200,
        description="已核对、确认保留的无结果依据的字句,与 asked 所列逐字相同 · Words that no result supports, looked at and meant: exactly as `asked` lists them",
        examples=[["慢性胆囊炎"]],
    )  # fmt: skip


class SummaryLineIn(Input):
    """A line of a summary as it shall be; without an id it is a new one, written by hand."""

    id: UUID | None = Field(None, description="小结行,新增时缺省 · Line, absent: a new one", examples=[_ID])
    text: str = Field(min_length=1, max_length=400, description="内容 · Words", examples=["血压升高(收缩压 152 mmHg)"])
    confirmed: bool = Field(
        False, description="结果变化后确认原文仍成立 · The words stand although what they rest on has changed"
    )


class SummaryIn(Input):
    """The lines of a department's summary, in order. A line that is not named is taken out, and stays out."""

    lines: list[SummaryLineIn] = Field(max_length=100)


class ReopenIn(Input):
    """Why a signature is taken back."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["身高录入错误"])


class RevokeIn(Input):
    """Why what was entered is struck; all that the department entered, or some items."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["录入到了另一人名下"])
    item_ids: list[UUID] | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="项目,缺省为科室录入的全部 · Items, absent: all that were entered here",
        examples=[[_ID]],
    )


class ReleaseIn(Input):
    """To which exam a message belongs, in which charset it is to be read, and why one is sure. What was refused at the door only needs grounds."""

    exam_id: UUID | None = Field(default=None, description="体检 · Exam", examples=[_ID])
    charset: Charset | None = Field(
        default=None,
        description="读取字符集,先看 `readings` · In which charset; look at the `readings` first",
        examples=[None],
    )
    reason: str = Field(min_length=1, max_length=400, description="依据 · Grounds", examples=["已与检验科电话核对标本"])


class ReadValueOut(BaseModel):
    """A value as a message would be read."""

    code: str = Field(examples=["PLT"])
    name: str = Field(examples=["血小板"])
    value: str = Field(examples=["28.1"])
    unit: str = Field(examples=["10^9/L"])
    flags: str = Field(examples=["L"])
    remarks: list[str] = Field(examples=[["标本轻度脂血"]])


class ReadingOut(BaseModel):
    """A message as one charset reads it. Who it is about is shown in full only to whoever may see people or raw messages."""

    charset: Charset = Field(examples=["gb18030"])
    fault: str | None = Field(description="不能读取的原因 · Why it is no report in this charset", examples=[None])
    unreadable: int = Field(description="无法解码的字符数 · Characters that this charset does not have", examples=[0])
    exam_no: str | None = Field(examples=["A26112300018"])
    name: str = Field(examples=["测试甲"])
    birth_date: date | None
    left_out: list[str] = Field(examples=[["OBX[2]: no code, no value"]])
    values: list[ReadValueOut]


class ReadingsOut(BaseModel):
    """A message as each charset would read it, for whoever decides which one is right."""

    items: list[ReadingOut]


class ReleaseOut(BaseModel):
    """What two people said of a message."""

    id: UUID
    message_id: UUID
    exam_id: UUID | None
    charset: Charset | None = Field(examples=[None])
    reason: str = Field(examples=["已与检验科电话核对标本"])
    state: ReleaseState = Field(examples=["proposed"])
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None


class PastExamOut(BaseModel):
    """An earlier exam of the same person, or this one."""

    exam_id: UUID
    exam_no: str = Field(examples=["A26112300018"])
    exam_date: date = Field(examples=["2025-11-20"])


class PastValueOut(BaseModel):
    """What an item was in one exam."""

    exam_id: UUID
    value: str = Field(examples=["128"])
    unit: str | None = Field(examples=["g/L"])
    flag: Flag | None = Field(examples=["L"])
    undecided: bool = Field(
        description="尚未审核或待核实,不作比较 · Not verified yet, or a person is asked about it: nothing is compared with it",
        examples=[False],
    )
    beside: list[str] = Field(description="与之矛盾的其他结果 · Other values that contradict it", examples=[["5.00"]])


class PastItemOut(BaseModel):
    """An item through the years; `values` holds only exams in which it has one, newest first."""

    item_id: UUID
    item_code: str = Field(examples=["HGB"])
    item_name: str = Field(examples=["血红蛋白"])
    values: list[PastValueOut]


class DepartmentHistoryOut(BaseModel):
    """A department's results over the exams of one person, lined up by item."""

    department_id: int = Field(examples=[4])
    exams: list[PastExamOut] = Field(description="由近到远,首个为本次 · Newest first, this one at the head")
    items: list[PastItemOut]


class TrendPointOut(BaseModel):
    """An item's number in one exam."""

    exam_id: UUID
    exam_date: date = Field(examples=["2025-11-20"])
    value: str = Field(examples=["6.1"])
    flag: Flag | None = Field(examples=["H"])


class TrendOut(BaseModel):
    """A number through the years, in one unit, newest first; `low` and `high` are those of the newest."""

    item_id: UUID
    item_code: str = Field(examples=["GLU"])
    item_name: str = Field(examples=["葡萄糖"])
    unit: str | None = Field(examples=["mmol/L"])
    low: str | None = Field(examples=["3.9"])
    high: str | None = Field(examples=["6.1"])
    change: str | None = Field(description="与上次之差 · Difference to the exam before", examples=["0.4"])
    points: list[TrendPointOut]


class TrendsOut(BaseModel):
    """The items that have a number in this exam and in an earlier one."""

    exam_id: UUID
    items: list[TrendOut]


class RangeOut(BaseModel):
    """The range a value was compared with. Bounds are inclusive; numbers are strings."""

    low: str | None = Field(examples=["130"])
    high: str | None = Field(examples=["175"])
    critical_low: str | None = Field(examples=["50"])
    critical_high: str | None = Field(examples=["200"])
    normal_texts: list[str] = Field(examples=[[]])
    text: str = Field(description="打印用参考区间 · As printed", examples=["130–175"])
    method: str = Field(examples=[""])
    source: str = Field(description="来源 · Source", examples=["WS/T 405-2012"])
    ours: str | None = Field(
        None,
        description="本院区间,检验科区间优先时 · Ours, where the laboratory's went first",
        examples=[None],
    )


class UnmappedCodeOut(BaseModel):
    """A code of another system that nobody has mapped, and the messages that wait for it. Mapping it files them all again."""

    system: str = Field(examples=["lis"])
    code: str = Field(examples=["GLUC3"])
    messages: int = Field(description="等待对照的消息数 · How many messages wait for it", examples=[12])
    first_seen_at: datetime = Field(description="最早收到 · When the first of them came")
    last_seen_at: datetime = Field(description="最近收到 · When the last of them came")


class AnswerIn(Input):
    """What a person decides of a question; which answers a question takes depends on its kind."""

    answer: Answer = Field(
        description="undetermined:normal、abnormal、not_judged;contested:keep、value、wrong;unread:value、no_value、keep(原结果仍有效);implausible:confirmed、wrong。命中规则或危急的结果不判为正常"
        " · By kind of question; what a rule finds something of, or what alarms, is not called normal",
        examples=["normal"],
    )
    reason: str = Field(min_length=2, max_length=200, description="理由 · Why", examples=["复核原始图谱,未见异常"])
    revision_id: UUID | None = Field(
        None, description="keep 时:以哪个结果为准 · With keep: which value holds", examples=[None]
    )
    value: str | None = Field(
        None, min_length=1, max_length=200, description="value 时:所录数值 · With value: the value", examples=[None]
    )
    kept_because: str | None = Field(
        None, min_length=2, max_length=200, examples=[None],
        description="所录数值与原文不符,或原文不能排除危急值时,经核实仍如此作答的理由 · Why the answer stands though it is not what was said, or though that may be critical",
    )  # fmt: skip


class GiveUpIn(Input):
    """Why no value of an item will come. It stands on the report."""

    reason: str = Field(
        min_length=2, max_length=200, description="原因,将列入报告 · Why, as it stands on the report", examples=["标本溶血,未检出结果"]
    )  # fmt: skip


class QuestionValueOut(BaseModel):
    """One of the values that a question is about."""

    revision_id: UUID
    value: str = Field(examples=["165"])
    unit: str | None = Field(examples=["mmol/L"])
    flag: Flag | None = Field(examples=["HH"])
    observed_at: datetime


class QuestionOut(BaseModel):
    """Something about a result that no machine may decide; it blocks the final review until it is answered."""

    id: UUID
    exam_id: UUID
    line_id: UUID
    item_id: UUID
    item_code: str = Field(examples=["K"])
    item_name: str = Field(examples=["钾"])
    department_id: int = Field(examples=[4])
    kind: QuestionKind = Field(examples=["unread"])
    result_id: UUID | None
    raw_value: str = Field(description="原文 · As it was said", examples=["见备注"])
    remarks: list[str] = Field(examples=[["标本轻度脂血"]])
    lis_flags: str | None = Field(description="检验系统的标志 · The laboratory's flags", examples=["HH"])
    message_id: UUID | None = Field(description="来自哪条消息 · The message that said it")
    values: list[QuestionValueOut] = Field(default_factory=list, description="涉及的结果 · The values that it is about")
    said_at: datetime
    asked_at: datetime
    closed_at: datetime | None = Field(examples=[None])
    closed_name: str | None = Field(examples=["韦医生"])
    how: Literal["person", "value", "line"] | None = Field(
        description="如何了结:人工、后来的结果、项目不再进行 · Closed by a person, by a later value, or since the line is gone"
    )
    answer: Answer | None = Field(examples=[None])
    reason: str | None = Field(examples=[None])
    kept_because: str | None = Field(
        description="与原文不符或原文不能排除危急值而仍如此作答的理由 · Why it was answered so against what was said",
        examples=[None],
    )
    gives_up: bool = Field(
        description="该项目按「无结果」计,报告注明原因;之后如有结果,以结果为准 · The item counts as settled without a value, until one comes",
        examples=[False],
    )


class ConversionOut(BaseModel):
    """What a laboratory said in another unit, and how it became ours: theirs × factor + addend."""

    value: str = Field(examples=["110"])
    unit: str = Field(examples=["mg/dL"])
    factor: str = Field(examples=["0.05551"])
    addend: str = Field(examples=["0"])
    source: str = Field(description="系数来源 · Where the factor comes from", examples=["摩尔质量 180.16 g/mol"])


class ValueOut(BaseModel):
    """A value with everything that was stored with it."""

    revision_id: UUID
    seq: int = Field(description="第几次修订 · Number of the revision", examples=[1])
    status: ResultStatus = Field(examples=["final"])
    value: str = Field(
        description="结果,所有页面与报告同此写法 · The value as every page shows it: a number without what stood beside it",
        examples=["<0.01"],
    )
    raw_value: str = Field(description="原文 · As it was said", examples=["<0.01↓"])
    comparator: Comparator
    numeric: str | None = Field(description="数值 · The number", examples=["0.01"])
    unit: str | None = Field(examples=["g/L"])
    conversion: ConversionOut | None = Field(
        description="检验系统以其他单位回传时的原值与换算 · As the laboratory said it, where that was in another unit"
    )
    flag: Flag | None = Field(
        description="空串正常;null 无法判断(无参考区间) · Empty: normal; null: cannot be said", examples=["H"]
    )
    range: RangeOut | None
    lis_range_text: str | None = Field(description="检验系统的参考区间 · The laboratory's range", examples=["130~175"])
    lis_flags: str | None = Field(description="检验系统的标志 · The laboratory's flags", examples=["H"])
    remarks: list[str] = Field(
        description="附注,随结果显示 · Words that belong to the value", examples=[["标本轻度脂血"]]
    )
    coded: CodedText | None = Field(
        description="点选的所见;经手工改写即为空 · What was clicked; null once the text was written by hand"
    )
    reason: str | None = Field(
        description="人工保留或作废的理由 · Why a person let it stand, or struck it", examples=[None]
    )
    observed_at: datetime
    source: str = Field(examples=["lis:main"])
    recorded_at: datetime


class ConfirmedOut(BaseModel):
    """Words that nothing of the exam supports, and who stands for them."""

    words: list[str] = Field(examples=[["肝硬化"]])
    by: UUID
    by_name: str = Field(examples=["蒙初审"])
    at: datetime


class SummaryLineOut(BaseModel):
    """A line of a department's summary: made by rules, which it names, or by hand."""

    id: UUID
    text: str = Field(examples=["血压升高(收缩压 152 mmHg,≥ 140)"])
    origin: Literal["rule", "manual"] = Field(examples=["rule"])
    finding_code: str | None = Field(examples=["HYPERTENSION"])
    rule_codes: list[str] = Field(description="产生该行的规则 · The rules that made it", examples=[["HYPERTENSION-1"]])
    result_ids: list[UUID] = Field(description="所依据的结果 · The results it rests on")
    edited: bool = Field(description="经人工修改,重新生成时保留 · Edited by hand: kept when it is made anew")
    stale: bool = Field(
        description="文字经人工修改,而所依据的结果已变化;须修改或确认 · Edited, and what it rests on has changed: to be changed or confirmed"
    )
    asked: list[str] = Field(
        default_factory=list,
        description="本次体检结果中没有依据、尚待签名者确认的字句 · Words that nothing of the exam supports: whoever signs confirms them",
        examples=[["慢性胆囊炎"]],
    )


class SheetItemOut(BaseModel):
    """An item of a department in an exam."""

    line_id: UUID
    line_name: str = Field(examples=["血常规"])
    line_state: LineState = Field(examples=["verified"])
    item_id: UUID
    item_code: str = Field(examples=["HGB"])
    item_name: str = Field(examples=["血红蛋白"])
    kind: ItemKind
    unit: str | None = Field(examples=["g/L"])
    choices: list[str] | None = Field(examples=[None])
    normal_default: str | None = Field(examples=[None])
    entered_here: bool = Field(description="可由科室录入 · Entered by the department, not by the LIS or a formula")
    result_id: UUID | None
    range: RangeOut | None = Field(description="适用的参考区间 · The range that applies")
    current: ValueOut | None
    no_value_because: str | None = Field(
        description="计算项目无结果的原因 · Why a computed item has no value",
        examples=["由身高计算,而身高为>200,不是确切数值"],
    )
    no_value_because_en: str | None = Field(
        description="同上,英文 · The same in English",
        examples=["computed from HEIGHT, which is >200: a bound, no number"],
    )


class SheetOut(BaseModel):
    """A department's sheet in an exam. Its version is the ETag; version 0: nothing was entered yet."""

    exam_id: UUID
    department_id: int = Field(examples=[4])
    version: int = Field(examples=[1])
    state: SheetState = Field(examples=["signed"])
    summary: str = Field(examples=["未见异常"])
    stale: bool = Field(
        description="小结所依据的结果已变化,须重新签名 · What the summary rests on has changed: it is to be signed anew"
    )
    lines: list[SummaryLineOut] = Field(description="小结行 · Lines of the summary, those taken out left away")
    asked: list[str] = Field(
        default_factory=list,
        description="手写小结中没有依据、尚待确认的字句 · The same of a summary by hand",
        examples=[[]],
    )
    confirmed: list[ConfirmedOut] = Field(
        default_factory=list,
        description="已确认的无结果依据的字句;文字或结果变化后失效 · Words that were confirmed; no longer once they or the results change",
    )
    proposed_summary: str = Field(
        description="由小结行生成的小结 · The summary as the lines make it", examples=["所检项目未见明显异常"]
    )
    signed_by: UUID | None
    signer_name: str | None = Field(examples=["陆医生"])
    signed_at: datetime | None
    items: list[SheetItemOut]


class ResultOut(BaseModel):
    """A result with its current value; null when it was taken back."""

    id: UUID
    line_id: UUID
    line_name: str = Field(examples=["血常规"])
    item_id: UUID
    item_code: str = Field(examples=["HGB"])
    item_name: str = Field(examples=["血红蛋白"])
    current: ValueOut | None


class MissingOut(BaseModel):
    """An item that has no value and for which nothing is awaited: a person said that none will come, or none can be computed."""

    line_id: UUID
    line_name: str = Field(examples=["血脂七项"])
    item_id: UUID
    item_code: str = Field(examples=["NONHDL"])
    item_name: str = Field(examples=["非高密度脂蛋白胆固醇"])
    reason: str = Field(
        description="原因 · Why, as the report says it", examples=["由总胆固醇计算,而总胆固醇为<4.0,不是确切数值"]
    )
    reason_en: str | None = Field(
        description="计算项目的原因,英文;人工填写的只有原文 · The same in English, of what is computed; what a person wrote stands alone",
        examples=["computed from TC, which is <4.0: a bound, no number"],
    )


class DepartmentResultsOut(BaseModel):
    """What a department found in an exam."""

    department_id: int = Field(examples=[4])
    department_name: str = Field(examples=["检验科"])
    state: SheetState = Field(examples=["signed"])
    summary: str = Field(examples=["未见异常"])
    signer_name: str | None = Field(examples=["陆医生"])
    signed_at: datetime | None
    stale: bool = Field(description="小结所依据的结果已变化 · What the summary rests on has changed")
    lines: list[SummaryLineOut] = Field(description="小结行 · Lines of the summary")
    results: list[ResultOut]
    missing: list[MissingOut] = Field(description="无结果的项目及其原因 · Items without a value, and why")


class ExamResultsOut(BaseModel):
    """Every result of an exam, by department."""

    exam_id: UUID
    departments: list[DepartmentResultsOut]


class HistoryOut(BaseModel):
    """Everything that was ever said of a result, in the order in which it came."""

    id: UUID
    exam_id: UUID
    line_id: UUID
    item_id: UUID
    item_code: str = Field(examples=["HGB"])
    item_name: str = Field(examples=["血红蛋白"])
    current_revision_id: UUID | None
    revisions: list[ValueOut]


class TrialRowOut(BaseModel):
    """A finding or an alarm that a version says of more exams, or of fewer, than the one in use."""

    what: Literal["finding", "critical", "range"] = Field(examples=["finding"])
    code: str = Field(examples=["FATTY-LIVER"])
    name: str = Field(examples=["脂肪肝"])
    more: int = Field(description="新版多出的人次 · Exams of which only the version tried says it", examples=[3])
    fewer: int = Field(description="新版不再得出的人次 · Exams of which only the one in use says it", examples=[0])
    exam_nos: list[str] = Field(description="其中的体检号,至多五个 · Up to five of them", examples=[["A26112000171"]])


class TrialOut(BaseModel):
    """What a version of the knowledge base would change, tried on the newest exams; nothing was changed."""

    version_id: UUID
    active_id: UUID | None
    exams: int = Field(description="试算的体检数 · Exams tried", examples=[100])
    changes: list[TrialRowOut]


class ClickablePlaceOut(BaseModel):
    """A site of a finding; null: the finding is of none."""

    site: str | None = Field(examples=["THYROID"])
    name: str = Field(examples=["甲状腺"])
    terms: list[str] = Field(
        description="用词,首个为常用 · Words, the usual one first", examples=[["甲状腺结节", "甲状腺囊肿"]]
    )
    sided: bool = Field(description="分左右 · It has a left and a right")
    scheme: str | None = Field(description="分类体系 · Scheme of its categories", examples=["ti"])
    grades: list[str] = Field(examples=[["3", "4a"]])


class ClickableOut(BaseModel):
    """A finding that may be clicked."""

    concept: str = Field(examples=["THYROID-NODULE"])
    name: str = Field(examples=["甲状腺结节"])
    asks_size: bool = Field(description="记录大小 · Its size is asked for")
    grave: bool = Field(description="存在时须立即由人看 · Where it is there, a person looks at once")
    places: list[ClickablePlaceOut]


class ClickablesOut(BaseModel):
    """What may be clicked for a descriptive item."""

    item_id: UUID
    normal_text: str = Field(
        description="全部正常时的文字 · The text where all is normal", examples=["甲状腺未见明显异常"]
    )
    findings: list[ClickableOut]


class ComposedMentionOut(BaseModel):
    """What a composed text speaks of."""

    concept: str = Field(examples=["THYROID-NODULE"])
    name: str = Field(examples=["甲状腺结节"])
    assertion: Assertion
    size_mm: str | None = Field(examples=["8"])
    grave: bool = Field(description="将提醒人立即查看 · Somebody will be asked to look at once")


class ComposedOut(BaseModel):
    """The text that clicks make; nothing was stored."""

    text: str = Field(examples=["甲状腺左叶结节，大小约8×6.5mm，TI-RADS 3类。"])
    mentions: list[ComposedMentionOut]
