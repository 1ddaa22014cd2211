"""The page that Prometheus reads, read with prometheus_client's own parser."""

import shutil
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callpost.edge.metrics import Figures, Reading, page
from callpost.model.condition import Trouble
from edge.metrics.readings import STARTED_AT_S, a_reading, a_state, an_attempt

Labels = tuple[tuple[str, str], ...]
# A scrape holds the loop; this one is what 500 subscriptions may take, and three times that.
SCRAPE_MAX_S = 0.3


def rendered(figures: Figures | None = None, reading: Reading | None = None) -> str:
    """The page."""
    return page.rendered(figures or Figures(), reading or a_reading(), version="1.2.3")[0].decode()


def samples(
    figures: Figures | None = None, reading: Reading | None = None
) -> dict[tuple[str, Labels], float]:
    """The page's samples by name and labels."""
    families = text_string_to_metric_families(rendered(figures, reading))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def of(found: dict[tuple[str, Labels], float], name: str) -> dict[str, float]:
    """The samples of a name with a single label, by its value."""
    return {labels[0][1]: value for (one, labels), value in found.items() if one == name}


def test_attempts_have_their_subscription_and_outcome() -> None:
    """Those that there were."""
    figures = Figures()
    figures.attempted(an_attempt("crm", "retry"))
    found = samples(figures)
    assert found["callpost_attempts_total", (("outcome", "retry"), ("subscription", "crm"))] == 1


def test_every_reason_is_there_before_its_first_time() -> None:
    """An alert on the rise of a counter misses a counter that was not there."""
    found = samples()
    refused, dead = (
        of(found, "callpost_events_refused_total"),
        of(found, "callpost_dead_letters_total"),
    )
    assert (refused["spool_full"], dead["expired"], set(refused.values()), set(dead.values())) == (
        0,
        0,
        {0},
        {0},
    )


def test_what_was_counted_is_told() -> None:
    """Events, refusals, deaths."""
    figures = Figures()
    figures.accepted(5, duplicates=2)
    figures.refused("invalid")
    figures.died("crm", "rejected")
    found = samples(figures)
    assert [
        found["callpost_events_accepted_total", ()],
        found["callpost_events_duplicate_total", ()],
        found["callpost_events_refused_total", (("reason", "invalid"),)],
        found["callpost_dead_letters_total", (("reason", "rejected"),)],
    ] == [5, 2, 1, 1]


@pytest.mark.parametrize(
    "name",
    [
        "callpost_attempt_duration_seconds",
        "callpost_delivery_lag_seconds",
        "callpost_spool_commit_duration_seconds",
    ],
)
def test_a_histogram_has_buckets_a_count_and_a_sum(name: str) -> None:
    """In seconds."""
    figures = Figures()
    figures.attempted(an_attempt())
    figures.delivered(0.0032)
    figures.committed(0.0032)
    found = samples(figures)
    assert (
        found[f"{name}_bucket", (("le", "0.1"),)],
        found[f"{name}_count", ()],
        found[f"{name}_sum", ()],
    ) == (1, 1, 0.0032)


def test_queues_are_told_by_subscription() -> None:
    """How much waits, how long, and whether its endpoints are down."""
    found = samples(
        reading=a_reading(
            a_state("crm", "ok", "down", pending=4, lag_s=1.5), a_state("erp", "gone", "held")
        )
    )
    assert [
        of(found, "callpost_pending_deliveries"),
        of(found, "callpost_oldest_due_age_seconds"),
        of(found, "callpost_endpoints_down"),
    ] == [{"crm": 4, "erp": 0}, {"crm": 1.5, "erp": 0}, {"crm": 1, "erp": 1}]


def test_of_too_many_subscriptions_none_is_named() -> None:
    """Sums, but of ages the highest."""
    states = [a_state(f"s{number}", "down", pending=2, lag_s=number) for number in range(501)]
    found = samples(reading=a_reading(*states))
    assert [
        of(found, "callpost_pending_deliveries"),
        of(found, "callpost_oldest_due_age_seconds"),
        of(found, "callpost_endpoints_down"),
    ] == [{"": 1_002}, {"": 500}, {"": 501}]


def test_where_none_is_to_be_named_the_page_has_no_name() -> None:
    """Neither in counters nor in gauges."""
    figures = Figures(named_max=0)
    figures.attempted(an_attempt("secret"))
    assert "secret" not in rendered(figures, a_reading(a_state("secret", "ok")))


def test_endpoints_are_counted_by_condition() -> None:
    """All of them, also those of which there is none."""
    found = samples(reading=a_reading(a_state("crm", "ok", "down"), a_state("erp", "ok")))
    assert of(found, "callpost_endpoints") == {
        "ok": 2,
        "failing": 0,
        "down": 1,
        "held": 0,
        "gone": 0,
    }


def test_what_does_not_move_is_counted() -> None:
    """And what is out."""
    found = samples(reading=a_reading(a_state("crm", stalled="why"), a_state("erp")))
    assert (
        found["callpost_stalled_subscriptions", ()],
        found["callpost_in_flight_attempts", ()],
    ) == (1, 4)


def test_the_spool_is_told() -> None:
    """What it takes, and what it may take."""
    found = samples()
    assert [
        found[f"callpost_spool_{name}", ()] for name in ("used_bytes", "max_bytes", "dead_letters")
    ] == [4_096, 8_192, 7]


def test_producers_that_are_connected_are_told() -> None:
    """On the stream socket."""
    assert samples()["callpost_intake_connections", ()] == 3


def test_health_is_told() -> None:
    """Each reason to be degraded is 0 or 1."""
    trouble = Trouble(code="spool_error", sentence="the disk refuses")
    found = samples(reading=a_reading(troubles=(trouble,)))
    degraded = of(found, "callpost_degraded")
    assert (found["callpost_ready", ()], degraded["spool_error"], degraded["egress_down"]) == (
        1,
        1,
        0,
    )


@pytest.mark.parametrize(
    ("troubles", "last_good", "successful"),
    [
        ((), False, 1),
        ((Trouble(code="config_rejected", sentence="a fault"),), False, 0),
        ((), True, 0),
    ],
)
def test_a_faulty_configuration_is_told(
    troubles: tuple[Trouble, ...], *, last_good: bool, successful: int
) -> None:
    """Whether it was met at a reload or at the start."""
    found = samples(reading=a_reading(troubles=troubles, last_good=last_good))
    assert [
        found["callpost_config_last_reload_successful", ()],
        found["callpost_config_last_reload_success_timestamp_seconds", ()],
    ] == [successful, STARTED_AT_S]


def test_the_certificates_that_end_first_are_told() -> None:
    """A hundred of them."""
    certificates = [(f"https://h{number}:443", 1_000.0 - number) for number in range(101)]
    found = of(
        samples(reading=a_reading(certificates=certificates)),
        "callpost_certificate_expiry_timestamp_seconds",
    )
    assert (len(found), found["https://h100:443"], "https://h0:443" in found) == (100, 900, False)


def test_the_process_is_told() -> None:
    """Under the names that every dashboard knows."""
    found = samples()
    assert (
        abs(found["process_start_time_seconds", ()] - time.time()) < 86_400,
        found["process_resident_memory_bytes", ()] > 1_000_000,
        0 < found["process_open_fds", ()] <= found["process_max_fds", ()],
        found["process_cpu_seconds_total", ()] > 0,
    ) == (True, True, True, True)


def test_the_version_is_told() -> None:
    """As a label, which is how Prometheus joins it to the rest."""
    assert samples()["callpost_build_info", (("version", "1.2.3"),)] == 1


def test_a_name_that_needs_escaping_does_not_break_the_page() -> None:
    """Whatever a subscription may be called."""
    found = samples(reading=a_reading(a_state('a"b\\c\nd', pending=1)))
    assert of(found, "callpost_pending_deliveries") == {'a"b\\c\nd': 1}


def test_promtool_has_nothing_to_say_against_the_page() -> None:
    """Names, units and helps are as Prometheus wants them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    figures = Figures()
    figures.attempted(an_attempt())
    page = rendered(figures, a_reading(a_state("crm", "ok"), certificates=[("https://h:443", 1.0)]))
    told = subprocess.run(
        [promtool, "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_the_page_of_500_subscriptions_is_made_in_no_time() -> None:
    """While it is made nothing else happens."""
    figures = Figures()
    for number in range(500):
        for outcome in ("delivered", "retry", "rejected"):
            figures.attempted(an_attempt(f"s{number}", outcome))
    reading = a_reading(*(a_state(f"s{number}", "ok", "down") for number in range(500)))
    began = time.process_time()
    page.rendered(figures, reading, version="1")
    assert time.process_time() - began < SCRAPE_MAX_S
