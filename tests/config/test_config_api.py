"""`[api]` and `[[api.token]]`: where the API can be asked, and by whom."""

from collections.abc import Callable
from hashlib import sha256

import msgspec
import pytest

from callpost.config import Config, FaultyConfig, Machine, Source, parse
from callpost.config.masked import masked
from callpost.model.api_door import Api, TlsPair, Token
from callpost.model.caller import Caller
from callpost.model.listening import NetworkPlace, UnixPlace

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]

SECRET = "sixteen-visible!"
HERE = '[api]\nlisten = "127.0.0.1:8787"\n'
THERE = '[api]\nlisten = "0.0.0.0:8787"\n'
TLS = 'tls = { cert = "/cert.pem", key = "/key.pem" }\n'
TLS_REQUIRED = "beyond this machine TLS is required: tls = { cert = ..., key = ... }"
NO_TOKEN = "no token, no door: at least one [[api.token]] is required"
NO_DOOR = (
    'no token is of use without api.listen, unless systemd hands over a socket that is named "api"'
)
LIMIT = "api.max_subscriptions_per_customer"
WHOLE = "a whole number from 1 to 1000000"
LENGTH = "token: secret: must have 16 to 1024 characters"
NOT_VISIBLE = "token: secret: must be visible ASCII characters only"
NO_SUCH = (
    'token: credential: credential "none" was not found in /etc/callpost/credentials,'
    " and $CREDENTIALS_DIRECTORY is not set"
)
REGISTRY = '[[customer]]\nid = "acme"\n[[customer]]\nid = "beta"\n'


def token(name: str = "portal", secret: str = SECRET, more: str = 'customers = ["acme"]') -> str:
    """A token's table; `more` may set the role."""
    role = "" if "role" in more else 'role = "manager"\n'
    return f'[[api.token]]\nname = "{name}"\ntoken = "{secret}"\n{role}{more}\n'


def test_without_the_table_there_is_no_door(parsed: Parsed) -> None:
    """Nor a token; the limit is a hundred."""
    assert parsed("").api == Api(
        listen=None, tls=None, max_subscriptions_per_customer=100, tokens=()
    )


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("127.0.0.1:8787", NetworkPlace("127.0.0.1", 8787)),
        ("[::1]:8787", NetworkPlace("::1", 8787)),
        ("/run/callpost/api.sock", UnixPlace("/run/callpost/api.sock")),
        ("", None),
    ],
)
def test_on_this_machine_it_needs_no_tls(
    parsed: Parsed, written: str, place: NetworkPlace | UnixPlace | None
) -> None:
    """An address of this machine alone, or a Unix socket."""
    api = parsed(f'[api]\nlisten = "{written}"\n' + token()).api
    assert (api.listen, api.tls) == (place, None)


def test_a_token_is_a_caller_and_a_digest(parsed: Parsed) -> None:
    """The secret itself is nowhere."""
    config = parsed(HERE + token(more='role = "viewer"\ncustomers = ["acme", "beta", "acme"]'))
    caller = Caller(name="portal", role="viewer", customers=("acme", "beta"), trusted=False)
    assert config.api.tokens == (Token(caller=caller, digest=sha256(SECRET.encode()).digest()),)
    assert SECRET not in repr(config)


def test_a_secret_may_be_a_credential(parsed: Parsed) -> None:
    """As all others."""
    [one] = parsed(HERE + token(secret="credential:signing")).api.tokens
    assert one.digest == sha256(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").digest()


def test_a_token_may_be_trusted(parsed: Parsed) -> None:
    """What it makes may deliver into closed networks."""
    [one] = parsed(HERE + token(more='customers = ["acme"]\negress = "trusted"')).api.tokens
    assert one.caller.trusted


def test_an_admin_names_no_customer(parsed: Parsed) -> None:
    """And acts for all."""
    [one] = parsed(HERE + token(more='role = "admin"')).api.tokens
    assert one.caller.acts_for("anybody")


def test_tokens_add_up_over_the_files(parsed: Parsed) -> None:
    """In their order."""
    config = parsed(HERE + token("one"), token("two", "another-secret-text"))
    assert [one.caller.name for one in config.api.tokens] == ["one", "two"]


def test_a_pair_goes_with_its_digest(parsed: Parsed) -> None:
    """So that a reload sees new content."""
    config = parse(
        [Source("callpost.toml", (THERE + TLS + token()).encode())],
        secret=lambda _directory, _name: None,
        environment={},
        machine=Machine(file_digest=lambda path: f"<{path}>"),
    )
    assert config.api.tls == TlsPair(
        cert="/cert.pem", key="/key.pem", digest="</cert.pem></key.pem>"
    )


@pytest.mark.parametrize("written", ["tls = {}\n", 'tls = { cert = "", key = "" }\n'])
def test_an_empty_pair_is_none(parsed: Parsed, written: str) -> None:
    """As the reference shows it."""
    assert parsed(HERE + written + token()).api.tls is None


@pytest.mark.parametrize(
    "place", ["0.0.0.0:8787", "192.0.2.1:8787", "[::]:8787", "[2001:db8::1]:1"]
)
@pytest.mark.parametrize("written", ["", 'tls = { cert = "", key = "" }\n'])
def test_beyond_this_machine_tls_is_required(faults_of: FaultsOf, place: str, written: str) -> None:
    """Tokens and calls would be read on the way."""
    assert faults_of(f'[api]\nlisten = "{place}"\n{written}' + token()) == [
        f"callpost.toml: api.listen: tls: {TLS_REQUIRED}"
    ]


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ('tls = { cert = "/c.pem" }', "api.tls.key: missing: is required with cert"),
        ('tls = { key = "/k.pem" }', "api.tls.cert: missing: is required with key"),
        (
            'tls = { cert = "c.pem", key = "/k" }',
            "api.tls.cert: path: must be an absolute path, one that begins with /",
        ),
        (
            'tls = { cert = "/missing.pem", key = "/k" }',
            "api.tls.cert: file: cannot be read: no such file or directory",
        ),
        ('tls = "/c.pem"', "api.tls: type: expected a table, found a text"),
        (
            'tls = { certs = "/c.pem" }',
            'api.tls.certs: unknown_key: there is no such key; did you mean "cert"?',
        ),
        ("max_subscriptions_per_customer = 0", f"{LIMIT}: range: expected {WHOLE}"),
        ("max_subscriptions_per_customer = 1000001", f"{LIMIT}: range: expected {WHOLE}"),
        (
            "max_subscriptions_per_customer = true",
            f"{LIMIT}: type: expected {WHOLE}, found true or false",
        ),
        ("tokens = []", 'api.tokens: unknown_key: there is no such key; did you mean "token"?'),
    ],
)
def test_what_is_wrong_with_the_door_is_said_once(
    faults_of: FaultsOf, written: str, fault: str
) -> None:
    """One sentence, although the door needs it."""
    assert faults_of(THERE + written + "\n" + ("" if "tls" in written else TLS) + token()) == [
        f"callpost.toml: {fault}"
    ]


def test_files_that_are_no_pair_are_a_fault(parsed: Parsed) -> None:
    """Before a start, at a reload, and in `callpost check`."""
    with pytest.raises(FaultyConfig) as told:
        parse(
            [Source("callpost.toml", (THERE + TLS + token()).encode())],
            secret=lambda _directory, _name: None,
            environment={},
            machine=Machine(
                pair_fault=lambda _cert, _key: "the key is not that of the certificate"
            ),
        )
    assert str(told.value) == "callpost.toml: api.tls: tls: the key is not that of the certificate"


def test_no_token_no_door(faults_of: FaultsOf) -> None:
    """There is nobody who could come in."""
    assert faults_of(HERE) == [f"callpost.toml: api.listen: missing: {NO_TOKEN}"]


def test_the_fault_is_told_of_the_file_that_opens_the_door(faults_of: FaultsOf) -> None:
    """Not of the first one."""
    [fault] = faults_of("", HERE)
    assert fault.startswith("conf.d/1.toml: api.listen: missing: no token, no door")


def test_tokens_without_a_door_deserve_a_word(parsed: Parsed) -> None:
    """Somebody may believe that they open something."""
    warnings = parsed(token() + '[[subscription]]\nname = "a"\nurl = "https://h/"').warnings
    assert [str(one) for one in warnings] == [f"callpost.toml: api.token: senseless: {NO_DOOR}"]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (token(name=""), "name: range: must not be empty"),
        (token(name="x" * 65), "name: range: must have at most 64 characters"),
        (token(secret="fifteen-visible"), LENGTH),
        (token(secret="x" * 1_025), LENGTH),
        (token(secret="with a space in it"), NOT_VISIBLE),
        (token(secret="ümlaut-in-the-middle"), NOT_VISIBLE),
        (token(secret="tabs\\tand\\tother\\tthings"), NOT_VISIBLE),
        (token(secret="credential:key"), LENGTH),
        (token(secret="credential:none"), NO_SUCH),
        (
            token(more='role = "root"\ncustomers = ["acme"]'),
            "role: choice: expected one of viewer | manager | owner | reseller | admin",
        ),
        (
            token(more='role = "admin"\ncustomers = ["acme"]'),
            "customers: senseless: makes no sense with role admin, who acts for all of them",
        ),
        (token(more=""), "customers: missing: is required with role manager"),
        (token(more="customers = []"), "customers: range: must name at least one customer"),
        (token(more='customers = "acme"'), "customers: type: expected a list, found a text"),
        (token(more='customers = [""]'), "customers[1]: range: must not be empty"),
        (
            token(more='customers = ["*"]'),
            'customers[1]: customer: is no customer; role = "admin" acts for all of them',
        ),
        (
            token(more='customers = ["acme", "acne"]'),
            'customers[2]: customer: there is no customer "acne"; did you mean "acme"?',
        ),
        (
            token(more='customers = ["acme"]\negress = "open"'),
            "egress: choice: expected one of strict | trusted",
        ),
        (
            token(more='customers = ["acme"]\nrights = "all"'),
            "rights: unknown_key: there is no such key",
        ),
    ],
)
def test_what_is_wrong_with_a_token_is_said_of_its_key(
    faults_of: FaultsOf, table: str, fault: str
) -> None:
    """And its secret is not quoted."""
    assert faults_of(HERE + table + REGISTRY) == [f"callpost.toml: api.token[1].{fault}"]


def test_a_token_needs_a_name_a_secret_and_a_role(faults_of: FaultsOf) -> None:
    """All that is missing is told."""
    assert faults_of(HERE + "[[api.token]]\n") == [
        f"callpost.toml: api.token[1].{key}: missing: is required"
        for key in ("name", "token", "role")
    ]


def test_a_name_is_one_tokens(faults_of: FaultsOf) -> None:
    """The log tells who it was by it."""
    sentence = "another token has this name already, in callpost.toml"
    assert faults_of(HERE + token(), token(secret="another-secret-text")) == [
        f"conf.d/1.toml: api.token[1].name: duplicate: {sentence}"
    ]


def test_no_token_is_called_like_the_operator(faults_of: FaultsOf) -> None:
    """Or the log would not tell them apart."""
    sentence = "is what the log calls who opens the control socket"
    assert faults_of(HERE + token("operator")) == [
        f"callpost.toml: api.token[1].name: reserved: {sentence}"
    ]


def test_a_secret_is_one_tokens(faults_of: FaultsOf) -> None:
    """Who would it be?"""
    sentence = "another token has this secret already, in callpost.toml"
    assert faults_of(HERE + token() + token("other")) == [
        f"callpost.toml: api.token[2].token: duplicate: {sentence}"
    ]


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (
            '[api]\ntoken = "sixteen-visible!"',
            "api.token: type: expected tables that begin with [[api.token]], found a text",
        ),
        ("[api]\ntoken = [1]", "api.token[1]: type: expected a table, found a whole number"),
        ("api = 1", "api: type: expected a table, found a whole number"),
    ],
)
def test_what_is_no_token_is_told(faults_of: FaultsOf, written: str, fault: str) -> None:
    """Once."""
    assert faults_of(written) == [f"callpost.toml: {fault}"]


def test_an_operator_sees_who_may_come_in(parsed: Parsed) -> None:
    """Never with what."""
    shown = masked(parsed(HERE + TLS + token()))
    assert shown["api"] == {
        "listen": "127.0.0.1:8787",
        "tls": {"cert": "/cert.pem", "key": "/key.pem"},
        "max_subscriptions_per_customer": 100,
        "tokens": [{"name": "portal", "role": "manager", "customers": ["acme"], "trusted": False}],
    }
    assert sha256(SECRET.encode()).hexdigest() not in msgspec.json.encode(shown).decode()
