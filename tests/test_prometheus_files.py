"""The alerts and the dashboard that come along: they are right, and speak of what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from callpost.edge.metrics import Figures
from callpost.edge.metrics.page import rendered
from edge.metrics.readings import a_reading, a_state, an_attempt

CONFIG: Final = Path(__file__).parent.parent / "config"
ALERTS: Final = CONFIG / "prometheus" / "alerts.yml"
ALERTS_TEST: Final = CONFIG / "prometheus" / "alerts_test.yml"
DASHBOARD: Final = CONFIG / "grafana" / "callpost.json"
_METRIC: Final = re.compile(r"\b(?:callpost|process)_[a-z_]+")
# What is in `up{job="callpost"}` is a label, and what is in `by (…)` is none of these.
_IN_QUOTES: Final = re.compile(r'"[^"]*"')


def on_the_page() -> set[str]:
    """The names of all samples that a page has."""
    figures = Figures()
    figures.attempted(an_attempt())
    reading = a_reading(a_state("crm", "ok"), certificates=[("https://h:443", 1.0)])
    page, _ = rendered(figures, reading, version="1")
    return {
        line.partition("{")[0].partition(" ")[0]
        for line in page.decode().splitlines()
        if not line.startswith("#")
    }


def metrics_in(expression: str) -> set[str]:
    """The metrics that an expression is about."""
    return set(_METRIC.findall(_IN_QUOTES.sub("", expression)))


def promtool(*arguments: str) -> str:
    """Run it in the folder of the alerts; what it says where it is not content, else ""."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    told = subprocess.run(
        [program, *arguments],
        cwd=ALERTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if told.returncode == 0 else told.stdout + told.stderr


def test_prometheus_reads_the_alerts() -> None:
    """As they are installed."""
    assert promtool("check", "rules", ALERTS.name) == ""


def test_the_alerts_fire_when_they_should() -> None:
    """And only then, with these words."""
    assert promtool("test", "rules", ALERTS_TEST.name) == ""


def alerts() -> list[str]:
    """The names of the alerts."""
    return re.findall(r"- alert: (\w+)", ALERTS.read_text())


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_is_seen_to_fire_and_to_be_silent(alert: str) -> None:
    """A rule that is never tried is a guess."""
    cases = ALERTS_TEST.read_text().split("  - name: ")
    own = [case for case in cases if case.startswith(f"{alert},")]
    fires = any("exp_labels" in case for case in own)
    stays_silent = any("exp_labels" not in case for case in own)
    assert (fires, stays_silent) == (True, True)


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_says_what_is_wrong_and_what_to_do(alert: str) -> None:
    """At three in the morning nobody looks it up."""
    _, _, rest = ALERTS.read_text().partition(f"- alert: {alert}\n")
    rule = rest.partition("- alert:")[0]
    told = [
        re.search(rf"^ +{key}: \S", rule, re.MULTILINE) is not None
        for key in ("severity", "summary", "description", "runbook")
    ]
    assert told == [True] * 4


def test_the_alerts_speak_of_metrics_that_there_are() -> None:
    """A name with a slip of the pen would never fire."""
    used = metrics_in(
        "\n".join(
            line for line in ALERTS.read_text().splitlines() if not line.lstrip().startswith("#")
        )
    )
    assert (used - on_the_page(), len(used) > 10) == (set(), True)


Panel = dict[str, Any]


def panels() -> list[Panel]:
    """The panels that show something."""
    board = json.loads(DASHBOARD.read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """All that the dashboard asks Prometheus for."""
    board = json.loads(DASHBOARD.read_text())
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def test_the_dashboard_speaks_of_metrics_that_there_are() -> None:
    """An empty panel looks like a healthy one."""
    used = {metric for expression in expressions() for metric in metrics_in(expression)}
    assert (used - on_the_page(), len(used) > 20) == (set(), True)


def test_the_dashboard_leaves_no_metric_out() -> None:
    """What is worth a line on the page is worth a look."""
    used = {metric for expression in expressions() for metric in metrics_in(expression)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in on_the_page()}
    assert families - {re.sub(r"_(bucket|count|sum)$", "", name) for name in used} == set()


def test_every_panel_says_its_unit_and_what_it_shows() -> None:
    """A number without one is a riddle."""
    bare = [
        panel["title"]
        for panel in panels()
        if not panel["fieldConfig"]["defaults"].get("unit") or not panel.get("description")
    ]
    assert bare == []


def test_every_query_goes_to_the_chosen_source_and_machines() -> None:
    """Else the choice at the top of the board would not hold."""
    astray = [
        target["expr"]
        for panel in panels()
        for target in panel["targets"]
        if target["datasource"]["uid"] != "${datasource}"
        or target["expr"].count("$instance") != len(_METRIC.findall(target["expr"]))
    ]
    assert astray == []


def test_prometheus_understands_every_query_of_the_dashboard(tmp_path: Path) -> None:
    """What Grafana fills in is filled in."""
    queries = [
        one.replace("$__rate_interval", "5m")
        for one in expressions()
        if not one.startswith("label_values")
    ]
    rules = [{"record": f"query:{place}", "expr": one} for place, one in enumerate(queries)]
    path = tmp_path / "rules.yml"
    # JSON is YAML, too.
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert promtool("check", "rules", str(path)) == ""


def test_no_panel_lies_upon_another() -> None:
    """Grafana would move them, each time elsewhere."""
    board = json.loads(DASHBOARD.read_text())
    cells: list[tuple[int, int]] = []
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells += [
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
    assert (len(cells), max(x for x, _ in cells)) == (len(set(cells)), 23)


def test_panels_are_told_apart_by_their_ids() -> None:
    """As Grafana wants them."""
    ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("row", ["Intake", "Delivery", "Failures", "Lag", "Spool", "Process"])
def test_the_dashboard_has_a_row_for_each_part(row: str) -> None:
    """In the order of an event's way."""
    board = json.loads(DASHBOARD.read_text())
    assert row in [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
