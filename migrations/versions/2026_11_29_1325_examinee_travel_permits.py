"""The travel permits of residents of Hong Kong, Macao and Taiwan are documents of their own."""

from alembic import op

revision = "0034_examinee_travel_permits"
down_revision = "0033_employer_repricing"
branch_labels = None
depends_on = None

_KINDS = "'resident', 'hk_mo_tw_resident', 'hk_mo_travel_permit', 'tw_travel_permit', 'foreign_permanent', 'passport', 'none'"


def upgrade() -> None:
    for table in ("examinee", "examinee_guardian", "member"):
        name = op.f(f"ck_{table}_id_kind")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, f"id_kind in ({_KINDS})")
