"""Shapes of the knowledge base: what is loaded, and what is shown."""

from collections import Counter
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tjapi.catalog.citing import Citing
from tjapi.knowledge.criticality import clocks_of
from tjapi.knowledge.rules import FindingKind, ImportantClass, Purpose

VersionState = Literal["draft", "scheduled", "active", "retired"]
_CODE = r"^[A-Z0-9][A-Z0-9_-]*$"
_SOURCE = "通用健康宣教,待院方审定"


class Input(BaseModel):
    """What a client or a file brings: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ExampleIn(Input):
    """A case that fires a rule, or misses it by little: values by item code, as they are said; flags where a rule asks for them."""

    sex: Literal["male", "female"] = "male"
    age_years: int = Field(45, ge=0, le=130)
    age_days: int | None = Field(
        None, ge=0, le=80_000, description="出生天数,用于婴儿 · Days since birth, of infants", examples=[None]
    )
    pregnant: bool = False
    called: list[Annotated[str, Field(max_length=40)]] = Field(
        default_factory=list,
        max_length=50,
        description="检验科标为危急的项目 · Called critical by the laboratory",
        examples=[[]],
    )
    values: dict[str, str] = Field(min_length=1, max_length=50, examples=[{"GLU": "7.0"}])
    flags: dict[str, str] = Field(default_factory=dict, max_length=50, examples=[{}])
    before: dict[str, list[str]] = Field(
        default_factory=dict, max_length=50, description="历次结果,近者在前 · Earlier values", examples=[{}]
    )
    repeats: dict[str, list[str]] = Field(
        default_factory=dict,
        max_length=50,
        description="本次的其他测量 · This exam's other measurements",
        examples=[{}],
    )


class Variant(Input):
    """What is advised instead where a condition holds: of a pregnant woman, beside a diabetes. What it leaves out is the finding's own."""

    when: dict[str, Any]
    advice: str | None = Field(None, min_length=1, max_length=2000)
    lifestyle: str | None = Field(None, min_length=1, max_length=2000)
    recheck_days: int | None = Field(None, ge=1, le=3650)


class FindingIn(Citing, Input):
    """A finding or disease with its advice."""

    code: str = Field(pattern=_CODE, max_length=40, examples=["FATTY-LIVER"])
    name: str = Field(min_length=1, max_length=80, examples=["脂肪肝"])
    pinyin: str = Field(pattern=r"^[a-z0-9]*$", max_length=40, description="拼音首字母 · Initials", examples=["zfg"])
    kind: FindingKind = Field(examples=["disease"])
    importance: int = Field(ge=0, le=100, description="重要程度,大者在前 · Weight, greater first", examples=[70])
    icd10: str | None = Field(None, pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$", examples=["K76.0"])
    important_class: ImportantClass | None = Field(None, description="重要异常分级 · Class", examples=[None])
    advice: str = Field(min_length=1, max_length=2000, examples=["请查肝功能、血脂、血糖。"])
    lifestyle: str = Field("", max_length=2000, description="生活指导 · Lifestyle", examples=["限酒,控制体重。"])
    see: str | None = Field(None, max_length=40, description="就诊科室 · Where to go", examples=["消化内科"])
    recheck_days: int | None = Field(None, ge=1, le=3650, description="复查天数 · Recheck within days", examples=[180])
    synonyms: list[Annotated[str, Field(min_length=1, max_length=80)]] = Field(
        default_factory=list, max_length=20, examples=[[]]
    )
    outranks: list[Annotated[str, Field(pattern=_CODE, max_length=40)]] = Field(
        default_factory=list,
        max_length=20,
        description="并存时不再单列的发现 · Not listed beside this one",
        examples=[[]],
    )
    variants: list[dict[str, Any]] = Field(
        default_factory=list,
        max_length=20,
        description="因人而异:when 及 advice 等 · Advice by condition",
        examples=[[]],
    )
    source: str = Field(min_length=1, max_length=200, examples=[_SOURCE])
    verified: bool = Field(False, description="来源已核对 · The source was read")

    @field_validator("variants")
    @classmethod
    def _are_variants(cls, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [Variant.model_validate(one).model_dump(exclude_none=True) for one in given]


class RuleIn(Citing, Input):
    """A rule that finds something."""

    code: str = Field(pattern=_CODE, max_length=60, examples=["FATTY-LIVER-1"])
    finding: str = Field(pattern=_CODE, max_length=40, examples=["FATTY-LIVER"])
    condition: dict[str, Any] = Field(
        description="条件,见知识库说明 · The condition; the language is described with the knowledge base",
        examples=[{"concept": {"item": "US-LIVER", "in": ["FATTY-LIVER"]}}],
    )
    fires: list[ExampleIn] = Field(min_length=1, max_length=50, examples=[[{"values": {"US-LIVER": "提示脂肪肝"}}]])
    misses: list[ExampleIn] = Field(min_length=1, max_length=50, examples=[[{"values": {"US-LIVER": "未见脂肪肝"}}]])
    source: str = Field(min_length=1, max_length=200, examples=[_SOURCE])
    verified: bool = False


class CriticalRuleIn(Citing, Input):
    """A rule that raises a critical value (A) or an important abnormal result (B)."""

    code: str = Field(pattern=_CODE, max_length=60, examples=["CRIT-K-HIGH"])
    name: str = Field(min_length=1, max_length=80, examples=["血钾过高"])
    important_class: ImportantClass = Field(examples=["A"])
    condition: dict[str, Any] = Field(examples=[{"value": {"item": "K", "ge": "6.2", "unit": "mmol/L"}}])
    action: str = Field(min_length=1, max_length=400, description="处置 · What to do", examples=["立即复核,急诊处置。"])
    fires: list[ExampleIn] = Field(min_length=1, max_length=50, examples=[[{"values": {"K": "6.2"}}]])
    misses: list[ExampleIn] = Field(min_length=1, max_length=50, examples=[[{"values": {"K": "6.19"}}]])
    source: str = Field(min_length=1, max_length=200, examples=["院内危急值制度"])
    verified: bool = False


class ContentIn(Input):
    """The whole content of a version: what is not in it is gone in that version."""

    findings: list[FindingIn] = Field(max_length=2000)
    rules: list[RuleIn] = Field(max_length=4000)
    critical: list[CriticalRuleIn] = Field(max_length=1000)
    clocks: dict[str, int] = Field(default_factory=dict, description="危急值时限(分钟)· Clocks", examples=[{"A": 10}])

    @field_validator("clocks")
    @classmethod
    def _known_clocks(cls, clocks: dict[str, int]) -> dict[str, int]:
        clocks_of(clocks)
        return clocks

    def faults(self) -> list[tuple[str, str]]:
        """Return where codes are used twice or lead nowhere: JSON pointer and code."""
        known = {f.code for f in self.findings}
        rules = [("rules", i, r.code) for i, r in enumerate(self.rules)] + [
            ("critical", i, r.code) for i, r in enumerate(self.critical)
        ]
        twice = Counter(f.code for f in self.findings), Counter(code for _, _, code in rules)
        return [
            *((f"/findings/{i}/code", f.code) for i, f in enumerate(self.findings) if twice[0][f.code] > 1),
            *((f"/{kind}/{i}/code", code) for kind, i, code in rules if twice[1][code] > 1),
            *((f"/rules/{i}/finding", r.finding) for i, r in enumerate(self.rules) if r.finding not in known),
            *(
                (f"/findings/{i}/outranks", o)
                for i, f in enumerate(self.findings)
                for o in f.outranks
                if o not in known
            ),
        ]


class VersionIn(ContentIn):
    """A new version, as a draft."""

    note: str = Field(
        min_length=1, max_length=400, description="修订说明 · What changed and why", examples=["更新肝病建议"]
    )


class ActivateIn(Input):
    """From which day a version holds."""

    effective_on: date | None = Field(
        None, description="生效日期,缺省为即时 · In force from that day; at once by default", examples=[None]
    )


class VersionOut(BaseModel):
    """A version of the knowledge base."""

    id: UUID
    number: int = Field(examples=[3])
    state: VersionState = Field(examples=["active"])
    note: str = Field(examples=["更新肝病建议"])
    sha256: str = Field(examples=["5f0c…"])
    findings: int = Field(examples=[229])
    rules: int = Field(examples=[256])
    critical: int = Field(examples=[45])
    unverified: int = Field(description="来源未核对的行数 · Rows whose source was not read", examples=[530])
    created_at: datetime
    activated_at: datetime | None
    approved_at: datetime | None = Field(description="检验科签批 · Approved by the head of the laboratory")
    signed_at: datetime | None = Field(
        description="主检签批;未签批的版本只报危急值,不出发现与建议 · Signed by the chief physician; an unsigned version alarms, and finds nothing"
    )
    effective_on: date | None = Field(description="生效日期 · In force from", examples=["2026-12-01"])


class ChangeOut(BaseModel):
    """A row that differs from the active version; `fields` of a changed one."""

    what: Literal["finding", "rule", "critical"] = Field(examples=["finding"])
    code: str = Field(examples=["FATTY-LIVER"])
    change: Literal["added", "removed", "changed"] = Field(examples=["changed"])
    fields: list[str] = Field(examples=[["advice"]])


class ChangesOut(BaseModel):
    """How a version differs from the active one."""

    version_id: UUID
    active_id: UUID | None
    changes: list[ChangeOut]


class FindingOut(FindingIn):
    """A finding of the active version."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)


class RuleOut(Citing, BaseModel):
    """A rule of the active version; `finding` of those that find, `important_class` of those that alert."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(examples=["CRIT-K-HIGH"])
    purpose: Purpose = Field(examples=["critical"])
    name: str = Field(examples=["血钾过高"])
    condition: dict[str, Any] = Field(examples=[{"value": {"item": "K", "ge": "6.2", "unit": "mmol/L"}}])
    finding_code: str | None = Field(examples=[None])
    important_class: ImportantClass | None = Field(examples=["A"])
    action: str = Field(examples=["立即复核,急诊处置。"])
    fires: list[dict[str, Any]] = Field(examples=[[{"values": {"K": "6.2"}}]])
    misses: list[dict[str, Any]] = Field(examples=[[{"values": {"K": "6.19"}}]])
    source: str = Field(examples=["院内危急值制度"])
    verified: bool
