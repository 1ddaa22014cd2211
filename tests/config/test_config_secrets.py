"""Headers, auth and signing keys: resolved from credentials, checked, and never quoted."""

from collections.abc import Callable

import pytest

from callpost.config import Config

FaultsOf = Callable[..., list[str]]

WHERE = "/etc/callpost/credentials, and $CREDENTIALS_DIRECTORY is not set"
HEADERS = [
    ('Host = "x"', "Host: header: this header is reserved: callpost writes it itself"),
    ('TE = "x"', "TE: header: this header is reserved: callpost writes it itself"),
    ('Webhook-Id = "x"', "Webhook-Id: header: this header is reserved: callpost writes it itself"),
    ('callpost-x = "x"', "callpost-x: header: this header is reserved: callpost writes it itself"),
    ('Content-Type = "x"', "Content-Type: header: is set by the key content_type"),
    (
        '"a b" = "x"',
        '"a b": header: is not a valid name of a header (RFC 9110, section 5.1)',
    ),
    (
        'X = "a\\r\\nb"',
        "X: header: must not hold CR, LF, NUL or other control characters",
    ),
    ('X = "a\\u0000"', "X: header: must not hold CR, LF, NUL or other control characters"),
    ('X = "\u20ac"', "X: header: must hold characters of latin-1 (ISO 8859-1) only"),
    ("X = 1", 'X: type: expected a text or "credential:NAME", found a whole number'),
    (
        'X = "a", x = "b"',
        "x: duplicate: the same header stands here in another case",
    ),
    ('X = "credential:nix"', f'X: credential: credential "nix" was not found in {WHERE}'),
    (
        'X = "credential:../x"',
        "X: credential: a credential's name is made of A-Z a-z 0-9 _ . and -",
    ),
    ('X = "credential:empty"', 'X: credential: credential "empty" is empty'),
    ('X = "credential:binary"', 'X: credential: credential "binary" is not UTF-8'),
    (
        'X = "credential:lines"',
        "X: header: must not hold CR, LF, NUL or other control characters",
    ),
]


@pytest.mark.parametrize(("pair", "fault"), HEADERS)
def test_a_faulty_header_is_told_by_its_name(faults_in: FaultsOf, pair: str, fault: str) -> None:
    """Names are tokens, values are one line of latin-1, ours are reserved."""
    assert faults_in(f"headers = {{ {pair} }}") == [f"headers.{fault}"]


AUTHS = [
    ("{}", "type: missing: is required: basic | digest | bearer"),
    ('{ type = "ntlm" }', "type: choice: expected one of basic | digest | bearer"),
    (
        '{ type = "basic", username = "u" }',
        "password: missing: is required with type basic",
    ),
    ('{ type = "bearer" }', "token: missing: is required with type bearer"),
    (
        '{ type = "bearer", token = "t", username = "u" }',
        "username: senseless: makes no sense with type bearer",
    ),
    (
        '{ type = "basic", username = "a:b", password = "p" }',
        "username: auth: must not hold a colon (RFC 7617)",
    ),
    ('{ type = "bearer", token = "" }', "token: auth: must not be empty"),
    (
        '{ type = "bearer", token = "a b" }',
        "token: auth: must be visible ASCII characters only",
    ),
    (
        '{ type = "digest", username = "u", password = "credential:lines" }',
        "password: auth: must not hold line breaks or other control characters",
    ),
    (
        '{ type = "digest", username = "u", password = "credential:nix" }',
        f'password: credential: credential "nix" was not found in {WHERE}',
    ),
    (
        '{ type = "basic", username = "u", password = "p", realm = "r" }',
        "realm: unknown_key: there is no such key",
    ),
]


@pytest.mark.parametrize(("table", "fault"), AUTHS)
def test_faulty_auth_is_told_by_its_key(faults_in: FaultsOf, table: str, fault: str) -> None:
    """Each type has its own keys, all of them required."""
    assert faults_in(f"auth = {table}") == [f"auth.{fault}"]


SIGNING = [
    ('["whsec_"]', "secrets[1]: secret: "),
    ('["whsec_c2hvcnQ="]', "secrets[1]: secret: "),
    ('["whsec_%%%%"]', "secrets[1]: secret: "),
    ('["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]', "secrets[1]: secret: "),
    (f'["whsec_{"A" * 92}"]', "secrets[1]: secret: "),
    ('["credential:key"]', "secrets[1]: secret: "),
    ('["credential:signing", 1]', "secrets[2]: type: "),
    (str(["credential:signing"] * 5), "secrets: range: "),
]


@pytest.mark.parametrize(("value", "beginning"), SIGNING)
def test_a_signing_secret_is_base64_of_24_to_64_bytes(
    faults_in: FaultsOf, value: str, beginning: str
) -> None:
    """Standard Webhooks' form, at most four of them."""
    (fault,) = faults_in(f"secrets = {value}")
    assert fault.startswith(beginning)


def test_several_signing_secrets_stand_side_by_side(parsed: Callable[..., Config]) -> None:
    """While rotating, both the old and the new one sign."""
    other = "whsec_" + "A" * 32
    (one,) = parsed(
        f'[[subscription]]\nname = "a"\nurl = "http://h/"\n'
        f'secrets = ["credential:signing", "{other}"]'
    ).subscriptions
    assert [len(key) for key in one.endpoints[0].signing_keys] == [24, 24]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('{ header = "X" }', "secret: missing: is required"),
        ('{ secret = "s" }', "header: missing: is required"),
        ('{ header = "X", secret = "" }', "secret: secret: must not be empty"),
        (
            '{ header = "webhook-signature", secret = "s" }',
            "header: header: this header is reserved: callpost writes it itself",
        ),
    ],
)
def test_a_body_signature_has_a_header_and_a_secret(
    faults_in: FaultsOf, table: str, fault: str
) -> None:
    """Both are required, and the header is not one of ours."""
    assert faults_in(f"body_signature = {table}") == [f"body_signature.{fault}"]


@pytest.mark.parametrize(
    "keys",
    [
        'headers = { X-Key = "hunter2\\n" }',
        'auth = { type = "basic", username = "hunter2:", password = "hunter2\\n" }',
        'auth = { type = "bearer", token = "hunter2 hunter2" }',
        'secrets = ["hunter2"]',
        'fallback = [{ url = "http://hunter2:hunter2@/hunter2" }]',
        'tls = { ca_file = "hunter2" }',
    ],
)
def test_a_faulty_value_that_may_be_a_secret_is_never_quoted(
    faults_in: FaultsOf, keys: str
) -> None:
    """Faults go to terminals and logs."""
    assert "hunter2" not in " ".join(faults_in(keys))


def test_the_service_directory_is_named_where_it_was_searched(faults_of: FaultsOf) -> None:
    """The reader knows both places where the file may be put."""
    text = '[[subscription]]\nname = "a"\nurl = "http://h/"\nheaders = { X = "credential:nix" }'
    assert faults_of(text, environment={"CREDENTIALS_DIRECTORY": "/run/cred"}) == [
        (
            "callpost.toml: subscription.a.headers.X: credential: "
            'credential "nix" was not found in /etc/callpost/credentials, nor in /run/cred'
        )
    ]
