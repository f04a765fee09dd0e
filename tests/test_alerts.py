"""The metrics that the operator's page lists, and the rules that are given to begin with, are of metrics that exist."""

import re
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import exposition
from warehouse.indexer_metrics import IndexerMetrics

ROOT = Path(__file__).parent.parent
PARTS = ("_total", "_bucket", "_count", "_sum", "_created")
DURATION = re.compile(r"[1-9]\d*[smh]")


def base(name: str) -> str:
    """Name of the metric that a series belongs to."""
    return next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)


def exposed() -> set[str]:
    """Every metric of the server and the indexer."""
    text = exposition()[0].decode() + IndexerMetrics().text()
    families = [*text_string_to_metric_families(text)]
    assert len({family.name for family in families}) == len(families)
    names = {family.name for family in families if not family.name.endswith("_created")}
    return {base(name) for name in names if name.startswith("simplicity_")}


def test_the_operators_page_lists_every_metric_and_no_other() -> None:
    section = (ROOT / "docs/running.md").read_text().split("### Metrics")[1].split("###")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `simplicity_")]
    listed = [base(name) for row in rows for name in re.findall(r"`(simplicity_\w+)", row)]
    assert sorted(listed) == sorted(exposed())


def test_alert_rules_are_whole_and_ask_for_metrics_that_exist() -> None:
    (group,) = yaml.safe_load((ROOT / "docker/alerts.yml").read_text())["groups"]
    rules = group["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 5
    known = exposed()
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "annotations"}, rule
        assert DURATION.fullmatch(rule.get("for", "1m"))
        assert set(rule["annotations"]) == {"summary"}
        names = re.findall(r"simplicity_\w+", rule["expr"])
        assert names, rule
        assert {base(name) for name in names} <= known
        for opening, closing in ("()", "[]", "{}"):
            assert rule["expr"].count(opening) == rule["expr"].count(closing)
    said = " ".join(str(rule["expr"]) for rule in rules)
    assert set(re.findall(r'state="(\w+)"', said)) <= {"closed", "open", "half_open"}
