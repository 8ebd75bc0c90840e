"""A draft says which of a person's words nothing of the exam supports, and who confirmed them; nothing that is written yet is asked.

What was signed before stands as it was signed. A draft is looked at anew when it is written, followed or signed.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0060_words_asked"
down_revision = "0059_consent_withdrawn"
branch_labels = None
depends_on = None

ASKED = {
    "conclusion": "overview_asked",
    "conclusion_entry": "asked",
    "department_sheet": "asked",
    "department_sheet_line": "asked",
}


def upgrade() -> None:
    for table, column in ASKED.items():
        op.add_column(table, sa.Column(column, ARRAY(sa.String()), nullable=False, server_default="{}"))
    for table in ("conclusion", "department_sheet"):
        op.add_column(table, sa.Column("confirmed", JSONB(), nullable=False, server_default="[]"))
