"""The page that Prometheus reads; see control.ports.Metrics.

It has a registry of its own: nothing here is global.
"""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from callpost.edge.metrics.counted import Counted
from callpost.edge.metrics.figures import Figures
from callpost.edge.metrics.present import Present
from callpost.edge.metrics.process import Process
from callpost.edge.metrics.reading import Read, Reading


class MetricsPage:
    """Renders what `figures` counted and what `read` says is so now."""

    def __init__(self, figures: Figures, *, read: Read, version: str) -> None:
        self._figures = figures
        self._read = read
        self._version = version

    async def page(self) -> tuple[bytes, str]:
        """All figures in Prometheus' text format, and its content type."""
        return rendered(self._figures, await self._read(), version=self._version)


def rendered(figures: Figures, reading: Reading, *, version: str) -> tuple[bytes, str]:
    """The page, and its content type."""
    # Without a look at the names first: to describe it would be to read everything.
    registry = CollectorRegistry(auto_describe=False)
    for collector in (
        _Build(version),
        Counted(figures),
        Present(reading, named_max=figures.named_max),
        Process(),
    ):
        registry.register(collector)
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Build(Collector):
    def __init__(self, version: str) -> None:
        self._version = version

    def collect(self) -> list[Metric]:
        """Tell which program this is."""
        family = GaugeMetricFamily(
            "callpost_build_info", "Which callpost this is; always 1.", labels=("version",)
        )
        family.add_metric((self._version,), 1)
        return [family]
