"""What a row of the content cites, as fields: standard, part, clause, edition, in force from, withdrawn on, method, population. Pure but for the register.

A row may say its citation itself. Of one that does not, what its `source` names is read: the number of a standard, or the name of a guideline
with its year. What the source does not say stays None: no citation is invented. `standards.toml` says of a standard since when, and until when,
it is in force.
"""

import re
import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]

_NUMBERED = re.compile(r"(GBZ/T|GBZ|GB/T|GB|WS/T|WS)\s?(\d+)(?:\.(\d+))?(?:[-–—](\d{4}))?(?!\d)")
_NAMED = re.compile(
    r"([^;;,,::。(()\d/]{2,40}?(?:指南|(?<!或专家)共识|操作规程|服务规范|管理规范|目录))(?:\s?[((](\d{4})[^))]{0,8}[))])?"
)
_BODY = re.compile(
    r"(KDIGO|WHO|ADA|AHA/ACCF/HRS|AHA|PALS|SRU|ACOG|IADPSG|Fleischner|BI-RADS|TI-RADS|Lung-RADS|O-RADS)(?:[^;;,,]{0,20}?((?:19|20)\d{2}))?"
)
_CLAUSE = re.compile(r"(表\s?[A-Z]?\.?\d+(?:\.\d+)*|附录\s?[A-Z]|第?\d+(?:\.\d+)+\s?条|G\d[a-b]?[–-][GA]\d)")
_METHOD = re.compile(
    r"(不?含5'-磷酸吡哆醛|静脉血|末梢血|细胞学为筛查结果|腋温|诊室|第\s?99\s?百分位|魏氏法|75 g 糖耐量)"
)
_POPULATION = re.compile(
    r"(\d+\s?[–~-]\s?\d+\s?岁(?:[^;;,,。()()]{0,8}(?:儿童|青少年))?|\d+\s?岁以[上下]|一级预防低危人群|绝经后女性|妊娠期|孕期|成人|儿童)"
)


class Citation(BaseModel):
    """Where a row comes from. Whatever nobody has said is None."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    standard: str | None = Field(
        None, max_length=120, description="标准或指南 · Standard or guideline", examples=["WS/T 404"]
    )
    title: str | None = Field(None, max_length=120, description="名称 · Title", examples=["血清尿素、肌酐"])
    part: str | None = Field(None, max_length=20, description="部分 · Part", examples=["5"])
    clause: str | None = Field(None, max_length=60, description="表、条或附录 · Table or clause", examples=["表1"])
    edition: str | None = Field(None, max_length=20, description="版本(年)· Edition", examples=["2015"])
    in_force_from: Day | None = Field(None, description="施行日期 · In force from", examples=["2015-10-01"])
    withdrawn_on: Day | None = Field(None, description="废止日期 · Withdrawn on", examples=[None])
    method: str | None = Field(None, max_length=80, description="方法 · Method", examples=[None])
    population: str | None = Field(None, max_length=80, description="人群 · Population", examples=["20–79岁"])

    def is_withdrawn(self, on: date) -> bool:
        """Say whether the standard is in force no more on a day."""
        return self.withdrawn_on is not None and self.withdrawn_on <= on.isoformat()

    @property
    def words(self) -> str:
        """Since when, and until when, it is in force, as it is printed behind a source."""
        said = [f"{self.in_force_from} 起施行"] if self.in_force_from else []
        return "，".join([*said, *([f"{self.withdrawn_on} 废止"] if self.withdrawn_on else [])])


@cache
def register() -> dict[str, dict[str, Any]]:
    """Return what is known of standards, by number and edition."""
    file = resources.files("tjapi.catalog") / "standards.toml"
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["standards"]
    return {row["said"]: {k: v for k, v in row.items() if k not in ("said", "verified")} for row in rows}


# What is judged by another standard is not what a row is from.
_ELSEWHERE = re.compile(r"(?:另按|职业接触按|消瘦另按)[^;;,,))]*")


@cache
def cited(source: str) -> Citation | None:
    """Return what a source names; None where it names no standard, guideline or body."""
    found: dict[str, Any] = {}
    first = re.split("[;;]", _ELSEWHERE.sub("", source))[0]
    if numbered := _NUMBERED.search(first):
        kind, number, part, edition = numbered.groups()
        said = f"{kind} {number}{f'.{part}' if part else ''}{f'-{edition}' if edition else ''}"
        found = {"standard": f"{kind} {number}", "part": part, "edition": edition, **register().get(said, {})}
    elif named := _NAMED.search(first):
        found = {"standard": named[1].strip(), "edition": named[2]}
    elif body := _BODY.search(first):
        found = {"standard": body[1], "edition": body[2]}
    if not found:
        return None
    for field, pattern, words in (
        ("clause", _CLAUSE, first),
        ("method", _METHOD, source),
        ("population", _POPULATION, first),
    ):
        if said_so := pattern.search(words):
            found[field] = said_so[1]
    return Citation.model_validate(found)


class Citing(BaseModel):
    """A row with a source: its citation is what it says itself, else what its source names."""

    source: str
    cite: Citation | None = Field(None, description="出处 · Citation, as fields", examples=[None])

    @model_validator(mode="after")
    def _read_source(self) -> Self:
        if self.cite is None:
            # Past validation: reading a row back is not changing it.
            object.__setattr__(self, "cite", cited(self.source))
        return self
