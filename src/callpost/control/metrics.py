"""The figures as Prometheus reads them, at the path where it looks and under the version."""

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from callpost.control.ports import Metrics
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Operation, Shown, operation

_EXAMPLE: Final = 'callpost_attempts_total{subscription="crm",outcome="delivered"} 17.0\n'


def metrics(metrics: Metrics) -> Iterator[Operation]:
    """One page at two paths."""

    async def page(_: Asked[Nothing, Nothing]) -> Response:
        content, content_type = await metrics.page()
        return Response(content, headers={"content-type": content_type})

    for path in ("/metrics", "/v1/metrics"):
        yield operation(
            "GET",
            path,
            page,
            query=Nothing,
            body=Nothing,
            returns=str,
            shown=Shown(
                "All figures in Prometheus' text format",
                answer=_EXAMPLE,
                content_type="text/plain",
            ),
        )
