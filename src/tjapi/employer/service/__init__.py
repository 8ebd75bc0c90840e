"""The verbs of employers, their campaigns, groups and members."""

from tjapi.employer.models import Campaign, CampaignGroup, Contract, Employer, EmployerContact, Member, MemberImport
from tjapi.employer.service.campaigns import (
    campaign,
    campaigns_page,
    complete,
    create_campaign,
    describe_campaign,
    lock_campaign,
    next_campaign,
    open_campaign,
    reopen,
    update_campaign,
)
from tjapi.employer.service.contracts import contract, contracts_page, create_contract
from tjapi.employer.service.employers import (
    add_contact,
    create_employer,
    describe_employer,
    employer,
    employers_page,
    remove_contact,
    unmask_contact,
    update_employer,
)
from tjapi.employer.service.groups import group, groups, put_group
from tjapi.employer.service.members import (
    add_member,
    amend_member,
    assign,
    bind,
    bind_many,
    card,
    decide,
    listed,
    lock_member,
    lock_members,
    member,
    member_of_exam,
    members,
    members_page,
    refuse,
    refuse_many,
    relist,
    unbind,
)

__all__ = [
    "Campaign", "CampaignGroup", "Contract", "Employer", "EmployerContact", "Member", "MemberImport", "add_contact", "add_member",
    "amend_member", "assign", "bind", "bind_many", "campaign", "campaigns_page", "card", "complete", "contract", "contracts_page", "create_campaign",
    "create_contract", "create_employer", "decide", "describe_campaign", "describe_employer", "employer", "employers_page", "group",
    "groups", "listed", "lock_campaign", "lock_member", "lock_members", "member", "member_of_exam", "members", "members_page", "next_campaign", "open_campaign",
    "put_group", "refuse", "refuse_many", "relist", "remove_contact", "reopen", "unbind", "unmask_contact", "update_campaign", "update_employer",
]  # fmt: skip
