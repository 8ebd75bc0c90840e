"""The knowledge base: versions, findings, rules. What a version holds never changes."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0004_knowledge"
down_revision = "0003_guards"
branch_labels = None
depends_on = None

VERSION_MOVES = '{"draft":["active"],"active":["retired"],"retired":["active"]}'


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "knowledge_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), server_default="", nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("activated_by", sa.Uuid(), nullable=True),
        sa.Column("activated_at", moment, nullable=True),
        sa.CheckConstraint("state in ('draft', 'active', 'retired')", name=op.f("ck_knowledge_version_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_version")),
        sa.UniqueConstraint("number", name=op.f("uq_knowledge_version_number")),
        sa.UniqueConstraint("sha256", name=op.f("uq_knowledge_version_sha256")),
    )
    op.create_index(
        "uq_knowledge_version_active", "knowledge_version", ["state"], unique=True, postgresql_where=sa.text("state = 'active'")
    )  # fmt: skip
    op.create_table(
        "finding",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("pinyin", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("importance", sa.Integer(), nullable=False),
        sa.Column("icd10", sa.String(), nullable=True),
        sa.Column("important_class", sa.String(), nullable=True),
        sa.Column("advice", sa.String(), nullable=False),
        sa.Column("lifestyle", sa.String(), server_default="", nullable=False),
        sa.Column("see", sa.String(), nullable=True),
        sa.Column("recheck_days", sa.Integer(), nullable=True),
        sa.Column("synonyms", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("outranks", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("verified", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("kind in ('disease', 'finding', 'risk')", name=op.f("ck_finding_kind")),
        sa.CheckConstraint("important_class in ('A', 'B')", name=op.f("ck_finding_important_class")),
        sa.ForeignKeyConstraint(["version_id"], ["knowledge_version.id"], name=op.f("fk_finding_version_id")),
        sa.PrimaryKeyConstraint("version_id", "code", name=op.f("pk_finding")),
    )
    op.create_table(
        "knowledge_rule",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("condition", postgresql.JSONB(), nullable=False),
        sa.Column("finding_code", sa.String(), nullable=True),
        sa.Column("important_class", sa.String(), nullable=True),
        sa.Column("action", sa.String(), server_default="", nullable=False),
        sa.Column("fires", postgresql.JSONB(), nullable=False),
        sa.Column("misses", postgresql.JSONB(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("verified", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("purpose in ('finding', 'critical')", name=op.f("ck_knowledge_rule_purpose")),
        sa.CheckConstraint("important_class in ('A', 'B')", name=op.f("ck_knowledge_rule_important_class")),
        sa.CheckConstraint(
            "(purpose = 'finding') = (finding_code is not null)", name=op.f("ck_knowledge_rule_finding")
        ),
        sa.CheckConstraint(
            "(purpose = 'critical') = (important_class is not null)", name=op.f("ck_knowledge_rule_critical")
        ),
        sa.ForeignKeyConstraint(["version_id"], ["knowledge_version.id"], name=op.f("fk_knowledge_rule_version_id")),
        sa.ForeignKeyConstraint(
            ["version_id", "finding_code"],
            ["finding.version_id", "finding.code"],
            name=op.f("fk_knowledge_rule_version_id_finding_code"),
        ),
        sa.PrimaryKeyConstraint("version_id", "code", name=op.f("pk_knowledge_rule")),
    )
    prefix = context.config.attributes.get("role_prefix", "tj")
    run = op.get_bind().exec_driver_sql
    run(f"revoke update, delete on finding, knowledge_rule from {prefix}_app, {prefix}_worker")
    run(f"revoke delete on knowledge_version from {prefix}_app, {prefix}_worker")
    run(
        "create trigger guard_state before update of state on knowledge_version for each row"
        f" execute function tj.guard_state('{VERSION_MOVES}')"
    )
