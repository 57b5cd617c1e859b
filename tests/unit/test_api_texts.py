import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import api
from api.texts import CATALOGS, LABELS, choose, language
from core.calendar import Period
from core.notes import Rule
from core.readings import Kind, Quality
from core.registry import AdjustmentKind, BuildingKind, Commodity, EventKind, MeasureKind, Role, StationSource

ROOM = Path(api.__file__ or "").parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "text": None}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true"}}


def texts_in_use() -> set[str]:
    found = extract_from_dir(ROOM, method_map=METHODS, keywords=KEYWORDS, options_map=OPTIONS)
    return {m if isinstance(m, str) else m[0] for _, _, m, _, _ in found if m}


def czech() -> dict[str, tuple[str, ...]]:
    with (CATALOGS / "cs.po").open("rb") as source:
        catalog = read_po(source, locale="cs")
    return {
        (m.id if isinstance(m.id, str) else m.id[0]): (m.string,) if isinstance(m.string, str) else tuple(m.string)
        for m in catalog
        if m.id and not m.fuzzy
    }


def test_every_text_of_the_page_is_in_the_czech_catalog() -> None:
    translated = czech()
    lacking = {text for text in texts_in_use() if not all(translated.get(text, ("",)))}
    assert lacking == set()


def test_the_catalog_holds_no_text_that_nobody_shows() -> None:
    assert set(czech()) - texts_in_use() == set()


def test_translations_keep_the_places_of_values() -> None:
    for text, forms in czech().items():
        wanted = set(re.findall(r"%\(\w+\)s", text))
        assert all(set(re.findall(r"%\(\w+\)s", form)) == wanted for form in forms), text


def test_plurals_have_three_czech_forms() -> None:
    words = language("cs").translations
    made = [words.ngettext("%(num)s building", "%(num)s buildings", n) for n in (1, 3, 5)]
    assert made == ["%(num)s budova", "%(num)s budovy", "%(num)s budov"]


def test_templates_hold_no_text_outside_of_the_catalogs() -> None:
    for path in (ROOM / "templates").glob("*.html"):
        bare = re.sub(r"\{[%{#].*?[%}#]\}", " ", path.read_text(), flags=re.DOTALL)
        plain = re.sub(r"<script.*?</script>|<[^>]*>|&\w+;", " ", bare, flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-zÀ-ž]{3,}", plain)) - {"Odečet", "XLSX", "CSV"}
        assert words == set(), path.name


@pytest.mark.parametrize(
    "enum", [BuildingKind, Commodity, Role, EventKind, Rule, Period, StationSource, MeasureKind, AdjustmentKind]
)
def test_every_word_of_the_core_has_a_text(enum: type) -> None:
    assert [member.value for member in enum if member.value not in LABELS] == []  # type: ignore[attr-defined]


def test_kinds_and_qualities_of_readings_have_a_text() -> None:
    names = [k.name.lower() for k in Kind] + [q.name.lower() for q in Quality if q and q.name]
    assert [name for name in names if name not in LABELS] == []


@pytest.mark.parametrize(
    ("value", "czech_text", "english"),
    [
        (1234567.8, "1\u00a0234\u00a0568", "1,234,568"),
        (12.345, "12,3", "12.3"),
        (-0.5, "\u22120,50", "\u22120.50"),
        (0.0, "0", "0"),
        (None, "—", "—"),
        (float("nan"), "—", "—"),
    ],
)
def test_numbers_are_written_as_the_language_does(value: float | None, czech_text: str, english: str) -> None:
    assert (language("cs").number(value), language("en").number(value)) == (czech_text, english)


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.9999, "99 %"), (0.004, "< 1 %"), (0.0, "0 %"), (None, "—")]
)
def test_a_share_that_is_not_all_never_reads_as_all(share: float | None, text: str) -> None:
    assert language("cs").share(share).replace("\u00a0", " ") == text


def test_dates_are_written_as_the_language_does() -> None:
    at = datetime(2026, 3, 5, 22, 30, tzinfo=UTC)
    prague = ZoneInfo("Europe/Prague")
    assert language("cs").day(date(2026, 3, 5)) == "05.03.2026"
    assert language("cs").minute(at, prague) == "05.03.2026 23:30"
    assert language("en").minute(at, prague) == "5 Mar 2026 23:30"
    assert language("cs").ago(timedelta(minutes=5)) == "před 5 minutami"


def test_many_kilowatt_hours_are_shown_as_megawatt_hours() -> None:
    assert language("cs").large(2_934_832.0, "kWh") == "2\u00a0934,8\u00a0MWh"
    assert language("cs").large(2_934_832.0, "m³") == "2\u00a0934\u00a0832\u00a0m³"


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "code"),
    [
        ("en", "cs", "cs", "en"),
        ("xx", "en", "cs", "en"),
        ("", "", "de,en;q=0.8,cs;q=0.9", "cs"),
        ("", "", "en-US,en", "en"),
        ("", "", "de", "cs"),
        ("", "", "en;q=much", "cs"),
    ],
)
def test_the_language_is_that_of_the_address_the_cookie_the_browser_or_the_setting(
    asked: str, kept: str, accepted: str, code: str
) -> None:
    assert choose(asked, kept, accepted, "cs") == code
