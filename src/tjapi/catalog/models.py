"""Tables of the catalog. They belong to the whole hospital."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.catalog.rules import DEPARTMENT_KINDS, ITEM_KINDS, PERFORMERS, SEXES
from tjapi.kernel.db import Base


class Department(Base):
    """科室. `place` is where people go, as it is printed for them; None until the hospital says so."""

    __tablename__ = "department"
    __table_args__ = (CheckConstraint(f"kind in {DEPARTMENT_KINDS}", name="kind"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    sort: Mapped[int]
    place: Mapped[str | None]


class Item(Base):
    """明细项目: one observable. `unit` is what is printed, `ucum` what machines exchange.

    `judged`: a value is expected to be normal or not, so that one that can be neither is asked about (no height is either).
    `laboratory_first`: its limits are the reagent's, so that a range that the laboratory sends goes before ours (检验科区间优先).
    `plausible_low`, `plausible_high`: beyond them, inclusive bounds, a value is asked back before it is believed. `delta_percent`: so is
    one that differs from the last exam's by more. `private` (私密): examined with recorded consent alone, and what is found stays apart.
    """

    __tablename__ = "item"
    __table_args__ = (
        CheckConstraint(f"kind in {ITEM_KINDS}", name="kind"),
        CheckConstraint("plausible_low <= plausible_high", name="plausible"),
        CheckConstraint("delta_percent > 0", name="delta"),
        Index("ix_item_sort_code", "sort", "code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    unit: Mapped[str | None]
    ucum: Mapped[str | None]
    loinc: Mapped[str | None]
    decimals: Mapped[int | None] = mapped_column(SmallInteger)
    choices: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    normal_default: Mapped[str | None]
    sort: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")
    judged: Mapped[bool] = mapped_column(server_default="true")
    laboratory_first: Mapped[bool] = mapped_column(server_default="false")
    plausible_low: Mapped[Decimal | None] = mapped_column(Numeric)
    plausible_high: Mapped[Decimal | None] = mapped_column(Numeric)
    delta_percent: Mapped[int | None] = mapped_column(SmallInteger)
    private: Mapped[bool] = mapped_column(server_default="false")


class ItemRange(Base):
    """参考区间: what is normal, and from where on a value is critical, for a sex, an age, pregnancy and a method.

    `age_from` and `age_to` are ages by the calendar (`28d`, `6m`, `18y`), both inclusive; their days only tell which ranges overlap.
    `low` and `high` are inclusive: on the bound is normal. A value at or beyond a critical bound is critical. A row without
    low, high and normal_texts gives no flag: its `text` says for whom nothing is known to be normal. It may still carry critical bounds,
    whose source stands in `critical_source`. `pregnant`: for who is pregnant alone, in place of what holds for everybody.
    """

    __tablename__ = "item_range"
    __table_args__ = (
        CheckConstraint(f"sex in {SEXES}", name="sex"),
        CheckConstraint("age_from_days <= age_to_days", name="ages"),
        CheckConstraint(
            "(age_from is null) = (age_from_days is null) and (age_to is null) = (age_to_days is null)",
            name="ages_whole",
        ),
        CheckConstraint("age_from ~ '^[0-9]{1,5}[dwmy]$' and age_to ~ '^[0-9]{1,5}[dwmy]$'", name="ages_said"),
        CheckConstraint("low <= high", name="bounds"),
        CheckConstraint("valid_from <= valid_to", name="validity"),
        CheckConstraint("not pregnant or sex <> 'male'", name="pregnant"),
        # Two equally specific ranges for one person would make the flag a matter of luck. Needs the extension btree_gist.
        ExcludeConstraint(
            ("item_id", "="),
            ("sex", "="),
            ("method", "="),
            ("pregnant", "="),
            (func.int4range(text("age_from_days"), text("age_to_days"), text("'[]'")), "&&"),
            (func.daterange(text("valid_from"), text("valid_to"), text("'[]'")), "&&"),
            name="ex_item_range_overlap",
            using="gist",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    sex: Mapped[str]
    age_from: Mapped[str | None]
    age_to: Mapped[str | None]
    age_from_days: Mapped[int | None]
    age_to_days: Mapped[int | None]
    method: Mapped[str] = mapped_column(server_default="")
    pregnant: Mapped[bool] = mapped_column(server_default="false")
    low: Mapped[Decimal | None] = mapped_column(Numeric)
    high: Mapped[Decimal | None] = mapped_column(Numeric)
    critical_low: Mapped[Decimal | None] = mapped_column(Numeric)
    critical_high: Mapped[Decimal | None] = mapped_column(Numeric)
    normal_texts: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    text: Mapped[str]
    source: Mapped[str]
    cite: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    critical_source: Mapped[str | None]
    verified: Mapped[bool] = mapped_column(server_default="false")
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class ItemUnit(Base):
    """换算单位: another unit in which an item may be reported: ours = theirs × factor + addend. Per item: mg/dL is not one factor.

    A unit that stands nowhere is never guessed. `source` says where the factor comes from.
    """

    __tablename__ = "item_unit"
    __table_args__ = (CheckConstraint("factor > 0", name="factor"),)

    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    factor: Mapped[Decimal] = mapped_column(Numeric)
    addend: Mapped[Decimal] = mapped_column(Numeric, server_default="0")
    source: Mapped[str]
    verified: Mapped[bool] = mapped_column(server_default="false")


class ItemGroup(Base):
    """组合项目: what is ordered and priced. `container` is the kind of tube; a group without one needs no specimen.

    Two groups share a tube where container, specimen, section (检验组), fasting, `minutes_after` (of the meal or the load; None: at any
    time) and sending out agree, up to `groups_per_tube` (None: as many as there are). `precaution` is what the examinee is told.
    Whom it does not fit: the other sex, ages outside of the inclusive bounds, and with `not_when_pregnant` who is pregnant.
    `private`: an item of it is, as the database sees to. `resource` is what is scarce about it, by the code under which a campus's appointment calendar counts it.
    """

    __tablename__ = "item_group"
    __table_args__ = (
        CheckConstraint("price_fen >= 0", name="price"),
        CheckConstraint(f"performed_by in {PERFORMERS}", name="performed_by"),
        CheckConstraint(f"sex in {SEXES}", name="sex"),
        CheckConstraint("age_from_years >= 0 and age_from_years <= coalesce(age_to_years, 200)", name="ages"),
        CheckConstraint("minutes_after > 0", name="minutes_after"),
        CheckConstraint("groups_per_tube > 0", name="groups_per_tube"),
        Index("ix_item_group_sort_code", "sort", "code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    price_fen: Mapped[int]
    specimen: Mapped[str | None]
    container: Mapped[str | None]
    fasting: Mapped[bool]
    section: Mapped[str | None]
    minutes_after: Mapped[int | None] = mapped_column(SmallInteger)
    send_out: Mapped[bool] = mapped_column(server_default="false")
    groups_per_tube: Mapped[int | None] = mapped_column(SmallInteger)
    precaution: Mapped[str | None]
    performed_by: Mapped[str]
    sex: Mapped[str] = mapped_column(server_default="any")
    resource: Mapped[str | None]
    age_from_years: Mapped[int | None] = mapped_column(SmallInteger)
    age_to_years: Mapped[int | None] = mapped_column(SmallInteger)
    not_when_pregnant: Mapped[bool] = mapped_column(server_default="false")
    private: Mapped[bool] = mapped_column(server_default="false")
    version: Mapped[int] = mapped_column(server_default="1")
    sort: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default="true")


class ItemGroupItem(Base):
    """An item in an item group."""

    __tablename__ = "item_group_item"

    item_group_id: Mapped[UUID] = mapped_column(ForeignKey("item_group.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True, index=True)
    sort: Mapped[int]


class ItemGroupExclusion(Base):
    """Two item groups that nobody orders together, and why. The smaller id comes first: a pair is one row."""

    __tablename__ = "item_group_exclusion"
    __table_args__ = (CheckConstraint("first_id < second_id", name="order"),)

    first_id: Mapped[UUID] = mapped_column(ForeignKey("item_group.id"), primary_key=True)
    second_id: Mapped[UUID] = mapped_column(ForeignKey("item_group.id"), primary_key=True, index=True)
    reason: Mapped[str]


class ExamPackage(Base):
    """套餐: item groups at one fixed price, and option groups of which so many are chosen. An edition is never edited: the next succeeds it."""

    __tablename__ = "exam_package"
    __table_args__ = (
        UniqueConstraint("code", "edition"),
        CheckConstraint("price_fen >= 0", name="price"),
        CheckConstraint(f"sex in {SEXES}", name="sex"),
        CheckConstraint("valid_from <= valid_to", name="validity"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    edition: Mapped[int] = mapped_column(server_default="1")
    name: Mapped[str]
    sex: Mapped[str]
    price_fen: Mapped[int]
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    active: Mapped[bool] = mapped_column(server_default="true")


class ExamPackageOption(Base):
    """可选组: of these item groups exactly `choose` are chosen."""

    __tablename__ = "exam_package_option"
    __table_args__ = (
        CheckConstraint("choose > 0", name="choose"),
        Index("ix_exam_package_option_package", "package_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    package_id: Mapped[UUID] = mapped_column(ForeignKey("exam_package.id"))
    name: Mapped[str]
    choose: Mapped[int] = mapped_column(SmallInteger)
    sort: Mapped[int]


class ExamPackageOptionGroup(Base):
    """An item group that may be chosen."""

    __tablename__ = "exam_package_option_group"

    option_id: Mapped[UUID] = mapped_column(ForeignKey("exam_package_option.id"), primary_key=True)
    item_group_id: Mapped[UUID] = mapped_column(ForeignKey("item_group.id"), primary_key=True, index=True)
    sort: Mapped[int]


class ExamPackageGroup(Base):
    """An item group in a package."""

    __tablename__ = "exam_package_group"

    package_id: Mapped[UUID] = mapped_column(ForeignKey("exam_package.id"), primary_key=True)
    item_group_id: Mapped[UUID] = mapped_column(ForeignKey("item_group.id"), primary_key=True, index=True)
    sort: Mapped[int]


class OutsideLab(Base):
    """外送机构: a laboratory of another house, to which specimens are sent."""

    __tablename__ = "outside_lab"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default="true")


class ExternalCode(Base):
    """外部代码: what another system (a LIS, a device) calls an item of ours."""

    __tablename__ = "external_code"

    system: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    created_by: Mapped[UUID]
