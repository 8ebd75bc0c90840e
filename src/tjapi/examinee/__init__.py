"""受检者: one person, however often and in whichever campus they come.

A campus sees a person from the moment it meets them (`examinee_campus`); a person is never entered twice: an exact identifier finds
the one that is there. ID number, phone and address are sealed; they are found by blind indexes and shown masked. Of photos every version is kept; the last one is the face that papers show.

Publishes `examinee.registered`, `examinee.amended`.
"""
