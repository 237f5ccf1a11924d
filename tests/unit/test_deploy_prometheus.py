"""Alerts, dashboard and Prometheus' own file, against the metrics that the code really has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.metrics_of import metrics
from tests.support.tools import says

_OF_PROMETHEUS = {"up"}
_PART = re.compile(r"_(?:bucket|sum|count)$")
_NAME = re.compile(r"\b(?:hotline_[a-z0-9_]+|process_[a-z0-9_]+|up\{)")


@pytest.fixture
def folder(project: Path) -> Path:
    return project / "deploy" / "prometheus"


def rules(folder: Path) -> list[dict[str, Any]]:
    groups = YAML(typ="safe", pure=True).load(folder / "alerts.yml")["groups"]
    return [rule for group in groups for rule in group["rules"]]


def boards(project: Path) -> list[Path]:
    found = sorted((project / "deploy" / "grafana").glob("*.json"))
    assert found
    return found


def panels(board: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(board.read_text("utf-8"))["panels"] if panel["type"] != "row"]


def names_in(expression: str) -> set[str]:
    return {_PART.sub("", name).removesuffix("{") for name in _NAME.findall(expression)}


def metrics_of_the_code() -> set[str]:
    text = metrics().text().decode()
    samples = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if line and not line.startswith("#")}
    return {_PART.sub("", name) for name in samples} | _OF_PROMETHEUS


@pytest.mark.parametrize(
    "words",
    [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")],
)
def test_promtool_is_content(folder: Path, words: tuple[str, ...]) -> None:
    code, told = says("promtool", *words, cwd=folder)
    assert code == 0, told


def test_every_alert_is_tried_out(folder: Path) -> None:
    tests = YAML(typ="safe", pure=True).load(folder / "alerts_test.yml")["tests"]
    fired = {one["alertname"] for test in tests for one in test.get("alert_rule_test", ()) if one.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in rules(folder) if "alert" in rule}


def test_every_alert_says_how_bad_it_is_and_leads_to_what_is_to_be_done(project: Path, folder: Path) -> None:
    text = (project / "docs" / "operating.md").read_text("utf-8")
    headings = {
        "docs/operating.md#" + re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for rule in rules(folder):
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
            assert rule["annotations"]["runbook"] in headings, rule["alert"]
            assert rule["annotations"]["summary"]


def test_what_rules_and_dashboards_ask_for_is_in_the_code(project: Path, folder: Path) -> None:
    recorded = {rule["record"] for rule in rules(folder) if "record" in rule}
    asked = {name for rule in rules(folder) for name in names_in(rule["expr"])}
    for board in boards(project):
        for panel in panels(board):
            for target in panel["targets"]:
                found = names_in(target["expr"])
                used = {name for name in recorded if name in target["expr"]}
                assert found or used, panel["title"]
                asked |= found
    assert len(asked) > 30
    assert asked - metrics_of_the_code() == set()


def test_every_metric_of_the_hotline_is_shown_somewhere(project: Path, folder: Path) -> None:
    shown = " ".join(board.read_text("utf-8") for board in boards(project)) + (folder / "alerts.yml").read_text("utf-8")
    assert {name for name in metrics_of_the_code() if name.startswith("hotline_") and name not in shown} == set()


def test_every_metric_is_explained(project: Path) -> None:
    text = (project / "docs" / "metrics.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `(hotline_[a-z0-9_]+)", text, re.MULTILINE))
    assert explained == {name for name in metrics_of_the_code() if name.startswith("hotline_")}


def test_a_dashboards_panels_are_different_ones(project: Path) -> None:
    for board in boards(project):
        found = panels(board)
        assert len({panel["id"] for panel in found}) == len({panel["title"] for panel in found}) == len(found)


def test_a_dashboards_questions_are_prometheus(project: Path, tmp_path: Path) -> None:
    """As rules, because promtool reads these."""
    asked = [target["expr"] for board in boards(project) for panel in panels(board) for target in panel["targets"]]
    file = tmp_path / "questions.yml"
    made = [{"record": f"asked:{place}", "expr": text.replace("$instance", ".*")} for place, text in enumerate(asked)]
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": made}]}), encoding="utf-8")
    code, told = says("promtool", "check", "rules", str(file))
    assert code == 0, told
