"""前台: what spans the visit: bookings, check-in with everything that is printed then.

A booking is a place and the exam that it is for, in one transaction: moved, cancelled and kept together, whichever of the two is asked.

Check-in answers with the tubes and their barcodes, and with a one-time code by which the examinee, together with the last four
characters of the ID number, obtains access to the own reports.
"""
