"""前台: what spans the visit: check-in with everything that is printed then.

Check-in answers with the tubes and their barcodes, and with a one-time code by which the examinee, together with the last four
characters of the ID number, obtains access to the own reports.
"""
