"""Alert rules and dashboard: each names metrics and labels that the program has."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tcgtracker.runtime.metrics import Metrics

ROOT = Path(__file__).resolve().parents[3]
OPS = ROOT / "ops"
RULES = OPS / "prometheus" / "alerts.yml"
PROMTOOL = shutil.which("promtool") or shutil.which(
    "promtool", path=str(Path(sys.prefix) / "prometheus" / "usr" / "bin")
)
DASHBOARD = OPS / "grafana" / "tcgtracker.json"
MONITORING = ROOT / "docs" / "operations" / "monitoring.md"
DESIGNED = {
    "price_updates_total",
    "vendor_request_seconds",
    "vendor_requests_total",
    "vendor_quota_remaining",
    "breaker_state",
    "breaker_transitions_total",
    "db_pool_in_use",
    "cache_requests_total",
    "jobs_total",
    "job_seconds",
    "job_queue_depth",
    "dead_jobs",
    "price_points_total",
    "quarantined_total",
    "http_request_seconds",
}
LABELS = {
    "price_updates": {"source", "outcome"},
    "vendor_request_seconds": {"source", "operation", "le"},
    "vendor_requests": {"source", "status"},
    "vendor_quota_remaining": {"source", "window"},
    "breaker_state": {"source"},
    "breaker_transitions": {"source", "to"},
    "db_pool_in_use": {"database"},
    "db_pool_size": {"database"},
    "cache_requests": {"result"},
    "jobs": {"name", "state"},
    "job_seconds": {"name", "le"},
    "job_queue_depth": set(),
    "dead_jobs": set(),
    "price_points": {"source"},
    "quarantined": {"source", "reason"},
    "http_request_seconds": {"route", "status", "le"},
}
NAME = re.compile(r"tcgtracker_[a-z_]+")
SELECTED = re.compile(r"(tcgtracker_[a-z_]+)\{([^}]*)\}")
SUFFIX = re.compile(r"_(?:total|bucket|count|sum)$")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_the_metrics_have_the_designed_names() -> None:
    names = Metrics().names()
    for one in DESIGNED:
        assert f"tcgtracker_{one}" in names or f"tcgtracker_{one}_bucket" in names, one


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_names_what_there_is(where: str, expression: str) -> None:
    names = Metrics().names()
    used = set(NAME.findall(expression))
    assert used or where == "TrackerDown"
    assert used <= names, where
    for name, chosen in SELECTED.findall(expression):
        labels = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", chosen))
        assert labels <= LABELS[SUFFIX.sub("", name.removeprefix("tcgtracker_"))], where
    groups = re.findall(r"by \(([^)]*)\)", expression)
    grouped = {label.strip() for one in groups for label in one.split(",")}
    known = {label for one in LABELS.values() for label in one} | {"instance"}
    assert grouped <= known, where


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        name
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
        for name in NAME.findall(target["expr"])
    }
    missing = {
        one for one in DESIGNED if not any(name.startswith(f"tcgtracker_{one}") for name in shown)
    }
    assert missing == set()


def test_every_alert_is_explained() -> None:
    text = MONITORING.read_text()
    for rule in rules():
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert f"| {rule['alert']} |" in text, rule["alert"]


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: make setup-promtool")
def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    assert PROMTOOL is not None
    config = RULES.with_name("prometheus.yml")
    for kind, file in (("rules", RULES), ("config", config)):
        done = subprocess.run(
            [PROMTOOL, "check", kind, file], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    bad = tmp_path / "bad.yml"
    bad.write_text(RULES.read_text().replace("expr: ", "expr: )", 1))
    assert subprocess.run(
        [PROMTOOL, "check", "rules", bad], capture_output=True, check=False
    ).returncode
