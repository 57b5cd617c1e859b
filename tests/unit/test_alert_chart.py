"""Evidence as a chart: what browsers draw and what mail shows."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from alerts import lifecycle as life
from alerts.chart import Chart, evidence_chart, picture
from core.alerts import Alert, Detection
from core.evidence import trace
from core.sending import ChannelKind, Item, Occasion, Outgoing
from services.alert_charts import MOST_CHARTS, Charts

PRAGUE = ZoneInfo("Europe/Prague")
NOW = datetime(2026, 3, 29, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(values: Sequence[float], name: str = "flow", unit: str = "m³/h") -> dict[str, Any]:
    first = NOW - len(values) * HOUR
    at = np.array([int((first + n * HOUR).timestamp() * 1e6) for n in range(len(values))])
    return trace(name, unit, at, np.array(values, float))


def alert(evidence: dict[str, Any], subject: str = "p-1") -> Alert:
    found = Detection(
        subject=subject, rule="leak", at_from=NOW - 2 * HOUR, at_to=NOW, found_at=NOW, unit="m³", evidence=evidence
    )
    return life.opened(found, "b-1", NOW).alert


def chart(evidence: dict[str, Any], language: str = "cs") -> Chart | None:
    return evidence_chart(alert(evidence), zone=PRAGUE, language=language, title="Únik vody")


def rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """All rows of data of a chart."""
    found = list(spec.get("data", {}).get("values", []))
    return found + [row for layer in spec.get("layer", []) for row in rows(layer)]


def test_a_chart_shows_the_local_clock_gaps_as_gaps_and_the_time_of_the_fault() -> None:
    made = chart({"series": [hours([0.1, float("nan"), 0.3, 0.4])], "threshold": 0.05})
    assert made is not None
    line = [row for row in rows(made.spec) if row.get("name") == "průběh po hodinách"]
    # 23:00 UTC is midnight in Prague; clocks went forward at 1:00 UTC, so there is no wall time of 2:00.
    assert [row["at"] for row in line] == [f"2026-03-29T0{h}:00:00" for h in (0, 1, 3, 4)]
    assert [row["value"] for row in line] == [0.1, None, 0.3, 0.4]
    (span,) = [row for row in rows(made.spec) if "to" in row]
    assert (span["at"], span["to"]) == ("2026-03-29T03:00:00", "2026-03-29T04:00:00")
    assert "Únik vody: průběh po hodinách, m³/h. Mez 0,05" in made.text


def test_what_has_no_line_has_no_chart() -> None:
    assert chart({}) is None
    assert chart({"series": []}) is None
    assert chart({"series": [hours([0.1])]}) is None
    assert chart({"series": [hours([float("nan")] * 5)]}) is None


def test_a_unit_of_its_own_has_an_axis_of_its_own_and_a_dial_at_thousands_is_not_flat() -> None:
    made = chart({"series": [hours([1, 2, 3]), hours([15, 16, 17], "temperature", "°C")]})
    assert made is not None
    assert made.spec["resolve"]["scale"]["y"] == "independent"
    dial = chart({"series": [hours([48211.0, 48212.0, 48213.0], "reading", "m³")]})
    assert dial is not None
    assert [
        layer["encoding"]["y"]["scale"]["zero"]
        for layer in dial.spec["layer"]
        if "scale" in layer["encoding"].get("y", {})
    ] == [False]


def test_a_picture_is_a_png_of_the_page_width_and_takes_words_of_the_language() -> None:
    made = chart({"series": [hours([0.1, 0.2, 0.3])]}, "en")
    assert made is not None
    drawn = picture(made, "en")
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    assert 600 < int.from_bytes(drawn[16:20], "big") < 1200
    assert len(drawn) < 400_000
    assert "by the hour" in made.text


def message(alerts: Sequence[Alert], channel: ChannelKind = ChannelKind.MAIL) -> Outgoing:
    return Outgoing(
        key="k",
        channel=channel,
        recipient="jan",
        address="jan@example.cz",
        items=tuple(Item(alert=a.id, occasion=Occasion.OPENED) for a in alerts),
        content={"subject": "s", "text": "t", "language": "cs"},
        created=NOW,
        due=NOW,
    )


def test_a_mail_gets_the_charts_of_its_alerts_and_what_fails_is_told_beside_the_others() -> None:
    fine, none, broken = (
        alert({"series": [hours([1, 2, 3])]}, "fine"),
        alert({}, "none"),
        alert({"series": [{"name": "flow"}]}, "broken"),
    )
    known = {a.id: a for a in (fine, none, broken)}
    attached = Charts(known.__getitem__, draw=lambda chart, _: chart.text.encode())(message([broken, none, fine]))
    assert [(f.name, f.place) for f in attached.files] == [("leak.png", fine.id)]
    assert attached.trouble == f"no chart of {broken.id}: KeyError: 'unit'"
    assert Charts(known.__getitem__)(message([fine], ChannelKind.WEBHOOK)).files == ()


def test_a_mail_of_many_alerts_carries_a_few_charts() -> None:
    many = [alert({"series": [hours([1, 2, 3])]}, f"p-{n}") for n in range(30)]
    attached = Charts({a.id: a for a in many}.__getitem__, draw=lambda *_: b"png")(message(many))
    assert len(attached.files) == MOST_CHARTS
    assert attached.trouble == ""
