"""What a person reads: texts in Czech and English, numbers, dates and ages as each language writes them."""

import io
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import NumberPattern, format_decimal, parse_pattern
from babel.support import NullTranslations, Translations

CATALOGS: Final = Path(__file__).parent / "translations"
LANGUAGES: Final = ("cs", "en")
NOTHING: Final = "—"
MANY_KWH: Final = 100_000
NBSP: Final = "\u00a0"
MINUS: Final = "\u2212"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated where it is shown
    """Mark a text for the catalogs."""
    return text


LABELS: Final[Mapping[str, str]] = {
    "electricity": N_("Electricity"),
    "gas": N_("Gas"),
    "heat": N_("Heat"),
    "cold_water": N_("Cold water"),
    "hot_water": N_("Hot water"),
    "pv": N_("Photovoltaics"),
    "school": N_("School"),
    "hospital": N_("Hospital"),
    "care_home": N_("Care home"),
    "office": N_("Office"),
    "museum": N_("Museum"),
    "other": N_("Other building"),
    "billing": N_("Billing"),
    "submeter": N_("Sub-meter"),
    "generation": N_("Generation"),
    "virtual": N_("Computed"),
    "quarter-hour": N_("Quarter-hours"),
    "hour": N_("Hours"),
    "day": N_("Days"),
    "week": N_("Weeks"),
    "month": N_("Months"),
    "quarter": N_("Quarters"),
    "half-year": N_("Half-years"),
    "year": N_("Years"),
    "heating-season": N_("Heating seasons"),
    "school-year": N_("School years"),
    "swap": N_("Meter exchanged"),
    "reset": N_("Dial reset to zero"),
    "rollover": N_("Dial rolled over"),
    "revision": N_("Reading sent again with another value"),
    "glitch": N_("Reading off the line, left out"),
    "break": N_("Unexplained jump of the dial"),
    "gap": N_("Gap in readings"),
    "stuck": N_("Dial repeated an old value"),
    "no_later_reading": N_("No later reading"),
    "overlap": N_("Amounts that overlap in time"),
    "negative": N_("Amount below zero, left out"),
    "out_of_bounds": N_("Reading that cannot be"),
    "cumulative": N_("dial"),
    "interval": N_("amount in a period"),
    "delta": N_("amount since the last message"),
    "gauge": N_("instantaneous value"),
    "arrival_time": N_("time of arrival"),
    "ambiguous_time": N_("ambiguous time"),
    "manual": N_("read by a person"),
    "corrected": N_("corrected"),
    "suspect": N_("the device reported a fault"),
    "malformed": N_("cannot be decoded"),
    "no_profile": N_("no profile reads it"),
    "unit_unknown": N_("unit not known"),
    "the_organisation": N_("Organisations"),
    "the_building": N_("Buildings"),
    "the_point": N_("Metering points"),
    "the_meter": N_("Meters"),
    "the_event": N_("Events of dials"),
    "the_station": N_("Weather stations"),
    "the_measure": N_("Measures"),
    "the_adjustment": N_("Adjustments"),
    "own_readings": N_("own readings"),
    "open_meteo": N_("archive of Open-Meteo"),
    "heating": N_("heating"),
    "water": N_("water"),
    "electricity_calendar": N_("electricity without weather"),
    "workday": N_("workday"),
    "saturday": N_("Saturday"),
    "sunday": N_("Sunday"),
    "holiday": N_("public holiday"),
    "festive": N_("between Christmas and New Year"),
    "school_holiday": N_("school holiday"),
    "known": N_("known"),
    "partly_known": N_("partly known"),
    "unknown": N_("unknown"),
    "yearly": N_("difference by season"),
    "constant": N_("constant difference"),
    "altitude": N_("by altitude"),
    "insulation": N_("Insulation"),
    "windows": N_("Windows"),
    "heat_source": N_("Source of heat"),
    "regulation": N_("Regulation"),
    "lighting": N_("Lighting"),
    "photovoltaics": N_("Photovoltaic plant"),
    "water_saving": N_("Saving of water"),
    "behaviour": N_("Operation and behaviour"),
    "other_measure": N_("Other measure"),
    "area_change": N_("Change of area"),
    "use_change": N_("Change of use"),
    "closure": N_("Closure"),
    "other_change": N_("Other change"),
    "before": N_("dial before"),
    "after": N_("dial after"),
    "readings": N_("readings left out"),
    "lowest": N_("lowest"),
    "highest": N_("highest"),
    "modulus": N_("the dial turns at"),
    "amount": N_("amount"),
    "former": N_("former value"),
    "taken": N_("value taken"),
    "final": N_("final dial reading"),
    "first": N_("first dial reading"),
    "recorded": N_("recorded"),
    "read": N_("read on the dial"),
    "missing": N_("data are missing"),
    "missing_before": N_("data of the compared time are missing"),
    "no_counterpart": N_("there is nothing to compare with"),
    "q_energy": N_("Energy"),
    "q_reactive_energy": N_("Reactive energy"),
    "q_apparent_energy": N_("Apparent energy"),
    "q_volume": N_("Volume"),
    "q_power": N_("Power"),
    "q_reactive_power": N_("Reactive power"),
    "q_apparent_power": N_("Apparent power"),
    "q_power_factor": N_("Power factor"),
    "q_flow": N_("Flow"),
    "q_temperature": N_("Temperature"),
    "q_voltage": N_("Voltage"),
    "q_current": N_("Current"),
    "q_frequency": N_("Frequency"),
    "q_humidity": N_("Humidity"),
    "q_pulse_count": N_("Pulses"),
    "q_heat_cost_units": N_("Heat-cost units"),
    "q_unstated": N_("not stated"),
    "kind_cumulative": N_("dial (grows)"),
    "kind_interval": N_("amount of a period"),
    "kind_delta": N_("amount since the message before"),
    "kind_gauge": N_("value of the moment"),
    "from_own": N_("your own"),
    "from_bundled": N_("bundled"),
    "from_built_in": N_("built in"),
    "profile_ambiguous": N_("Two profiles claim it"),
    "register_twice": N_("Two values of one register"),
    "unit_contradicts": N_("Unit of another quantity"),
    "time_zone": N_("Time without zone"),
    "name_contradicts": N_("Name of another unit"),
    "kind_contradicts": N_("Not sure whether it is a dial"),
    "template_refused": N_("Computed from several values"),
    "unit_unstated": N_("unit not stated"),
    "kind_inferred": N_("taken for a dial by its unit and name"),
    "description_unreadable": N_("Description that cannot be read"),
    "undescribed": N_("No description came"),
    "no_readings": N_("Nothing found in it"),
}
"""Texts of the words of the core, by their code."""


class Language:
    """One language: its catalog and its ways of writing."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.code: Final = code
        self.locale: Final = Locale.parse(code)
        self.translations: Final = translations

    def text(self, message: str) -> str:
        """Return a text in this language."""
        return self.translations.gettext(message)

    def label(self, code: str) -> str:
        """Return the text of a word of the core; one without a text is shown as it is."""
        return self.text(LABELS[code]) if code in LABELS else code

    def number(self, value: float | None, digits: int | None = None) -> str:
        """Return a number, as many digits as it deserves; what is not known is a dash, never zero."""
        if value is None or value != value:  # noqa: PLR0124 - NaN alone is not equal to itself
            return NOTHING
        places = digits if digits is not None else fitting_digits(value)
        text: str = _pattern(places).apply(value, self.locale)
        return text.replace("-", MINUS)

    def exact(self, value: float) -> str:
        """Return a number with all the digits that a device sent, up to nine decimals."""
        return str(format_decimal(value, "#,##0.#########", self.locale)).replace("-", MINUS)

    def amount(self, value: float | None, unit: str) -> str:
        """Return an amount with its unit."""
        text = self.number(value)
        return text if text == NOTHING else f"{text}{NBSP}{unit}"

    def large(self, value: float | None, unit: str) -> str:
        """Return an amount for the eye: many kilowatt-hours as megawatt-hours."""
        if value is not None and unit == "kWh" and abs(value) >= MANY_KWH:
            return f"{self.number(value / 1000, 1)}{NBSP}MWh"
        return self.amount(value, unit)

    def share(self, value: float | None) -> str:
        """Return a share in percent; what is nearly but not quite all or nothing never reads as 100 or 0."""
        if value is None or value != value:  # noqa: PLR0124 - same
            return NOTHING
        percent = 100 * value
        if 0 < percent < 1:
            return f"<{NBSP}1{NBSP}%"
        return f"{self.number(min(percent, 99) if percent < 100 - 1e-9 else 100, 0)}{NBSP}%"

    def change(self, percent: float | None) -> str:
        """Return a change in percent with its sign."""
        if percent is None or percent != percent:  # noqa: PLR0124 - same
            return NOTHING
        return f"{'+' if percent > 0 else ''}{self.number(percent, 1)}{NBSP}%"

    def day(self, day: date) -> str:
        """Return a date: DD.MM.YYYY in Czech."""
        if self.code == "cs":
            return f"{day:%d.%m.%Y}"
        return f"{day.day} {self.locale.months['format']['abbreviated'][day.month]} {day.year}"

    def minute(self, at: datetime | None, zone: ZoneInfo) -> str:
        """Return an instant in local time to the minute."""
        if at is None:
            return NOTHING
        wall = at.astimezone(zone)
        return f"{self.day(wall.date())} {wall.hour}:{wall:%M}"

    def month(self, number: int) -> str:
        """Return the short name of a month."""
        name: str = self.locale.months["stand-alone"]["abbreviated"][number]
        return name

    def long_month(self, number: int) -> str:
        """Return the name of a month."""
        name: str = self.locale.months["stand-alone"]["wide"][number]
        return name

    def weekday(self, number: int) -> str:
        """Return the short name of a weekday, 0 for Monday."""
        name: str = self.locale.days["stand-alone"]["abbreviated"][number]
        return name

    def ago(self, age: timedelta) -> str:
        """Return how long ago something was."""
        return format_timedelta(-max(age, timedelta(seconds=1)), add_direction=True, locale=self.locale)


@cache
def _pattern(places: int) -> NumberPattern:
    """Return how a number of so many decimals is written; reading a pattern takes longer than writing a number."""
    return parse_pattern(f"#,##0.{'0' * places}" if places else "#,##0")


def fitting_digits(value: float) -> int:
    """Return how many decimals a number of this size deserves."""
    size = abs(value)
    return 0 if size >= 1000 or size == 0 else 1 if size >= 10 else 2  # noqa: PLR2004 - sizes of amounts


@cache
def language(code: str) -> Language:
    """Return a language; its catalog is read from the text form, so that nothing has to be compiled at build."""
    path = CATALOGS / f"{code}.po"
    if not path.exists():
        return Language(code, NullTranslations())
    with path.open("rb") as source:
        catalog = read_po(source, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Language(code, Translations(compiled))


def choose(asked: str, kept: str, accepted: str, otherwise: str) -> str:
    """Return the language by the address, the cookie, the browser's list, the setting; the first that is there."""
    for code in (asked, kept):
        if code in LANGUAGES:
            return code
    found = negotiate_locale(_accepted(accepted), LANGUAGES, sep="-")
    return found or (otherwise if otherwise in LANGUAGES else LANGUAGES[0])


def _accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the dearest first."""
    weighed = []
    for part in header.split(","):
        code, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), code.partition("-")[0].lower()))
        except ValueError:
            continue  # a weight that is no number says nothing of the language
    return [code for _, code in sorted(weighed, key=lambda pair: pair[0]) if code]
