"""Employers, contracts, campaigns, groups, members and their imports; the campaign of an exam."""

import json

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tjapi.kernel.schema import guard_table

revision = "0014_employer"
down_revision = "0014_report_not_rendered"
branch_labels = None
depends_on = None

CAMPAIGN_MOVES = {"draft": ["open"], "open": ["completed"], "completed": ["reopened"], "reopened": ["completed"]}
MEMBER_MOVES = {
    "listed": ["booked", "done", "no_show", "cancelled"], "booked": ["listed", "done", "no_show", "cancelled"], "done": ["booked"],
    "no_show": ["listed"], "cancelled": ["listed"],
}  # fmt: skip
IMPORT_MOVES = {
    "received": ["previewed", "refused", "discarded"], "previewed": ["received", "committed", "discarded"],
    "refused": ["received", "discarded"], "committed": [], "discarded": [],
}  # fmt: skip
OF_CAMPUS = ("contract", "campaign", "campaign_group", "member", "member_import", "member_import_entry")


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "employer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("initials", sa.String(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("industry", sa.String(), nullable=True),
        sa.Column("column_mapping", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["employer.id"], name=op.f("fk_employer_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employer")),
        sa.UniqueConstraint("code", name=op.f("uq_employer_code")),
        sa.UniqueConstraint("uscc", name=op.f("uq_employer_uscc")),
    )
    op.create_index("ix_employer_name", "employer", ["name"], unique=False)
    op.create_index("ix_employer_parent_id", "employer", ["parent_id"], unique=False)
    op.create_table(
        "member_staging",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("employee_no", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id_kind", sa.String(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_masked", sa.String(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_masked", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("post", sa.String(), nullable=True),
        sa.Column("marital_status", sa.String(), nullable=False),
        sa.Column("hazards", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("placement", sa.String(), nullable=False),
        sa.Column("placement_reason", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "row_no", name=op.f("pk_member_staging")),
    )
    op.create_table(
        "contract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("contract_no", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("terms", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("valid_from <= valid_to", name=op.f("ck_contract_validity")),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"], name=op.f("fk_contract_employer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("campus_id", "contract_no", name=op.f("uq_contract_campus_id_contract_no")),
    )
    op.create_index("ix_contract_employer_id", "contract", ["employer_id"], unique=False)
    op.create_table(
        "employer_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("post", sa.String(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"], name=op.f("fk_employer_contact_employer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employer_contact")),
    )
    op.create_index("ix_employer_contact_employer_id", "employer_contact", ["employer_id"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("daily_quota", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("opened_at", moment, nullable=True),
        sa.Column("completed_at", moment, nullable=True),
        sa.CheckConstraint("state in ('draft', 'open', 'completed', 'reopened')", name=op.f("ck_campaign_state")),
        sa.CheckConstraint("daily_quota > 0", name=op.f("ck_campaign_daily_quota")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_campaign_period")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_campaign_contract_id")),
        sa.ForeignKeyConstraint(["employer_id"], ["employer.id"], name=op.f("fk_campaign_employer_id")),
        sa.ForeignKeyConstraint(["previous_id"], ["campaign.id"], name=op.f("fk_campaign_previous_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("previous_id", name=op.f("uq_campaign_previous_id")),
    )
    op.create_index("ix_campaign_campus_state", "campaign", ["campus_id", "state", "id"], unique=False)
    op.create_index("ix_campaign_employer_id", "campaign", ["employer_id"], unique=False)
    op.create_table(
        "campaign_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sort", sa.SmallInteger(), nullable=False),
        sa.Column("criteria", postgresql.JSONB(), nullable=False),
        sa.Column("package_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("item_group_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=False),
        sa.Column("cap_fen", sa.Integer(), nullable=True),
        sa.Column("beyond_cap", sa.String(), nullable=False),
        sa.Column("add_ons", sa.String(), nullable=False),
        sa.Column("discounts", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("add_ons in ('self_paid', 'within_cap')", name=op.f("ck_campaign_group_add_ons")),
        sa.CheckConstraint("beyond_cap in ('self_paid', 'refused')", name=op.f("ck_campaign_group_beyond_cap")),
        sa.CheckConstraint("cap_fen >= 0", name=op.f("ck_campaign_group_cap_fen")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_group_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_group")),
        sa.UniqueConstraint("campaign_id", "code", name=op.f("uq_campaign_group_campaign_id_code")),
    )
    op.create_table(
        "member_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("file", sa.String(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("refusal", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("headers", postgresql.ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("same", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bad", sa.Integer(), server_default="0", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("committed_at", moment, nullable=True),
        sa.CheckConstraint(
            "state in ('received', 'previewed', 'committed', 'refused', 'discarded')",
            name=op.f("ck_member_import_state"),
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_member_import_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_import")),
    )
    op.create_index("ix_member_import_campaign", "member_import", ["campaign_id", "id"], unique=False)
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("list_no", sa.Integer(), nullable=False),
        sa.Column("employee_no", sa.String(), nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id_kind", sa.String(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_masked", sa.String(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_masked", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("post", sa.String(), nullable=True),
        sa.Column("marital_status", sa.String(), nullable=False),
        sa.Column("hazards", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("placement", sa.String(), nullable=False),
        sa.Column("placement_reason", postgresql.JSONB(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("choice_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("self_paid_ids", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("examinee_id", sa.Uuid(), nullable=True),
        sa.Column("exam_id", sa.Uuid(), nullable=True),
        sa.Column("refusal", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("decided_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.CheckConstraint(
            "(placement in ('matched', 'assigned')) = (group_id is not null)", name=op.f("ck_member_group")
        ),
        sa.CheckConstraint(
            "id_kind in ('resident', 'hk_mo_tw_resident', 'foreign_permanent', 'passport', 'none')",
            name=op.f("ck_member_id_kind"),
        ),
        sa.CheckConstraint(
            "marital_status in ('single', 'married', 'divorced', 'widowed', 'unknown')",
            name=op.f("ck_member_marital_status"),
        ),
        sa.CheckConstraint(
            "placement in ('matched', 'assigned', 'none', 'ambiguous')", name=op.f("ck_member_placement")
        ),
        sa.CheckConstraint("sex in ('male', 'female', 'unknown')", name=op.f("ck_member_sex")),
        sa.CheckConstraint("state <> 'booked' or exam_id is not null", name=op.f("ck_member_booked")),
        sa.CheckConstraint(
            "state in ('listed', 'booked', 'done', 'no_show', 'cancelled')", name=op.f("ck_member_state")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_member_campaign_id")),
        sa.ForeignKeyConstraint(["group_id"], ["campaign_group.id"], name=op.f("fk_member_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    op.create_index("ix_member_campaign", "member", ["campaign_id", "list_no", "id"], unique=False)
    op.create_index(
        "uq_member_employee_no",
        "member",
        ["campaign_id", "employee_no"],
        unique=True,
        postgresql_where=sa.text("employee_no is not null"),
    )
    op.create_index(
        "uq_member_exam", "member", ["exam_id"], unique=True, postgresql_where=sa.text("exam_id is not null")
    )
    op.create_index(
        "uq_member_id_number",
        "member",
        ["campaign_id", "id_number_index"],
        unique=True,
        postgresql_where=sa.text("id_number_index is not null"),
    )
    op.create_table(
        "member_import_entry",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("campus_id", sa.SmallInteger(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("header", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("kind in ('error', 'warning', 'update')", name=op.f("ck_member_import_entry_kind")),
        sa.ForeignKeyConstraint(["import_id"], ["member_import.id"], name=op.f("fk_member_import_entry_import_id")),
        sa.PrimaryKeyConstraint("import_id", "n", name=op.f("pk_member_import_entry")),
    )
    op.add_column("exam", sa.Column("employer_id", sa.Uuid(), nullable=True))
    op.add_column("exam", sa.Column("campaign_id", sa.Uuid(), nullable=True))
    op.add_column("exam", sa.Column("member_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_exam_campaign",
        "exam",
        ["campaign_id", "exam_date"],
        unique=False,
        postgresql_where=sa.text("campaign_id is not null"),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    for table in OF_CAMPUS:
        guard_table(run, table, prefix)
    run(f"revoke delete on employer, contract, campaign, member, member_import from {prefix}_app, {prefix}_worker")
    # Staged rows have no row security, because COPY is refused where there is: nobody but the worker sees them at all.
    run(f"revoke all on member_staging from {prefix}_app, {prefix}_reader")
    for table, moves in (("campaign", CAMPAIGN_MOVES), ("member", MEMBER_MOVES), ("member_import", IMPORT_MOVES)):
        run(
            f"create trigger guard_state before update of state on {table} for each row"
            f" execute function tj.guard_state('{json.dumps(moves)}')"
        )
