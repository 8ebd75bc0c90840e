"""What the worker does for requisitions."""

from tjapi.kernel.jobs.spec import JobSpec
from tjapi.requisition import flows
from tjapi.requisition.events import RequisitionPlanned

JOBS = [
    JobSpec(
        "requisition.send_order",
        flows.send_order,
        on=(RequisitionPlanned,),
        lane="requisition_id",
        max_attempts=1_000,
        at_once=2,  # they go out one by one, and a LIS that does not answer must not keep results from being filed
        timeout=40,
    )
]
