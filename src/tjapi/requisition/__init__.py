"""申请与标本: what is asked of the LIS, and the tubes it is asked with.

    requisition   planned → sent (acknowledged by the LIS) ; planned → failed (a person must look) → planned
                  sent → cancelled
    tube          planned → collected → handed_over → received | rejected;  collected | received → sent_out → received;  planned → cancelled
    hand-over     open → handed_over → received ; open → cancelled

When lines are released their tubes are planned, in the same transaction; the order goes out by a job. Publishes RequisitionPlanned,
TubeCollected, TubeRejected. A rejected specimen is taken again in another tube under another barcode, and asked for again; its line is
specimen_rejected until then. Every step of a tube is kept: who, when, where. An order that may or may not have arrived is asked again under the same number: the LIS knows it.
"""
