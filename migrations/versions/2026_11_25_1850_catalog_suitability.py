"""Whom item groups fit and what they exclude; packages with editions and options; pregnancy is a fact of an exam."""

import sqlalchemy as sa
from alembic import op

revision = "0016_catalog_suitability"
down_revision = "0015_exam_archive"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exam", sa.Column("pregnant", sa.Boolean(), nullable=True))
    op.add_column("item_group", sa.Column("age_from_years", sa.SmallInteger(), nullable=True))
    op.add_column("item_group", sa.Column("age_to_years", sa.SmallInteger(), nullable=True))
    op.add_column("item_group", sa.Column("not_when_pregnant", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("item_group", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_check_constraint(
        op.f("ck_item_group_ages"),
        "item_group",
        "age_from_years >= 0 and age_from_years <= coalesce(age_to_years, 200)",
    )
    op.create_table(
        "item_group_exclusion",
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_item_group_exclusion_order")),
        sa.ForeignKeyConstraint(["first_id"], ["item_group.id"], name=op.f("fk_item_group_exclusion_first_id")),
        sa.ForeignKeyConstraint(["second_id"], ["item_group.id"], name=op.f("fk_item_group_exclusion_second_id")),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_item_group_exclusion")),
    )
    op.create_index(op.f("ix_item_group_exclusion_second_id"), "item_group_exclusion", ["second_id"])
    op.add_column("exam_package", sa.Column("edition", sa.Integer(), server_default="1", nullable=False))
    op.add_column("exam_package", sa.Column("valid_from", sa.Date(), nullable=True))
    op.add_column("exam_package", sa.Column("valid_to", sa.Date(), nullable=True))
    op.drop_constraint(op.f("uq_exam_package_code"), "exam_package")
    op.create_unique_constraint(op.f("uq_exam_package_code_edition"), "exam_package", ["code", "edition"])
    op.create_check_constraint(op.f("ck_exam_package_validity"), "exam_package", "valid_from <= valid_to")
    op.create_table(
        "exam_package_option",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("choose", sa.SmallInteger(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.CheckConstraint("choose > 0", name=op.f("ck_exam_package_option_choose")),
        sa.ForeignKeyConstraint(["package_id"], ["exam_package.id"], name=op.f("fk_exam_package_option_package_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_package_option")),
    )
    op.create_index("ix_exam_package_option_package", "exam_package_option", ["package_id"])
    op.create_table(
        "exam_package_option_group",
        sa.Column("option_id", sa.Uuid(), nullable=False),
        sa.Column("item_group_id", sa.Uuid(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["option_id"], ["exam_package_option.id"], name=op.f("fk_exam_package_option_group_option_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_group_id"], ["item_group.id"], name=op.f("fk_exam_package_option_group_item_group_id")
        ),
        sa.PrimaryKeyConstraint("option_id", "item_group_id", name=op.f("pk_exam_package_option_group")),
    )
    op.create_index(op.f("ix_exam_package_option_group_item_group_id"), "exam_package_option_group", ["item_group_id"])
