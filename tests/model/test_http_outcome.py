"""What an HTTP answer means."""

import pytest

from callpost.model.http_outcome import http_outcome
from callpost.model.outcome import Delivered, Outcome, Retry


@pytest.mark.parametrize(
    ("status", "retry_after", "location", "outcome"),
    [
        (200, "", "", Delivered("http_200", 200)),
        (200, "", "http://elsewhere/", Delivered("http_200", 200)),
        (503, "7", "", Retry(reason="http_503", http_status=503, retry_after_s=7.0)),
        (429, "soon", "", Retry(reason="http_429", http_status=429)),
        (
            503,
            "Tue, 14 Nov 2023 22:14:00 GMT",
            "",
            Retry(reason="http_503", http_status=503, retry_after_s=40.0),
        ),
        (302, "", "", Retry(reason="http_302", http_status=302)),
        (
            302,
            "",
            "https://u:p@Other.example:8/secret?x=1",
            Retry(reason="redirect_to:other.example", http_status=302),
        ),
        (301, "", "/elsewhere", Retry(reason="redirect_to:crm.example", http_status=301)),
        (302, "", "http://[bad", Retry(reason="http_302", http_status=302)),
        (302, "", "http://r\u00e9d/", Retry(reason="http_302", http_status=302)),
    ],
)
def test_an_answer_is_an_outcome(
    status: int, retry_after: str, location: str, outcome: Outcome
) -> None:
    """Of a redirect only the host is told, and that only where it is one."""
    found = http_outcome(
        status, retry_after=retry_after, location=location, host="crm.example", now=1_700_000_000
    )
    assert found == outcome
