"""The work that reminds guarantors of what lacks."""

from app.clock import now
from app.deadlines import deadlines_of
from app.publications import live_of
from app.recurring import Stopped
from app.wiring import Parts
from services.reminders import remind


class Reminding:
    """The work that puts reminders into the outbox."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings = parts.settings

    def run(self, _stopped: Stopped) -> None:
        """Remind of what is due now."""
        settings = self._settings.deliveries
        remind(
            live_of(self._parts),
            deadlines_of(settings),
            now(),
            plan_years=settings.plan_years,
            address=self._settings.alerts.pages_url,
        )
