"""The whole public surface on one page: every router of v1, in the order of a visit."""

from fastapi import APIRouter

from tjapi.appointment.endpoints import appointments
from tjapi.catalog.endpoints import catalog
from tjapi.conclusion.endpoints import conclusions
from tjapi.critical_value.endpoints import critical_values
from tjapi.employer.endpoints import campaigns, employers, imports
from tjapi.exam.endpoints import exams
from tjapi.examinee.endpoints import duplicates, examinees, guardians
from tjapi.frontdesk.endpoints import bookings, checking, finding, frontdesk, merging
from tjapi.groupdesk.endpoints import groupdesk
from tjapi.guidance.endpoints import guidance
from tjapi.identity.endpoints import admin, auth
from tjapi.kernel.routing import OperationRoute
from tjapi.knowledge.endpoints import knowledge
from tjapi.operations.endpoints import jobs, live, messages, trail
from tjapi.portal.endpoints import member_links, own_campaign, portal
from tjapi.pricing.endpoints import pricing
from tjapi.report.endpoints import reports
from tjapi.requisition.endpoints import requisitions, specimens
from tjapi.result.endpoints import results

PREFIX = "/api/v1"
ROUTERS: tuple[APIRouter, ...] = (
    auth,
    admin,
    catalog,
    knowledge,
    examinees,
    guardians,
    duplicates,
    merging,
    appointments,
    employers,
    campaigns,
    imports,
    pricing,
    exams,
    bookings,
    finding,
    frontdesk,
    checking,
    groupdesk,
    requisitions,
    specimens,
    messages,
    results,
    guidance,
    critical_values,
    conclusions,
    reports,
    member_links,
    portal,
    own_campaign,
    jobs,
    live,
    trail,
)


def v1() -> APIRouter:
    """Return the router of version 1."""
    root = APIRouter(prefix=PREFIX)
    for router in ROUTERS:
        root.include_router(router)
    return root


def operations() -> list[OperationRoute]:
    """Return every operation of the contract."""
    return [route for router in ROUTERS for route in router.routes if isinstance(route, OperationRoute)]
