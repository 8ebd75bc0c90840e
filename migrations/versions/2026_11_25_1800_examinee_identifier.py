"""Cards and numbers of other systems, how long a document is valid, and which version of the report an exam shows its owner."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0014_examinee_identifier"
down_revision = "0013_exam_lines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("examinee", sa.Column("id_issuer", sa.String(), nullable=True))
    op.add_column("examinee", sa.Column("id_valid_from", sa.Date(), nullable=True))
    op.add_column("examinee", sa.Column("id_valid_until", sa.Date(), nullable=True))
    op.add_column("examinee", sa.Column("id_long_term", sa.Boolean(), nullable=True))
    op.create_check_constraint(
        op.f("ck_examinee_id_validity"), "examinee", "not (id_long_term and id_valid_until is not null)"
    )
    op.add_column("exam", sa.Column("report_version", sa.Integer(), nullable=True))
    op.create_table(
        "examinee_identifier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("examinee_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("number_masked", sa.String(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("added_by_name", sa.String(), nullable=False),
        sa.Column("added_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('exam_card', 'visit_card', 'his_patient')", name=op.f("ck_examinee_identifier_kind")
        ),
        sa.ForeignKeyConstraint(["examinee_id"], ["examinee.id"], name=op.f("fk_examinee_identifier_examinee_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examinee_identifier")),
        sa.UniqueConstraint("number_index", "kind", name=op.f("uq_examinee_identifier_number_index_kind")),
    )
    op.create_index("ix_examinee_identifier_examinee", "examinee_identifier", ["examinee_id"])
    prefix = context.config.attributes.get("role_prefix", "tj")
    logins = f"{prefix}_app, {prefix}_reader, {prefix}_worker"
    run = op.get_bind().exec_driver_sql
    mine = "(select tj.campuses())::smallint[]"
    # As the person is seen: by the campuses that have met them.
    met = f"exists (select from examinee_campus m where m.examinee_id = examinee_identifier.examinee_id and m.campus_id = any({mine}) offset 0)"
    run("alter table examinee_identifier enable row level security")
    run("alter table examinee_identifier force row level security")
    run(f"create policy owner on examinee_identifier to {prefix}_owner using (true) with check (true)")
    run(f"create policy met on examinee_identifier to {logins} using ({met}) with check ({met})")
    run(f"revoke update on examinee_identifier from {prefix}_app, {prefix}_worker")
    # The newest published version, as the verbs of reports keep it from now on.
    run("update exam e set report_version = r.version from report r where r.exam_id = e.id and r.state = 'published'")
