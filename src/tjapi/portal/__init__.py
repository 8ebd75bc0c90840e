"""受检者自助: what an examinee may do alone. Everything is the examinee's own; the database shows no other row.

A trusted client (mini-program, kiosk) obtains a token with the exam number, the one-time code and the last four characters of the
ID number. A phone number alone never identifies: families share phones.
"""
