"""How the daemon is: health for machines, the one screen for people.

A probe needs the status code only: 200, or 503 where the answer to its question is no.
"""

from collections.abc import Iterator

from callpost.control.examples import HEALTH, STATUS
from callpost.control.ports import Operating
from callpost.model.condition import HealthReport, Status
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Answer, Operation, Shown, operation


def condition(operating: Operating) -> Iterator[Operation]:
    """Health and status."""

    async def ready(_: Asked[Nothing, Nothing]) -> Answer:
        health = operating.health()
        return Answer(200 if health.ready else 503, health)

    async def live(_: Asked[Nothing, Nothing]) -> Answer:
        health = operating.health()
        return Answer(200 if health.live else 503, health)

    async def status(_: Asked[Nothing, Nothing]) -> Status:
        return await operating.status()

    for path, answer, summary in (
        ("/v1/health", ready, "Whether events are accepted, and what is wrong"),
        ("/v1/health/live", live, "Whether the loop turns"),
        ("/v1/health/ready", ready, "Whether events are accepted"),
    ):
        yield operation(
            "GET",
            path,
            answer,
            query=Nothing,
            body=Nothing,
            returns=HealthReport,
            shown=Shown(summary, answer=HEALTH, statuses=(200, 503)),
        )
    yield operation(
        "GET",
        "/v1/status",
        status,
        query=Nothing,
        body=Nothing,
        returns=Status,
        shown=Shown("Is it healthy, what is behind, who fails and why", answer=STATUS),
    )
