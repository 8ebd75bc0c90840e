"""What the worker does for requisitions."""

from tjapi.kernel.jobs.spec import JobSpec
from tjapi.requisition import flows
from tjapi.requisition.events import RequisitionCancelled, RequisitionLinesCancelled, RequisitionPlanned

JOBS = [
    JobSpec(
        "requisition.send_order",
        flows.send_order,
        on=(RequisitionPlanned,),
        lane="requisition_id",
        max_attempts=1_000,
        at_once=2,  # they go out one by one, and a LIS that does not answer must not keep results from being filed
        timeout=40,
    ),
    # In the order's own lane: it is taken back only after whatever became of sending it.
    JobSpec(
        "requisition.cancel_order",
        flows.cancel_order,
        on=(RequisitionCancelled,),
        lane="requisition_id",
        max_attempts=1_000,
        at_once=1,
        timeout=40,
    ),
    JobSpec(
        "requisition.cancel_lines",
        flows.cancel_lines,
        on=(RequisitionLinesCancelled,),
        lane="requisition_id",
        max_attempts=1_000,
        at_once=1,
        timeout=40,
    ),
]
