"""受检者: one person, however often and in whichever campus they come.

A campus sees a person from the moment it meets them (`examinee_campus`); a person is never entered twice: an exact identifier finds
the one that is there. ID number, phone and address are sealed; they are found by blind indexes and shown masked. Of photos every version is kept; the last one is the face that papers show.

People who were entered twice all the same are suggested with a score and its reasons, and merged by whoever decides that they are one:
the merged entry points at the survivor and stands for it everywhere, what belonged to it follows, and undoing brings back what followed.

Publishes `examinee.registered`, `examinee.amended`, `examinee.merged`, `examinee.unmerged`.
"""
