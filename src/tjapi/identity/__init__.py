"""身份与权限: campuses, staff, roles, API clients; who may sign in and what they may do.

    staff      active ⇄ disabled; locked for a while after failed logins
    session    open → revoked (logout, password change, refresh token used twice)
    client     active → revoked

Rights are read from the database on every request: what is taken away is gone on the next one.
"""
