"""The charts of a message, drawn when it goes out: the evidence of its alerts as pictures."""

from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from alerts.chart import Chart, evidence_chart, picture
from alerts.wording import title
from core.alerts import Alert
from core.calendar import PRAGUE
from core.errors import StoreUnavailable
from core.sending import Attached, Attachment, ChannelKind, Occasion, Outgoing

MOST_CHARTS: Final = 5
"""Charts of a message: about 100 kB each; the others are on the page."""


class Charts:
    """Draws the charts of mail. `find` returns an alert by its id, `draw` a chart as PNG."""

    def __init__(
        self,
        find: Callable[[str], Alert],
        *,
        zone: ZoneInfo = PRAGUE,
        draw: Callable[[Chart, str], bytes] = picture,
    ) -> None:
        self._find = find
        self._zone = zone
        self._draw = draw

    def __call__(self, message: Outgoing) -> Attached:
        """Return the charts of a message's alerts; what cannot be drawn is told, and the message goes without it."""
        if message.channel is not ChannelKind.MAIL:
            return Attached()
        files: list[Attachment] = []
        troubles: list[str] = []
        for key in dict.fromkeys(item.alert for item in message.items if item.occasion is not Occasion.ENDED):
            if len(files) == MOST_CHARTS:
                break
            try:
                files += self._of(key, str(message.content.get("language", "cs")))
            except StoreUnavailable:
                raise
            except Exception as err:  # noqa: BLE001 - whatever a picture fails of, people are told of the fault
                troubles.append(f"no chart of {key}: {type(err).__name__}: {err}"[:300])
        return Attached(files=tuple(files), trouble="; ".join(troubles))

    def _of(self, key: str, language: str) -> list[Attachment]:
        alert = self._find(key)
        chart = evidence_chart(alert, zone=self._zone, language=language, title=title(alert.rule, language))
        if chart is None:
            return []
        content = self._draw(chart, language)
        return [
            Attachment(name=f"{alert.rule}.png", kind="image/png", content=content, place=alert.id, text=chart.text)
        ]
