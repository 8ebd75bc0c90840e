"""Tables of employers. Employers and their contacts are the hospital's; whatever follows from a contract belongs to a campus."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.employer.rules.campaigns import (
    CAMPAIGN_MOVES,
    IMPORT_MOVES,
    MARITAL_STATUSES,
    MEMBER_MOVES,
    PLACEMENTS,
    REPRICINGS,
)
from tjapi.examinee.rules import ID_KINDS, SEXES
from tjapi.kernel.db import Base
from tjapi.kernel.storage import FILE

Moment = TIMESTAMP(timezone=True)


class Employer(Base):
    """单位. A branch names its parent; `initials` are those of the name in pinyin, by which it is found."""

    __tablename__ = "employer"
    __table_args__ = (Index("ix_employer_parent_id", "parent_id"), Index("ix_employer_name", "name"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    initials: Mapped[str]
    uscc: Mapped[str | None] = mapped_column(unique=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("employer.id"))
    address: Mapped[str | None]
    industry: Mapped[str | None]
    column_mapping: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=sql("'{}'"))
    active: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class EmployerContact(Base):
    """单位联系人: whom one calls. The number is sealed."""

    __tablename__ = "employer_contact"
    __table_args__ = (Index("ix_employer_contact_employer_id", "employer_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    employer_id: Mapped[UUID] = mapped_column(ForeignKey("employer.id"))
    name: Mapped[str]
    post: Mapped[str | None]
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone_masked: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)


class Contract(Base):
    """合同: what a campus and an employer agreed upon."""

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("campus_id", "contract_no"),
        CheckConstraint("valid_from <= valid_to", name="validity"),
        Index("ix_contract_employer_id", "employer_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    employer_id: Mapped[UUID] = mapped_column(ForeignKey("employer.id"))
    contract_no: Mapped[str]
    name: Mapped[str]
    signed_on: Mapped[date | None] = mapped_column(Date)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date] = mapped_column(Date)
    terms: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(Moment)


class Campaign(Base):
    """团检任务: a unit's people examined in one campus in one period. `previous_id` is last time's: one follows each, so a chain of years."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(CAMPAIGN_MOVES)}", name="state"),
        CheckConstraint("starts_on <= ends_on", name="period"),
        CheckConstraint("daily_quota > 0", name="daily_quota"),
        UniqueConstraint("previous_id"),
        Index("ix_campaign_campus_state", "campus_id", "state", "id"),
        Index("ix_campaign_employer_id", "employer_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    employer_id: Mapped[UUID] = mapped_column(ForeignKey("employer.id"))
    contract_id: Mapped[UUID | None] = mapped_column(ForeignKey("contract.id"))
    previous_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    name: Mapped[str]
    year: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str]
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    daily_quota: Mapped[int | None]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    completed_at: Mapped[datetime | None] = mapped_column(Moment)


class CampaignGroup(Base):
    """分组: who belongs (`criteria`), what they are examined for, and what the employer pays of it.

    `package_ids`: the member takes one, the first unless told otherwise. `choices`: choose n of these item groups. `cap_fen`: the most that
    the employer pays for one member; None: whatever it costs. `discounts`: the plan, see pricing.
    """

    __tablename__ = "campaign_group"
    __table_args__ = (
        UniqueConstraint("campaign_id", "code"),
        CheckConstraint("cap_fen >= 0", name="cap_fen"),
        CheckConstraint("beyond_cap in ('self_paid', 'refused')", name="beyond_cap"),
        CheckConstraint("add_ons in ('self_paid', 'within_cap')", name="add_ons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    code: Mapped[str]
    name: Mapped[str]
    sort: Mapped[int] = mapped_column(SmallInteger)
    criteria: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    package_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    item_group_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    choices: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    cap_fen: Mapped[int | None]
    beyond_cap: Mapped[str]
    add_ons: Mapped[str]
    discounts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class Member(Base):
    """名单上的人: what the employer's list says of one person, the group that follows from it, and what became of it.

    `examinee_id` once the campus has met the person, `exam_id` once the member is booked. `refusal` is why the last try to book failed.
    """

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(MEMBER_MOVES)}", name="state"),
        CheckConstraint(f"placement in {PLACEMENTS}", name="placement"),
        CheckConstraint("(placement in ('matched', 'assigned')) = (group_id is not null)", name="group"),
        CheckConstraint("state <> 'booked' or exam_id is not null", name="booked"),
        CheckConstraint(f"sex in {SEXES}", name="sex"),
        CheckConstraint(f"id_kind in {ID_KINDS}", name="id_kind"),
        CheckConstraint(f"marital_status in {MARITAL_STATUSES}", name="marital_status"),
        Index("uq_member_id_number", "campaign_id", "id_number_index", unique=True, postgresql_where=sql("id_number_index is not null")),
        Index("uq_member_employee_no", "campaign_id", "employee_no", unique=True, postgresql_where=sql("employee_no is not null")),
        Index("uq_member_exam", "exam_id", unique=True, postgresql_where=sql("exam_id is not null")),
        Index("ix_member_campaign", "campaign_id", "list_no", "id"),
        Index("ix_member_examinee", "examinee_id", postgresql_where=sql("examinee_id is not null")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    list_no: Mapped[int]
    employee_no: Mapped[str | None]
    name: Mapped[str] = mapped_column(String(64))
    sex: Mapped[str]
    birth_date: Mapped[date | None] = mapped_column(Date)
    id_kind: Mapped[str]
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_masked: Mapped[str | None]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_masked: Mapped[str | None]
    department: Mapped[str | None]
    post: Mapped[str | None]
    marital_status: Mapped[str]
    hazards: Mapped[list[str]] = mapped_column(ARRAY(String))
    note: Mapped[str | None]
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign_group.id"))
    placement: Mapped[str]
    placement_reason: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    package_id: Mapped[UUID | None]
    choice_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    self_paid_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=sql("'{}'"))
    state: Mapped[str]
    examinee_id: Mapped[UUID | None]
    exam_id: Mapped[UUID | None]
    refusal: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    decided_reason: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class MemberRepricing(Base):
    """重新计价的结果: what one command made of one member's prepared exam. `outcome`: repriced, the same as before, or left alone and why."""

    __tablename__ = "member_repricing"
    __table_args__ = (
        CheckConstraint(f"outcome in {REPRICINGS}", name="outcome"),
        CheckConstraint("(outcome = 'left_alone') = (code is not null)", name="code"),
        Index("ix_member_repricing_list", "job_id", "list_no", "member_id"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    list_no: Mapped[int]
    exam_id: Mapped[UUID]
    outcome: Mapped[str]
    before_fen: Mapped[int]
    after_fen: Mapped[int]
    code: Mapped[str | None]
    zh: Mapped[str | None]
    en: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(Moment)


class MemberImport(Base):
    """名单导入: a file, how its columns were read, and what it would change or has changed."""

    __tablename__ = "member_import"
    __table_args__ = (
        CheckConstraint(f"state in {tuple(IMPORT_MOVES)}", name="state"),
        Index("ix_member_import_campaign", "campaign_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.id"))
    file: Mapped[str | None] = mapped_column(info=FILE)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    refusal: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB)
    headers: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=sql("'{}'"))
    tables: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    table_wanted: Mapped[str | None]
    table_read: Mapped[str | None]
    total: Mapped[int] = mapped_column(server_default="0")
    added: Mapped[int] = mapped_column(server_default="0")
    changed: Mapped[int] = mapped_column(server_default="0")
    same: Mapped[int] = mapped_column(server_default="0")
    bad: Mapped[int] = mapped_column(server_default="0")
    campaign_version: Mapped[int | None]
    job_id: Mapped[UUID | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Moment)
    committed_at: Mapped[datetime | None] = mapped_column(Moment)


class MemberImportEntry(Base):
    """One thing to say about a row of a file: an error, a warning, or a cell that would change.

    Of what changes the detail holds `before` and `after`, as they are shown: numbers masked. Of errors and warnings it holds no cell's content.
    """

    __tablename__ = "member_import_entry"
    __table_args__ = (CheckConstraint("kind in ('error', 'warning', 'update')", name="kind"),)

    import_id: Mapped[UUID] = mapped_column(ForeignKey("member_import.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    row_no: Mapped[int]
    kind: Mapped[str]
    header: Mapped[str]
    code: Mapped[str]
    detail: Mapped[dict[str, str]] = mapped_column(JSONB)


class MemberStaging(Base):
    """Rows of a previewed file on their way to `member`: COPY is refused where rows have security, so only the worker's role may touch these.

    `member_id` is new, or that of the member whose row this changes (`known`).
    """

    __tablename__ = "member_staging"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    member_id: Mapped[UUID]
    known: Mapped[bool]
    employee_no: Mapped[str | None]
    name: Mapped[str]
    sex: Mapped[str]
    birth_date: Mapped[date | None] = mapped_column(Date)
    id_kind: Mapped[str]
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_masked: Mapped[str | None]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_masked: Mapped[str | None]
    department: Mapped[str | None]
    post: Mapped[str | None]
    marital_status: Mapped[str]
    hazards: Mapped[list[str]] = mapped_column(ARRAY(String))
    note: Mapped[str | None]
    group_id: Mapped[UUID | None]
    placement: Mapped[str]
    placement_reason: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
