"""申请与标本: what is asked of the LIS, and the tubes it is asked with.

    requisition   planned → sent (acknowledged by the LIS) ; planned → failed (a person must look) → planned
                  sent → cancelled
    tube          planned → collected → received | rejected

When lines are released their tubes are planned, in the same transaction; the order goes out by a job. Publishes RequisitionPlanned,
TubeCollected. An order that may or may not have arrived is asked again under the same number: the LIS knows it.
"""
