"""Delivery reports: what became of a delivery, told to whoever asked for it.

A report is stored and delivered like an event, in a queue of its own that stands beside its
subscription's; there is never a report about a report.
"""

import hashlib
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from callpost.model.delivery import Arrival, Delivery, Match
from callpost.model.event import CallEvent
from callpost.model.formats import Content, written
from callpost.model.schedule import CDR
from callpost.model.subscription import Filter, Subscription
from callpost.model.vocabulary import Kind, Method

# No subscription of an operator may have this in its name.
_SUFFIX: Final = "!report"


class Report(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is sent: `reason` is "delivered" or why it died, `attempts` counts them all.

    `endpoint` (scheme, host and port) and `http_status` are of the attempt that ended it, if
    one did.
    """

    type: Literal["delivery.delivered", "delivery.dead"]
    subscription: str
    event_id: str
    call_id: str
    seq: int
    reason: str
    attempts: int
    endpoint: str | UnsetType = UNSET
    http_status: int | UnsetType = UNSET
    time: str


class StoredReport(Struct, frozen=True, kw_only=True):
    """A report as it lies in the spool, with an `id` of its own."""

    id: str
    report: Report

    @property
    def event(self) -> Kind:
        """A report is as patient as a call detail record."""
        return "cdr"

    @property
    def call_id(self) -> str:
        """The call that it is about."""
        return self.report.call_id


def reports_of(name: str) -> str:
    """The queue in which the reports about a subscription lie, if somebody asked for any."""
    return f"{name}{_SUFFIX}"


def is_of_reports(name: str) -> bool:
    """Whether a queue of this name holds reports."""
    return name.endswith(_SUFFIX)


def queue_of(subscription: Subscription) -> Subscription | None:
    """The inner subscription that delivers the reports, None where nobody asked for any."""
    if subscription.report is None:
        return None
    return Subscription(
        name=reports_of(subscription.name),
        endpoints=(subscription.report,),
        # Nothing is routed to it; but it takes of its customer's share.
        filter=Filter(customer=subscription.filter.customer),
        schedule=CDR,
        cdr_schedule=CDR,
        order="none",
        concurrency=min(2, subscription.concurrency),
    )


def arrival_of(
    report: Report, event: CallEvent, delivery: Delivery, *, queue: int, accepted_at: float
) -> Arrival:
    """The report as an arrival for `queue`; the same delivery's end gives the same id."""
    marks = f"{report.subscription}\n{report.type}\n{delivery.position}\n{report.event_id}"
    report_id = f"rpt_{hashlib.sha256(marks.encode()).hexdigest()[:32]}"
    return Arrival(
        id=report_id,
        call_id=event.call_id,
        customer=event.customer or "",
        source=event.source or "",
        accepted_at=accepted_at,
        body=msgspec.json.encode(StoredReport(id=report_id, report=report)),
        matches=(Match(queue, accepted_at + CDR.max_age_s["cdr"]),),
    )


def report_content(stored: StoredReport, method: Method) -> Content:
    """The report as `method` sends it."""
    fields = asdict(stored.report)
    names = {field.name: field.encode_name for field in msgspec.structs.fields(Report)}
    pairs = [(names[name], value) for name, value in fields.items() if value is not UNSET]
    return written(pairs, method=method, root="deliveryReport")
