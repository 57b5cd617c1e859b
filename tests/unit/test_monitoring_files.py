"""Prometheus and Grafana are asked for metrics that are really there, with the labels that they really have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from app.recurring import Recurrence
from app.wiring import build
from app.work import recurring_work
from config.settings import load_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "config/deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))["groups"][0][
    "rules"
]
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
PROMETHEUS_OWN = {"up": {"job", "instance"}}
TARGET = {"job", "instance"}
NAME = r"[a-z_]+_[a-z_]+|up"


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for dashboard in DASHBOARDS:
        for panel in json.loads(dashboard.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield panel["title"], target["expr"]


EXPRESSIONS = list(expressions())


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the labels of every series that our processes expose, by its name."""
    folder = tmp_path_factory.mktemp("settings")
    settings = load_settings(None, {"ODECET_DATA__FOLDER": str(folder), "ODECET_BACKUP__FOLDER": str(folder)})
    parts = build(settings)
    parts.api(ingesting=True)
    Recurrence(recurring_work(parts), leases=parts.records, metrics=parts.metrics)
    return dict(exposed(parts.metrics))


def exposed(registry: CollectorRegistry) -> Iterator[tuple[str, set[str]]]:
    for collector, names in registry._collector_to_names.items():
        labels = set(getattr(collector, "_labelnames", ()))
        for name in names:
            yield name, labels | ({"le"} if name.endswith("_bucket") else set())
    for family in registry.collect():  # what is found out only when it is asked for: memory, processor
        for sample in family.samples if family.name.startswith("process_") else ():
            yield sample.name, set(sample.labels)


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric that an expression asks for, with the labels that it chooses by."""
    for name, chosen in re.findall(rf"\b({NAME})\b(?:\{{([^}}]*)\}})?(?!\s*\()", expression):
        if name.startswith(("odecet_", "process_")) or name == "up":
            yield name, set(re.findall(r"(\w+)\s*[=!]~?", chosen))


def test_there_is_something_to_check() -> None:
    assert len(EXPRESSIONS) > 30
    assert len({name for _, text in EXPRESSIONS for name, _ in asked(text)}) > 20


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_what_is_asked_for_is_exposed(title: str, expression: str, metrics: dict[str, set[str]]) -> None:
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
    known: set[str] = set()
    for name, labels in asked(expression):
        has = PROMETHEUS_OWN.get(name, metrics.get(name))
        assert has is not None, f"{title}: {name} is not exposed"
        assert labels <= has | TARGET, f"{title}: {name} has no {labels - has}"
        known |= has
    assert grouped <= known | TARGET, f"{title}: nothing has {grouped - known}"


def test_parentheses_and_braces_are_closed() -> None:
    for title, expression in EXPRESSIONS:
        for opened, closed in ("()", "{}", "[]"):
            assert expression.count(opened) == expression.count(closed), title


def test_each_alert_says_what_is_wrong_and_the_administrator_reads_what_to_do() -> None:
    page = (ROOT / "docs/administration.md").read_text("utf-8")
    told = set(re.findall(r"^\| `(Odecet\w+)` \|", page, re.MULTILINE))
    assert told == {rule["alert"] for rule in RULES}
    for rule in RULES:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_every_job_of_the_worker_is_among_those_that_may_be_alerted_on(metrics: dict[str, set[str]]) -> None:
    assert "odecet_work_last_success_timestamp_seconds" in metrics
    named = {name for _, text in EXPRESSIONS for name in re.findall(r'name="(\w+)"', text)}
    settings = load_settings(None, {"ODECET_BACKUP__FOLDER": "/backups"})
    assert named <= {work.name for work in recurring_work(build(settings))}


def test_prometheus_asks_the_services_of_compose_at_their_port() -> None:
    told = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    (found,) = told["scrape_configs"][0]["dns_sd_configs"]
    for name in found["names"]:
        assert COMPOSE["services"][name]["environment"]["ODECET_METRICS__PORT"] == str(found["port"])
        assert "watch" in COMPOSE["services"][name]["networks"]


def test_dashboards_and_rules_are_where_compose_mounts_them() -> None:
    mounted = dict(v.split(":")[:2] for s in ("prometheus", "grafana") for v in COMPOSE["services"][s]["volumes"])
    rules = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))["rule_files"]
    assert [(ROOT / "config/deploy/prometheus" / Path(rule).name).exists() for rule in rules] == [True]
    assert mounted["./config/deploy/prometheus"] == "/etc/prometheus"
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/odecet.yml").read_text("utf-8"))
    assert mounted["./config/deploy/grafana/dashboards"] == provider["providers"][0]["options"]["path"]
    home = COMPOSE["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY / "grafana/dashboards" / Path(home).name).exists()
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    told = {
        p["datasource"]["uid"]
        for d in DASHBOARDS
        for p in json.loads(d.read_text("utf-8"))["panels"]
        if "datasource" in p
    }
    assert told == {source["datasources"][0]["uid"]}
