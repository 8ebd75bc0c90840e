"""Guardians of minors, and their consent."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0019_examinee_guardian"
down_revision = "0018_examinee_merge"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "examinee_guardian",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("examinee_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.String(), nullable=False),
        sa.Column("id_kind", sa.String(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_masked", sa.String(), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_by_name", sa.String(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("consent_form", sa.String(), nullable=True),
        sa.Column("consent_by", sa.Uuid(), nullable=True),
        sa.Column("consent_by_name", sa.String(), nullable=True),
        sa.Column("consented_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(
            "relation in ('father', 'mother', 'grandparent', 'other')", name=op.f("ck_examinee_guardian_relation")
        ),
        sa.CheckConstraint(
            "id_kind in ('resident', 'hk_mo_tw_resident', 'foreign_permanent', 'passport', 'none')",
            name=op.f("ck_examinee_guardian_id_kind"),
        ),
        sa.CheckConstraint(
            "(id_kind = 'none') = (id_number_sealed is null) and (id_number_sealed is null) = (id_number_masked is null)",
            name=op.f("ck_examinee_guardian_id_number_whole"),
        ),
        sa.CheckConstraint(
            "consent_form in ('signed_paper', 'in_person', 'electronic')",
            name=op.f("ck_examinee_guardian_consent_form"),
        ),
        sa.CheckConstraint(
            "(consented_at is null) = (consent_form is null) and (consented_at is null) = (consent_by is null)"
            " and (consented_at is null) = (consent_by_name is null)",
            name=op.f("ck_examinee_guardian_consent_whole"),
        ),
        sa.ForeignKeyConstraint(["examinee_id"], ["examinee.id"], name=op.f("fk_examinee_guardian_examinee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinee_guardian")),
    )
    op.create_index("ix_examinee_guardian_examinee", "examinee_guardian", ["examinee_id"])
    op.create_index("ix_examinee_guardian_phone_index", "examinee_guardian", ["phone_index"])
    prefix = context.config.attributes.get("role_prefix", "tj")
    logins = f"{prefix}_app, {prefix}_reader, {prefix}_worker"
    run = op.get_bind().exec_driver_sql
    mine = "(select tj.campuses())::smallint[]"
    met = f"exists (select from examinee_campus m where m.examinee_id = examinee_guardian.examinee_id and m.campus_id = any({mine}) offset 0)"
    run("alter table examinee_guardian enable row level security")
    run("alter table examinee_guardian force row level security")
    run(f"create policy owner on examinee_guardian to {prefix}_owner using (true) with check (true)")
    run(f"create policy met on examinee_guardian to {logins} using ({met}) with check ({met})")
    run(f"revoke update, delete on examinee_guardian from {prefix}_app, {prefix}_worker")
    run(
        "grant update (examinee_id, consent_form, consent_by, consent_by_name, consented_at, ended_at) on examinee_guardian"
        f" to {prefix}_app, {prefix}_worker"
    )
    run(
        "create trigger guard_owner before update of examinee_id on examinee_guardian for each row execute function tj.guard_owner()"
    )
