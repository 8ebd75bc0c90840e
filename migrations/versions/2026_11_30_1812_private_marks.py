"""What was there before items became private is as private as what comes; constraints of that day are checked.

Nothing new is left to mark: triggers do since 0052. What there is is looked up first, and only then are its rows marked, by their keys: guards of
what is finished, which are no guard of this, are off for those moments, and nobody waits behind the search. A unique index is made while
others write.
"""

from alembic import op

from tjapi.kernel.schema import statements

revision = "0054_private_marks"
down_revision = "0053_knowledge_cited"
branch_labels = None
depends_on = None

GUARDED = ("exam_line", "result", "result_revision", "department_sheet_line", "conclusion_entry")
FOUND = """
create temporary table private_exam_line on commit drop as select l.id, l.exam_id from exam_line l join item_group g on g.id = l.item_group_id and g.private
  where not l.private;
create temporary table private_result on commit drop as select r.id, r.exam_id from result r join private_exam_line l on l.exam_id = r.exam_id and l.id = r.line_id
  where not r.private;
create temporary table private_result_revision on commit drop as select v.id from result_revision v join private_result r on r.id = v.result_id
  where not v.private;
create temporary table private_result_question on commit drop as
  select q.id from result_question q join private_exam_line l on l.exam_id = q.exam_id and l.id = q.line_id where not q.private;
create temporary table private_department_sheet_line on commit drop as
  select distinct n.id from department_sheet_line n join private_result r on r.exam_id = n.exam_id and r.id = any(n.result_ids) where not n.private;
create temporary table private_conclusion_entry on commit drop as
  select distinct n.id from conclusion_entry n join private_result r on r.exam_id = n.exam_id and r.id = any(n.result_ids) where not n.private;
create temporary table private_critical_value on commit drop as
  select distinct n.id from critical_value n join private_result r on r.exam_id = n.exam_id and r.id = any(n.result_ids) where not n.private;
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # one that was left half made, when this was stopped, is made anew
        op.execute("drop index if exists uq_report_exam_id_kind_version")
        op.execute("create unique index concurrently uq_report_exam_id_kind_version on report (exam_id, kind, version)")
    op.drop_constraint("uq_report_exam_id_version", "report")
    op.execute(
        "alter table report add constraint uq_report_exam_id_kind_version unique using index uq_report_exam_id_kind_version"
    )
    op.execute("alter table report validate constraint ck_report_kind")
    op.execute("alter table exam_line_step validate constraint ck_exam_line_step_action")
    run = op.get_bind().exec_driver_sql
    for statement in statements(FOUND):
        run(statement)
    for table in (*GUARDED, "result_question", "critical_value"):
        if table in GUARDED:
            run(f"alter table {table} disable trigger user")
        run(f"update {table} t set private = true from private_{table} p where p.id = t.id")
        if table in GUARDED:
            run(f"alter table {table} enable trigger user")
