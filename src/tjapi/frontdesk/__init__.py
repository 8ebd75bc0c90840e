"""前台: what spans the visit: bookings, check-in with everything that is printed then.

A booking is a place and the exam that it is for, in one transaction: moved, cancelled and kept together, whichever of the two is asked.

Check-in answers with the tubes and their barcodes, with a one-time code by which the examinee, together with the last four
characters of the ID number, obtains access to the own reports, and with what can be printed now.

Whoever is found to be somebody else than the examinee (替检) stops the exam; a second person decides.

    check   same | doubtful | different → (a second person) same | different
    print   a row: who, when, which copies of which papers, and of what they were made (sealed) → its file, made when it is fetched

Papers are the guide sheet 指引单, request forms 申请单, tube and exam labels 标签; default copies and the names printed on them are data
(`paper.toml`). A guide sheet's version stands for its content: it grows when another one is printed after lines changed. The file of a
print is the same each time; a second print of a paper says 补打 and its copy number. A large one, a whole unit's for instance, is made by a job.
"""
