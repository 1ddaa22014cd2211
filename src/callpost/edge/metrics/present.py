"""The daemon as it is now, as Prometheus' metrics: read when the page is asked for.

Labels are bounded: beyond the bound all subscriptions stand under an empty name, together.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callpost.edge.metrics.figures import TOGETHER
from callpost.edge.metrics.reading import Reading
from callpost.model.condition import (
    EndpointCondition,
    HealthReport,
    SpoolFigures,
    SubscriptionCondition,
    SubscriptionState,
    TroubleCode,
)

# The certificates that end first; those of ten thousand endpoints would be a page of their own.
_CERTIFICATES_MAX: Final = 100
# Endpoints to which only probes go, or nothing any more.
_OUT_OF_REACH: Final = frozenset({"down", "gone"})


class Present(Collector):
    """See prometheus_client's Collector; of more than `named_max` subscriptions none is named."""

    def __init__(self, reading: Reading, *, named_max: int) -> None:
        self._reading = reading
        self._named_max = named_max

    def collect(self) -> Iterator[Metric]:
        """Tell how everything is."""
        reading = self._reading
        yield from _health(reading.health)
        yield from _configuration(reading)
        yield from _spool(reading.spool)
        yield GaugeMetricFamily(
            "callpost_intake_connections",
            "Producers that are connected to the stream socket.",
            value=reading.connections,
        )
        yield from self._subscriptions(reading)
        yield _of_each(
            "callpost_certificate_expiry_timestamp_seconds",
            "When a certificate ends, of the 100 that end first; Unix time.",
            "endpoint",
            dict(sorted(reading.certificates, key=lambda one: one[1])[:_CERTIFICATES_MAX]),
        )

    def _subscriptions(self, reading: Reading) -> Iterator[Metric]:
        states = reading.subscriptions
        yield _of_each(
            "callpost_subscriptions",
            "Subscriptions, by who paused them if anybody did.",
            "condition",
            _counted(get_args(SubscriptionCondition), [one.condition for one in states]),
        )
        yield _of_each(
            "callpost_endpoints",
            "Endpoints of all subscriptions, by what is known of them.",
            "condition",
            _counted(
                get_args(EndpointCondition),
                [endpoint.condition for one in states for endpoint in one.endpoints],
            ),
        )
        yield GaugeMetricFamily(
            "callpost_stalled_subscriptions",
            "Subscriptions that make no progress although they could.",
            value=sum(bool(one.stalled) for one in states),
        )
        yield GaugeMetricFamily(
            "callpost_in_flight_attempts",
            "Attempts that are out.",
            value=sum(one.in_flight for one in states),
        )
        yield from self._by_subscription(states)

    def _by_subscription(self, states: Sequence[SubscriptionState]) -> Iterator[Metric]:
        is_named = len(states) <= self._named_max
        pending: dict[str, float] = {}
        ages_s: dict[str, float] = {}
        down: dict[str, float] = {}
        for one in states:
            name = one.name if is_named else TOGETHER
            out = sum(endpoint.condition in _OUT_OF_REACH for endpoint in one.endpoints)
            pending[name] = pending.get(name, 0) + one.pending
            ages_s[name] = max(ages_s.get(name, 0.0), one.lag_s)
            down[name] = down.get(name, 0) + out
        label = "subscription"
        yield _of_each(
            "callpost_pending_deliveries", "Deliveries that wait or are out.", label, pending
        )
        yield _of_each(
            "callpost_oldest_due_age_seconds",
            "Age of the oldest delivery that may go and has not gone.",
            label,
            ages_s,
        )
        yield _of_each(
            "callpost_endpoints_down",
            "Endpoints whose breaker is open, or that answered 410.",
            label,
            down,
        )


def _health(health: HealthReport) -> Iterator[Metric]:
    yield GaugeMetricFamily("callpost_ready", "1 while events are accepted.", value=health.ready)
    yield _of_each(
        "callpost_degraded",
        "1 for each reason for which the daemon is degraded.",
        "reason",
        _counted(get_args(TroubleCode), [one.code for one in health.degraded]),
    )


def _configuration(reading: Reading) -> Iterator[Metric]:
    rejected = any(one.code == "config_rejected" for one in reading.health.degraded)
    yield GaugeMetricFamily(
        "callpost_config_last_reload_successful",
        "1 where the configuration in force is that of the files, 0 where these are faulty.",
        value=not (rejected or reading.config.last_good),
    )
    yield GaugeMetricFamily(
        "callpost_config_last_reload_success_timestamp_seconds",
        "When the configuration in force was loaded; Unix time.",
        value=_seconds(reading.config.loaded_at),
    )


def _spool(spool: SpoolFigures) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "callpost_spool_used_bytes", "What the spool takes on disk.", value=spool.used_bytes
    )
    yield GaugeMetricFamily(
        "callpost_spool_max_bytes", "What it may take (max_bytes).", value=spool.max_bytes
    )
    yield GaugeMetricFamily(
        "callpost_spool_dead_letters", "Dead letters that are kept.", value=spool.dead
    )


def _counted(words: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """How often each of the words was found; every one of them is there."""
    counts = Counter(found)
    return {word: counts[word] for word in words}


def _of_each(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=(label,))
    for value_of, value in values.items():
        family.add_metric((value_of,), value)
    return family


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
