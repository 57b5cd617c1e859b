"""Every text of an error that can reach a page is said in Czech, with the values that it was raised with."""

import re
import time
from collections import Counter
from fnmatch import fnmatch
from functools import cache

import pytest
from babel.messages.pofile import read_po
from hypothesis import assume, given
from hypothesis import strategies as st

from api.error_texts import HOLE as NAMED
from api.error_texts import Template, phrases, told
from api.problems import Place, Problem, in_language
from api.texts import CATALOGS, language
from core.errors import InputError
from tests.unit.api_world import build_world
from tests.unit.raised_texts import HOLE, Said, said

ELSEWHERE = {
    "app/oidc.py": None,
    "app/dated_tables.py": None,
    "app/*": "commands and the start of processes: told on the terminal",
    "config/dated.py": None,
    "config/factors.py": None,
    "config/school_holidays.py": None,
    "config/tariffs.py": None,
    "config/*": "settings and tables are read at the start: told on the terminal",
    "simulators/*": "simulated meters are made by commands",
    "storage/backup_*": "backups are made and put back by commands",
    "storage/influx_*": "StoreError and roll-ups: pages say it in words of their own",
    "storage/duckdb_*": "the same",
    "ingest/series_files.py": "files of commands",
    "ingest/daily_files.py": "files of commands",
    "ingest/dial_files.py": "files of commands",
    "ingest/any_series.py": "files of commands",
    "ingest/mqtt*": "the start of the ingester",
    "ingest/keepalive*": "the start of the ingester",
    "ingest/sparkplug*": "the start of the ingester",
    "ingest/codecs/*": "profiles: they name keys of a TOML file, whose language is English",
    "ingest/profiles/load.py": "the same",
    "ingest/profiles/compiled.py": "the same",
    "ingest/profiles/engine.py": "the same",
    "ingest/discovery/*": "flags of a description, for which pages have texts of their own",
    "reports/dcat_rules.py": "faults of records of open data: commands and tests",
    "reports/template_faults.py": "what the Word library says of a template, a command's input",
}
"""Where texts are raised that no page shows, and why; None takes a file out of the pattern after it."""
NEVER_SHOWN = {
    "StoreError": "an unexpected failure: its text goes to the log",
    "StoreUnavailable": "pages say it in words of their own",
    "StoreInUse": "the same",
    "ConfigError": "an unexpected failure: its text goes to the log",
}
PASSED_ON = {
    "err.problem", "err.remedy", "f.problem", "f.remedy", "e.problem", "problem.problem", "problem.remedy", "problem",
    "str(problem)", "remedy", "reason", "str(err)", "str(e['msg'])", "self._remedy", "named",
    "place.problem", "place.remedy", "words.problem(e.problem)", "words.problem(e.remedy)",
    "'; '.join(trial.faults)[:1000]", "trouble",
}  # fmt: skip
"""Expressions that hand on a text said elsewhere, which is looked up by itself."""
ASSEMBLED = {
    f"device {HOLE} {HOLE}": (
        f"device {HOLE} is not mounted at that instant",
        f"device {HOLE} is on no meter of the register",
    ),
    f"{HOLE} {HOLE} of that day": (
        f"{HOLE} stands twice on the clock of that day",
        f"{HOLE} does not stand on the clock of that day",
    ),
    f"{HOLE} is in the register already; choose another id, or change that one": (
        f"{HOLE} {HOLE} is in the register already; choose another id, or change that one",
    ),
    f"{HOLE} was changed meanwhile; look at it again and repeat": (
        f"{HOLE} {HOLE} was changed meanwhile; look at it again and repeat",
    ),
    f"{HOLE} {HOLE} stands in {HOLE} and in row {HOLE}": (
        f"{HOLE} {HOLE} stands in row {HOLE} and in row {HOLE}",
        f"{HOLE} {HOLE} stands in row {HOLE} of sheet {HOLE} and in row {HOLE}",
    ),
}
"""Texts whose values are words: what they come to."""


def shown() -> list[Said]:
    return [s for s in said() if s.error not in NEVER_SHOWN and not _elsewhere(s.path)]


def _elsewhere(path: str) -> bool:
    return next((why for pattern, why in ELSEWHERE.items() if fnmatch(path, pattern)), None) is not None


@cache
def entries() -> tuple[tuple[str, str, str], ...]:
    with (CATALOGS / "errors-cs.po").open("rb") as source:
        catalog = read_po(source, locale="cs")
    return tuple((m.context or "", str(m.id), str(m.string)) for m in catalog if m.id)


@cache
def templates() -> frozenset[str]:
    return frozenset(NAMED.sub(HOLE, text) for context, text, _ in entries() if context == "")


def is_said(form: str) -> bool:
    """Return whether a text has a Czech one of its own: as a template, put together of others, or on a page."""
    whole = ASSEMBLED.get(form, (form,))
    return all(one in templates() or _changed(one) for one in whole)


def _changed(form: str) -> bool:
    return not form.strip(HOLE) or language("cs").text(form) != form


def test_every_problem_and_remedy_that_can_reach_a_page_has_a_czech_text() -> None:
    lacking = {f"{s.path}:{s.line} {form!r}" for s in shown() if not s.context for form in s.forms if not is_said(form)}
    assert lacking == set()


def test_texts_that_are_not_written_where_they_are_raised_are_said_elsewhere() -> None:
    unknown = {f"{s.path}:{s.line} {s.source}" for s in shown() if not s.context and not s.forms}
    assert {line for line in unknown if line.partition(" ")[2] not in PASSED_ON} == set()


def test_places_with_a_name_of_ours_have_a_czech_one() -> None:
    known = {NAMED.sub(HOLE, text) for context, text, _ in entries() if context == "place"}
    assert {form for s in shown() if s.context for form in s.forms if form.strip(HOLE)} - known == set()


def test_nothing_is_excepted_that_is_not_there() -> None:
    paths = {s.path for s in said()}
    assert [pattern for pattern in ELSEWHERE if not any(fnmatch(path, pattern) for path in paths)] == []


def test_the_catalogue_says_every_text_once_and_keeps_its_values() -> None:
    twice = Counter((context, NAMED.sub(_kind, text)) for context, text, _ in entries())
    assert [key for key, count in twice.items() if count > 1] == []
    for _, text, czech in entries():
        assert set(NAMED.findall(text)) == set(NAMED.findall(czech)), text
        assert len(set(NAMED.findall(text))) == len(NAMED.findall(text)), text


def _kind(hole: re.Match[str]) -> str:
    kind = hole[1].rpartition("_")[2]
    return f"<{kind if kind in KINDS else ''}>"


def test_czech_problems_and_remedies_are_sentences() -> None:
    sentences = [czech for context, _, czech in entries() if not context]
    whole = [s for s in sentences if not s.startswith("řádek")]
    assert [s for s in whole if not re.search(r"([.!?…:]|%\(\w+\)s|“\)?)$", s)] == []
    assert [
        s for s in sentences if s[0].isalpha() and not s[0].isupper() and not s.startswith(("payload", "řádek"))
    ] == []


# What comes out

KINDS = {"bare", "number", "word", "text", "texts", "place", "quoted"}
ODD = st.text(alphabet="<>&\"'%(){}[]\\žŘ€0,;:„", max_size=12)
OPEN = [(t, c) for context, t, c in entries() if not context and (names := NAMED.findall(t))
        and not any(n.partition("_")[2] and n.rpartition("_")[2] in KINDS for n in names)]  # fmt: skip


@given(st.sampled_from(OPEN), st.data())
def test_values_come_out_as_they_were_put_in_whatever_they_are(entry: tuple[str, str], data: st.DataObject) -> None:
    english, czech = entry
    literals = [part for part in Template.of(english, czech).literals if part]
    values = {name: data.draw(ODD) for name in NAMED.findall(english)}
    assume(not any(part in value for part in literals for value in values.values()))
    raised = NAMED.sub(lambda hole: values[hole[1]], english)
    assert phrases("cs").problem(raised) == NAMED.sub(lambda hole: values[hole[1]], czech)


@pytest.mark.parametrize(
    ("english", "czech"),
    [
        ("'2026-13' is no date", "„2026-13“ není datum."),
        ('"it\'s" is no date', "„it's“ není datum."),
        (r"'a\'b\"' is no date", r"'a\'b\"' není datum."),
        ("point %(id)s is not in the register", "Odběrné místo %(id)s v evidenci není."),
        ("point B01 is not in the register", "Odběrné místo B01 v evidenci není."),
        (
            "point P1: meter M1 stands on it: l does not count gas; correct the unit",
            "odběrné místo P1: Je na něm měřidlo M1: l tu měřit nelze, sem patří: plyn. Opravte jednotku.",
        ),
        (
            "there is no temperature in row 5 ('x'), row 7 ('1,5') and 3 more",
            "řádek 5 („x“), řádek 7 („1,5“) a dalších 3: Není to teplota.",
        ),
        (
            "Budovy, row 3, IČO: '12' is no IČO; Budovy, row 9, Druh: the cell is empty; and 4 more",
            "Budovy, řádek 3, IČO: „12“ není IČO. Budovy, řádek 9, Druh: Buňka je prázdná. A dalších 4.",
        ),
        (
            "mounted of meter M 1 2026-01-31T12:00:00 has no offset",
            "U času 2026-01-31T12:00:00 (mounted of meter M 1) chybí posun od UTC.",
        ),
        ("'a b' cannot be", "„a b“ být nemůže."),
        ("point kotelna 2\n is not in the register", "Odběrné místo kotelna 2\n v evidenci není."),
        ("something that nobody wrote", "something that nobody wrote"),
    ],
)
def test_a_raised_text_is_said_in_czech(english: str, czech: str) -> None:
    assert phrases("cs").problem(english) == czech
    assert phrases("en").problem(english) == english


def test_an_error_is_told_in_one_line() -> None:
    err = InputError("'x' is no date", place="from", remedy="write it as 2026-01-31")
    assert told(phrases("cs"), err) == "od: „x“ není datum. Zapište ho jako 2026-01-31."
    assert told(phrases("en"), err) == str(err)


def test_programs_are_told_places_by_the_names_that_they_sent() -> None:
    err = InputError("'x' is no date", place="from", remedy="write it as 2026-01-31")
    found = Problem("about:blank", "", 422, str(err), "", (Place(err.place, err.problem, err.remedy),))
    to_program, to_person = in_language(found, "cs"), in_language(found, "cs", for_page=True)
    assert to_program.errors == (Place("from", "„x“ není datum.", "Zapište ho jako 2026-01-31."),)
    assert to_person.detail == "od: „x“ není datum. Zapište ho jako 2026-01-31."
    assert in_language(found, "en") == found


@pytest.mark.parametrize(
    "text", ["a: " * 2_600, "adjustment 5 of adjustment x: " * 200, "; and 1 more" * 600, "x" * 10**6]
)
def test_a_text_made_to_fit_in_many_ways_is_given_up_soon(text: str) -> None:
    begun = time.perf_counter()
    phrases("cs").problem(text)
    assert time.perf_counter() - begun < 2


def test_a_page_tells_an_error_in_czech_and_the_api_in_the_language_asked_for() -> None:
    client = build_world().client()
    shown = client.get("/points/B01-EL?from=<b>", headers={"Accept": "text/html", "Accept-Language": "cs"})
    assert shown.status_code == 422
    assert "<strong>od</strong>: „&lt;b&gt;“ není datum. <span" in shown.text
    assert "Zapište ho jako 2026-01-31, 2026-01, 2026, nebo 2026-01-31T12:00:00+01:00." in shown.text
    asked = "/api/v1/consumption?point=B01-EL&from=x&to=2026"
    english, czech = client.get(asked), client.get(asked, headers={"Accept-Language": "cs-CZ,en;q=0.5"})
    assert english.json()["detail"].startswith("from: 'x' is no date; write it as")
    assert czech.json()["detail"].startswith("from: „x“ není datum. Zapište ho jako")
    assert czech.json()["errors"][0]["place"] == "from"
    assert (english.headers["content-language"], czech.headers["content-language"]) == ("en", "cs")
