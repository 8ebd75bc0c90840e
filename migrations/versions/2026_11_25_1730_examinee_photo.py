"""Photos of examinees, by version."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0012_examinee_photo"
down_revision = "0012_frontdesk_paper"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "examinee_photo",
        sa.Column("examinee_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=False),
        sa.Column("taken_by_name", sa.String(), nullable=False),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("source in ('id_card', 'camera')", name=op.f("ck_examinee_photo_source")),
        sa.CheckConstraint("version > 0", name=op.f("ck_examinee_photo_version")),
        sa.ForeignKeyConstraint(["examinee_id"], ["examinee.id"], name=op.f("fk_examinee_photo_examinee_id")),
        sa.PrimaryKeyConstraint("examinee_id", "version", name=op.f("pk_examinee_photo")),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    logins = f"{prefix}_app, {prefix}_reader, {prefix}_worker"
    run = op.get_bind().exec_driver_sql
    mine = "(select tj.campuses())::smallint[]"
    # As the person is seen: by the campuses that have met them, and by themselves.
    met = f"exists (select from examinee_campus m where m.examinee_id = examinee_photo.examinee_id and m.campus_id = any({mine}) offset 0)"
    run("alter table examinee_photo enable row level security")
    run("alter table examinee_photo force row level security")
    run(f"create policy owner on examinee_photo to {prefix}_owner using (true) with check (true)")
    run(
        f"create policy met on examinee_photo to {logins} using ({met} or examinee_id = (select tj.subject())) with check ({met})"
    )
    run(f"revoke update, delete on examinee_photo from {prefix}_app, {prefix}_worker")
    run(
        "create trigger refuse_change before update or delete on examinee_photo for each row execute function tj.refuse_change()"
    )
