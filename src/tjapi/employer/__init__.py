"""单位: employers with their branches and contacts, their contracts, and the campaigns (团检任务) in which their people are examined.

    campaign  draft → open → completed → reopened → completed
    member    listed → booked → listed;  listed | booked → done | no_show | cancelled;  no_show | cancelled → listed
    import    received → previewed → committed;  received → refused;  received | previewed → discarded

Employers and their contacts belong to the whole hospital, as people do: a unit that comes to two campuses is one unit. Contracts,
campaigns, groups and members belong to a campus: a unit that is examined in two has a campaign in each. A campaign's groups say by
rules who belongs to them; a member belongs to exactly one group, or to none, and then the reason is kept with the name. An exam is
known here by its id alone: what became of it is for later contexts to read.

Publishes `campaign.opened`, `campaign.completed`, `campaign.reopened`.
"""
