"""受检者自助: what an examinee may do alone. Everything is the examinee's own; the database shows no other row.

A trusted client (mini-program, kiosk) obtains a token with the exam number, the one-time code and the last four characters of the
ID number. A phone number alone never identifies: families share phones.

A member of a campaign (团检成员自助) comes by a signed link and the last four characters of the own ID or phone number: chooses among what
the group offers, sees who pays what, and books, moves or cancels until the day before. Such a session opens nothing else: whoever keeps an
employer's list must not read anybody's report by it.
"""
