"""导检: where to go next, who is called, and the guide sheet's way back (回收).

    ticket   waiting → called → in_room → done;  called → passed → waiting;  waiting | called | passed → dropped

A room is a place of a department in a campus. An examinee holds one open ticket at most. What is recommended follows from what is still
to be done: fasting first, then what nothing else must come before, then the shortest wait. The guide sheet comes back once: every line
for which the person would still have to be here is decided then, by the campus's policy or one by one.
"""
