"""The configuration as it may be shown."""

import msgspec

from callpost.config import Machine, Source, parse
from callpost.config.masked import masked

TEXT = """
[[subscription]]
name = "crm"
url = "https://u-secret:p-secret@crm.example/path-secret?key=query-secret"
method = "POSTJSON"
headers = { "X-Key" = "header-secret" }
secrets = ["whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"]
body_signature = { header = "X-Signature", secret = "hmac-secret" }
proxy = "http://u-secret:p-secret@proxy.example:3128"
tls = { ca_file = "/ca.pem" }
caller = ["+45*"]
fallback = [{ url = "tcp://b.example:99" }, { url = "https://c.example/path-secret", auth = { type = "basic", username = "u-secret", password = "p-secret" } }]
delivery_report = { url = "https://d.example/path-secret", auth = { type = "bearer", token = "t-secret" } }
"""  # noqa: E501 - inline tables are one line


def shown() -> dict[str, object]:
    """What is shown of it."""
    config = parse(
        [Source("callpost.toml", TEXT.encode())],
        secret=lambda _directory, _name: None,
        environment={},
        machine=Machine(file_digest=lambda _path: "digest-secret"),
    )
    return masked(config)


def test_no_secret_is_shown() -> None:
    """Neither written nor encoded, in no corner of it."""
    page = msgspec.json.encode(shown())
    assert b"-secret" not in page
    assert b"c2VjcmV0" not in page


def test_the_rest_is_shown() -> None:
    """Origins, the names of headers, filters, files and limits."""
    page = msgspec.json.encode(shown()).decode()
    for part in (
        "https://crm.example:443",
        "X-Key",
        "+45*",
        "/ca.pem",
        "http://proxy.example:3128",
    ):
        assert part in page


def test_it_can_be_written_as_json() -> None:
    """It holds nothing that a program could not read."""
    assert msgspec.json.decode(msgspec.json.encode(shown()))["drain_s"] == 15.0
