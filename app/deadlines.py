"""Until when parts of reports are delivered, by the settings."""

from config.delivery_sections import DeliverySettings
from services.deliveries import Deadlines


def deadlines_of(settings: DeliverySettings) -> Deadlines:
    """Return until when parts of reports are delivered."""
    return Deadlines(
        annual=_day(settings.annual_due),
        mid_year=_day(settings.mid_year_due),
        closing=_day(settings.closing_due),
        remind_days=settings.remind_days,
    )


def _day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
