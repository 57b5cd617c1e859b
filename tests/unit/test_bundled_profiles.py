"""Every bundled profile keeps its own word, and none stands in another's way."""

from collections import Counter

import numpy as np
import pytest

from app.profiles import all_profiles
from benchmarks import fuzz
from ingest.profile import Router
from ingest.profiles.catalog import catalog
from ingest.profiles.engine import TomlProfile
from ingest.profiles.load import BUNDLED, read
from ingest.profiles.trials import run

NOW = np.datetime64("2026-11-23T12:00:00", "us")
FILES = sorted(BUNDLED.glob("*.toml"))


@pytest.fixture(scope="module")
def router() -> Router:
    return Router(all_profiles(None, site="Europe/Prague"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_has_the_name_of_its_profile_says_what_it_reads_and_has_cases(path: object) -> None:
    spec = read(path).spec  # type: ignore[arg-type]
    assert spec.name == path.stem  # type: ignore[attr-defined]
    assert spec.title
    assert spec.about
    assert spec.fragment or spec.tests, "a bundled profile has cases of its own"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_cases_of_a_profile_come_out_as_they_say(path: object, router: Router) -> None:
    profile = router.profiles.get(path.stem)  # type: ignore[attr-defined]
    if isinstance(profile, TomlProfile):
        faults = [f"line {t.line}, {t.topic}: {fault}" for t in run(profile, router, now=NOW) for fault in t.faults]
        assert not faults, "\n".join(faults)
    else:
        assert read(path).spec.fragment  # type: ignore[arg-type]


def test_no_message_of_a_case_is_claimed_by_two(router: Router) -> None:
    for profile in catalog(None, site="Europe/Prague").profiles:
        for trial in run(profile, router, now=NOW):
            assert not any("profile_ambiguous" in fault for fault in trial.faults), trial


def test_broken_messages_crash_nothing_and_each_comes_to_something() -> None:
    done = fuzz.run(4_000, seed=20261123)
    assert not [w for w in done.wrong if not w[0].isdigit()], done.wrong
    assert done.messages == 4_000
    assert isinstance(done.reasons, Counter)
    assert done.readings > 500, "most are broken, and some are not"
