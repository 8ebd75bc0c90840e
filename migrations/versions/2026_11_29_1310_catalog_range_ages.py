"""The ages of a reference range are ages by the calendar: 18y begins on the eighteenth birthday, 6m on the same date six months later.

Of rows that are there only about as many days were kept: which age those were of is found again, years first, then months, then days.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028_catalog_range_ages"
down_revision = "0027_derived_rows"
branch_labels = None
depends_on = None

_SAID = """
update item_range r set {column} = coalesce(
  (select n || 'y' from generate_series(1, 150) n where trunc(n * 365.25) = r.{days} + {more} limit 1),
  (select n || 'm' from generate_series(1, 60) n where trunc(n * 30.4375) = r.{days} + {more} limit 1),
  r.{days} || 'd'
) where r.{days} is not null
"""


def upgrade() -> None:
    for column in ("age_from", "age_to"):
        op.add_column("item_range", sa.Column(column, sa.String(), nullable=True))
    op.execute(_SAID.format(column="age_from", days="age_from_days", more=0))
    # The last day of an age is the day before the next one: `59y` is kept as that before the sixtieth birthday.
    op.execute(_SAID.format(column="age_to", days="age_to_days", more=1))
    op.execute("""
        update item_range set age_to = (left(age_to, -1)::int - 1) || right(age_to, 1) where right(age_to, 1) in ('y', 'm')
    """)
    op.create_check_constraint(
        op.f("ck_item_range_ages_whole"), "item_range",
        "(age_from is null) = (age_from_days is null) and (age_to is null) = (age_to_days is null)",
    )  # fmt: skip
    op.create_check_constraint(
        op.f("ck_item_range_ages_said"),
        "item_range",
        "age_from ~ '^[0-9]{1,5}[dwmy]$' and age_to ~ '^[0-9]{1,5}[dwmy]$'",
    )
