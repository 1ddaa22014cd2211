"""Configuration texts to one frozen `Config`, or every fault of all files at once."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from callpost.config.api_door import read_api
from callpost.config.cautions import cautions, cautions_about_api, cautions_about_metrics
from callpost.config.customers import check_customers, read_tenancy
from callpost.config.documents import read_documents
from callpost.config.faults import (
    Fault,
    FaultyConfig,
    FindSecret,
    Lookups,
    Machine,
    Source,
)
from callpost.config.forwards import read_forwards
from callpost.config.subscriptions import Placed, read_subscriptions
from callpost.config.top import Delivery, Top, read_top
from callpost.model.api_door import Api
from callpost.model.egress import Guard
from callpost.model.forward import Forward
from callpost.model.limits import Control, Egress, Intake, Log, Metrics, Privacy, SpoolLimits
from callpost.model.numbers import calling_code
from callpost.model.subscription import Subscription
from callpost.model.tenancy import Tenancy


class Config(Struct, frozen=True, kw_only=True):
    """Everything that the daemon needs, complete; directories are absolute paths."""

    state_directory: str
    runtime_directory: str
    credentials_directory: str
    intake: Intake
    spool: SpoolLimits
    egress: Egress
    control: Control
    api: Api = Api()
    metrics: Metrics
    log: Log
    drain_s: float
    end_after_s: float = 0.0
    country: str = ""
    privacy: Privacy = Privacy()
    tenancy: Tenancy = Tenancy()
    # What subscriptions that are made over the API take their defaults from.
    delivery: Delivery = Delivery()
    forwards: tuple[Forward, ...] = ()
    subscriptions: tuple[Subscription, ...]
    warnings: tuple[Fault, ...]


def parse(
    sources: Sequence[Source],
    *,
    secret: FindSecret,
    environment: Mapping[str, str],
    machine: Machine | None = None,
) -> Config:
    """The configuration of these files, the main one first, or `FaultyConfig`.

    `secret(directory, name)` gives a credential; without a `machine` all files and groups are
    good. Of the environment $STATE_DIRECTORY, $RUNTIME_DIRECTORY and $CREDENTIALS_DIRECTORY count.
    """
    faults: list[Fault] = []
    documents = read_documents(sources, faults)
    lookups = Lookups(
        secret=secret,
        machine=machine or Machine(),
        credentials_directory="",
        service_directory=environment.get("CREDENTIALS_DIRECTORY", ""),
    )
    top = read_top(documents, environment, faults, lookups)
    lookups = replace(lookups, credentials_directory=top.credentials_directory)
    placed = read_subscriptions(documents, top.delivery, faults, lookups)
    tenancy = read_tenancy(documents, top.tenancy.customers, faults, lookups)
    check_customers(placed, tenancy, faults, lookups)
    forwards = read_forwards(documents, tenancy, faults, lookups)
    api = read_api(documents, top.api, tenancy, faults, lookups)
    if faults:
        raise FaultyConfig(_in_file_order(faults, sources))
    whole = _config(replace(top, api=api), placed, main=sources[0].file if sources else "")
    return replace(whole, tenancy=tenancy, forwards=forwards)


def _config(top: Top, placed: Sequence[Placed], *, main: str) -> Config:
    guard = Guard(deny=top.egress.deny, allow=top.egress.allow)
    code = calling_code(top.numbers.country)
    warnings = [
        found for one in placed for found in cautions(one.file, one.subscription, guard, code)
    ]
    warnings += cautions_about_api(main, top.api)
    warnings += cautions_about_metrics(main, top.metrics)
    if not placed:
        sentence = "no file has one, so nothing is delivered but to what is made over the API"
        warnings.append(Fault(main, "subscription", "empty", sentence))
    return Config(
        state_directory=top.state_directory,
        runtime_directory=top.runtime_directory,
        credentials_directory=top.credentials_directory,
        intake=top.intake,
        spool=top.spool.limits(top.calls.end_after),
        egress=top.egress,
        control=top.control,
        api=top.api,
        metrics=top.metrics,
        log=top.log,
        drain_s=top.delivery.drain_s,
        delivery=top.delivery,
        end_after_s=top.calls.end_after,
        country=top.numbers.country,
        privacy=top.privacy,
        subscriptions=tuple(one.subscription for one in placed),
        warnings=tuple(warnings),
    )


def _in_file_order(faults: Sequence[Fault], sources: Sequence[Source]) -> list[Fault]:
    order = {source.file: place for place, source in enumerate(sources)}
    return sorted(faults, key=lambda fault: order.get(fault.file, len(order)))
