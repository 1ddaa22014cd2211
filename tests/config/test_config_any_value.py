"""Whatever stands behind a key, parsing ends in a configuration or in faults."""

from collections.abc import Callable, Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callpost.config.api_door import API, TOKEN
from callpost.config.subscriptions import SUBSCRIPTION
from callpost.config.top import DELIVERY, EGRESS, INTAKE, LOG, SPOOL, TOP

FaultsOf = Callable[..., list[str]]

WORDS = ("", "x", "credential:key", "whsec_x", "basic", "1h", "8GiB", "http://h/", "tcp://h:1")
SIMPLE = st.one_of(
    st.sampled_from(["true", "-1", "0", "3", "0.5", "nan", "-inf", "2024-01-01", "10:00:00"]),
    st.sampled_from(WORDS).map(lambda word: f'"{word}"'),
)
KEYS = st.sampled_from(
    ["url", "method", "type", "username", "password", "token", "pauses_s", "max_age_s", "on", "4xx"]
)


def _list(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


def _table(items: dict[str, str]) -> str:
    return f"{{ {', '.join(f'{key} = {value}' for key, value in items.items())} }}"


VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(_list),
        st.dictionaries(KEYS, inner, max_size=4).map(_table),
    ),
    max_leaves=6,
)


def _pairs(known: Mapping[str, object]) -> st.SearchStrategy[str]:
    pairs = st.dictionaries(st.sampled_from(sorted(known)), VALUES, max_size=5)
    return pairs.map(lambda found: "\n".join(f"{key} = {value}" for key, value in found.items()))


DIRECTORIES = {key: TOP[key] for key in TOP if key.endswith("_directory")}
TEXTS = st.builds(
    "{}\n[intake]\n{}\n[spool]\n{}\n[delivery]\n{}\n[egress]\n{}\n[log]\n{}\n"
    "[preset.p]\n{}\n[[subscription]]\n{}\n".format,
    *map(_pairs, (DIRECTORIES, INTAKE, SPOOL, DELIVERY, EGRESS, LOG, SUBSCRIPTION, SUBSCRIPTION)),
)
DOOR = {key: API[key] for key in API if key != "token"}
API_TEXTS = st.builds(
    "[api]\n{}\n[[api.token]]\n{}\n[[api.token]]\n{}\n".format, *map(_pairs, (DOOR, TOKEN, TOKEN))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=TEXTS | API_TEXTS)
def test_no_value_of_any_key_raises(faults_of: FaultsOf, text: str) -> None:
    """Every fault is a line that names its file."""
    assert all(fault.startswith("callpost.toml: ") for fault in faults_of(text))


GOOD_URLS = st.sampled_from(["http://h/", "https://h/", "tcp://h:1", "udp://h:1"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(url=GOOD_URLS, keys=_pairs({key: 1 for key in SUBSCRIPTION if key not in {"name", "url"}}))
def test_no_keys_of_a_good_url_raise(faults_in: FaultsOf, url: str, keys: str) -> None:
    """What goes together is checked without stumbling."""
    assert isinstance(faults_in(keys, url=url), list)
