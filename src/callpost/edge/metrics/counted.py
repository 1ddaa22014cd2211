"""Figures as Prometheus' metrics: what happened since the start.

Every reason that there can be is there from the start at 0: else nobody would see its first time.
"""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from callpost.edge.metrics.figures import Figures, Histogram
from callpost.model.delivery import DeadReason

# The codes of CONTRACT section 2 that a producer can get.
_REFUSALS: Final = ("invalid", "too_large", "spool_full", "spool_error", "stopping")


class Counted(Collector):
    """See prometheus_client's Collector."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Tell all that was counted."""
        yield from self._intake()
        yield self._attempts()
        yield _by_reason(
            "callpost_dead_letters",
            "Deliveries that ended undelivered, by reason.",
            dict.fromkeys(get_args(DeadReason), 0) | self._figures.deaths,
        )
        yield _histogram(
            "callpost_attempt_duration_seconds",
            "Time of one attempt, from its start to its outcome, whatever it was.",
            self._figures.attempt_times,
        )
        yield _histogram(
            "callpost_delivery_lag_seconds",
            "Time from the acceptance of an event (or its replay) to its delivery.",
            self._figures.lags,
        )
        yield _histogram(
            "callpost_spool_commit_duration_seconds",
            "Time of one commit of the spool, with its fsync.",
            self._figures.commit_times,
        )

    def _intake(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "callpost_events_accepted",
            "Events that were stored and answered with ok.",
            value=self._figures.events,
        )
        yield CounterMetricFamily(
            "callpost_events_duplicate",
            "Events whose id was there already; they were answered with ok and not stored again.",
            value=self._figures.duplicates,
        )
        yield _by_reason(
            "callpost_events_refused",
            "Events that were refused, by the code that the producer got.",
            dict.fromkeys(_REFUSALS, 0) | self._figures.refusals,
        )

    def _attempts(self) -> Metric:
        family = CounterMetricFamily(
            "callpost_attempts",
            "Attempts to deliver, by subscription (empty: all of them together) and outcome.",
            labels=("subscription", "outcome"),
        )
        for subscription, outcomes in self._figures.attempts.items():
            for outcome, count in outcomes.items():
                family.add_metric((subscription, outcome), count)
        return family


def _by_reason(name: str, words: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=("reason",))
    for reason, count in counts.items():
        family.add_metric((reason,), count)
    return family


def _histogram(name: str, words: str, histogram: Histogram) -> Metric:
    return HistogramMetricFamily(
        name, words, buckets=histogram.cumulated(), sum_value=histogram.total
    )
