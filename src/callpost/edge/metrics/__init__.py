"""What Prometheus reads: counted as it happens, rendered when somebody asks.

The path of a delivery touches plain numbers only. `page` renders them; it is imported only where
somebody may ask, for prometheus_client takes 60 ms and some MiB.
"""

from callpost.edge.metrics.figures import NAMED_MAX, Figures
from callpost.edge.metrics.reading import Reading

__all__ = ["NAMED_MAX", "Figures", "Reading"]
