"""Shapes of reports."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.report.rules import ChangeKind, ChangeSection, ReportFailure, ReportFlag, ReportKind, ReportState, Verdict


class RecallIn(BaseModel):
    """Why a report is recalled."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["结果更正"])


class ReportOut(BaseModel):
    """A version of a report."""

    id: UUID
    exam_id: UUID
    kind: ReportKind = Field(
        description="私密项目报告另行出具 · Private items have a report of their own", examples=["main"]
    )
    version: int = Field(examples=[1])
    state: ReportState = Field(examples=["published"])
    failure: ReportFailure | None = Field(
        description="未生成的原因:终审后结果有变化、没有电子章、盖章未通过校验、多次生成未成功 · Why it failed; put that right and ask for a report again",
        examples=[None],
    )
    job_id: UUID = Field(description="生成任务 · The job that renders it: /jobs/{job_id}")
    sha256: str | None = Field(
        description="PDF 的 SHA-256 · SHA-256 of the PDF",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    pages: int | None = Field(examples=[6])
    size: int | None = Field(description="字节 · Bytes", examples=[184320])
    outdated: bool = Field(
        False,
        description="终审后结果有变化,等待重新主检;请以新版报告为准 · Something came after the final sign-off; a new version is to follow",
    )
    requested_at: datetime
    sealed_at: datetime | None = Field(description="盖章时间 · When it was sealed")
    generated_at: datetime | None
    published_at: datetime | None
    recalled_at: datetime | None = Field(examples=[None])


class ReportsOut(BaseModel):
    """The versions of an exam's report, newest first."""

    items: list[ReportOut]


class ReportChangeOut(BaseModel):
    """One difference between two versions; `before` is empty where something was added, `after` where it was removed."""

    section: ChangeSection = Field(examples=["result"])
    change: ChangeKind = Field(examples=["changed"])
    name: str = Field(examples=["检验科 / 血糖 / 空腹血糖"])
    before: str | None = Field(examples=["5.4 mmol/L（3.9–6.1）"])
    after: str | None = Field(examples=["6.4 mmol/L ↑（3.9–6.1）"])


class ReportChangesOut(BaseModel):
    """What changed between two versions of an exam's report."""

    report_id: UUID
    version: int = Field(examples=[2])
    against_version: int | None = Field(
        description="与之对比的版本;没有更早版本时为空 · The version compared with; none: there is no earlier one",
        examples=[1],
    )
    items: list[ReportChangeOut]


class ReportCitedOut(BaseModel):
    """A result that a conclusion rests on."""

    name: str = Field(examples=["空腹血糖"])
    value: str = Field(examples=["7.3"])
    unit: str = Field(examples=["mmol/L"])
    flag: ReportFlag = Field(description="提示,空为未标异常 · Mark; empty: none", examples=["high"])


class ReportValueOut(ReportCitedOut):
    """A result as it is printed."""

    range: str = Field(description="参考范围 · The range it was judged by", examples=["3.9–6.1"])
    remarks: list[str] = Field(
        [], description="结果旁的备注 · What was remarked beside the value", examples=[["标本轻度溶血"]]
    )


class ReportAbnormalOut(ReportValueOut):
    """A flagged result, with its department."""

    department: str = Field(examples=["检验科"])


class ReportEntryOut(BaseModel):
    """One thing concluded, in the order in which it is printed: criticals first."""

    kind: Literal["disease", "finding", "risk"]
    critical: bool = Field(description="其规则或其结果为危急 · It is critical itself", examples=[False])
    title: str = Field(examples=["血糖达糖尿病范围"])
    detail: str = Field(examples=["空腹血糖 7.3 mmol/L，高于参考范围 3.9–6.1"])
    advice: str = Field(examples=["请到内分泌科复查确诊。"])
    lifestyle: str = Field(examples=["控制主食与甜饮料。"])
    results: list[ReportCitedOut] = Field(
        description="正文未写出的相关结果 · The results it rests on that its detail does not tell of"
    )


class ReportGroupOut(BaseModel):
    """The results of one item group."""

    name: str = Field(examples=["血糖"])
    examined_by: str = Field("", description="检验者 · Who examined it, as the laboratory says", examples=["蒙晓青"])
    verified_by: str = Field("", description="审核者 · Who verified it, as the laboratory says", examples=["覃柳英"])
    reported_at: str = Field("", description="报告时间 · When the laboratory reported", examples=["2026-11-20 11:05"])
    items: list[ReportValueOut]


class ReportDepartmentOut(BaseModel):
    """What a department found."""

    name: str = Field(examples=["检验科"])
    doctor: str = Field(examples=["韦素兰"])
    signed_at: str = Field(examples=["2026-11-20 10:30"])
    summary: str = Field(examples=["所检项目未见明显异常"])
    groups: list[ReportGroupOut]


class ReportUnperformedOut(BaseModel):
    """What was not examined, and why."""

    department: str = Field(examples=["放射科"])
    name: str = Field(examples=["低剂量胸部 CT"])
    why: str = Field(examples=["拒检"])
    holds: list[str] = Field(
        [], description="所含小项 · The items of a group, where it holds others than itself", examples=[[]]
    )


class ReportContentOut(BaseModel):
    """What a version says, as it is printed. Every flagged result has a conclusion or stands in `others`."""

    report_id: UUID
    version: int = Field(examples=[1])
    outdated: bool = Field(
        description="签发后结果有变化,正在修订 · Results came or changed afterwards; it is being amended",
        examples=[False],
    )
    exam_no: str = Field(examples=["TA26112000017"])
    exam_date: date
    digest: str = Field(description="校验码 · The digest that is printed", examples=["9F86 D081 884C 7D65"])
    overview: str = Field(examples=["本次体检主要发现：\n1. 血糖达糖尿病范围"])
    conclusions: list[ReportEntryOut]
    others: list[ReportAbnormalOut] = Field(
        description="其他异常:未单列结论的异常结果 · Flagged results without a conclusion of their own"
    )
    abnormal: list[ReportAbnormalOut] = Field(description="异常结果汇总 · Every flagged result, criticals first")
    undetermined: int = Field(
        description="未判定的结果数 · How many results are neither normal nor abnormal", examples=[0]
    )
    departments: list[ReportDepartmentOut]
    unperformed: list[ReportUnperformedOut]


class VerificationOut(BaseModel):
    """What became of a printed report, and what to compare with the paper: a genuine code may stand on a forged paper.

    Nothing personal but the first character of a name: whoever holds the paper can read the rest there.
    """

    verdict: Verdict = Field(
        description="真实有效、真实但有更新正在修订、已有新版、已撤回、查无此报告。superseded:已有新版本生效,无论本版是被取代还是先经撤回(recalled_at 注明);"
        "recalled:已撤回且尚无新版本。报告的 state 则写明本版自身如何结束。"
        " · Genuine, genuine but being amended, superseded, recalled, or unknown. Superseded: a later version is in force, whether this one was replaced"
        " by it or recalled before (`recalled_at` says so); recalled: none is. The `state` of a report says how that version itself ended.",
        examples=["genuine"],
    )
    version: int | None = Field(None, examples=[1])
    published_at: datetime | None = None
    recalled_at: datetime | None = Field(None, examples=[None])
    name_masked: str | None = Field(None, description="姓名,脱敏 · The name, masked", examples=["张*"])
    exam_no: str | None = Field(None, description="体检号 · Exam number", examples=["TA26112000017"])
    exam_date: date | None = Field(None, description="体检日期 · Day of the exam", examples=["2026-11-20"])
    digest: str | None = Field(
        None,
        description="校验码,印在每页页脚 · The digest that is printed at the foot of every page; none on reports of earlier releases",
        examples=["9F86 D081 884C 7D65"],
    )
    file_digest: str | None = Field(
        None,
        description="PDF 文件 SHA-256 的前 16 位 · The first 16 digits of the SHA-256 of the PDF file",
        examples=["2C26 B46B 68FF C68F"],
    )


class DeliveredOut(BaseModel):
    """A report of private items that was handed over before."""

    report_id: UUID
    version: int = Field(examples=[1])
    published_at: datetime


class ConsentWithdrawnOut(BaseModel):
    """What follows of a consent that was taken back, and what cannot be undone."""

    exam_id: UUID
    refused: list[UUID] = Field(description="未做,按拒检登记 · Not examined, and refused by this")
    kept_apart: list[UUID] = Field(
        description="已采集或已出结果:不再写入任何报告,仅有权者可见 · Examined already: no further report tells of these, and only whom the right allows sees them"
    )
    stopped: list[UUID] = Field(description="未交付、已停止的报告 · Reports that will not be handed over")
    delivered: list[DeliveredOut] = Field(
        description="此前已当面交付,无法收回,须如实告知本人 · Handed over before: this cannot be taken back, and the person is to be told so"
    )


class LinkOut(BaseModel):
    """A short-lived link to the owner's report, to be opened on a phone."""

    url: str = Field(examples=["https://tj.example.cn/r/AZLwxHsafD6dVR8uPkpbbQ"])
    expires_at: datetime


class SealAuthorityOut(BaseModel):
    """The certificate against which anybody checks the seal."""

    pem: str = Field(description="PEM 证书 · Certificate, PEM", examples=["-----BEGIN CERTIFICATE-----…"])
