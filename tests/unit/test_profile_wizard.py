"""A profile from a pasted sample: by the command line as the documentation shows it, and by the drafting behind it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import main
from app.profiles import fixed_profiles
from core.errors import InputError
from core.formats import Choices, Chosen
from ingest.profiles import drafting
from ingest.profiles.shelf import ProfileShelf
from tests.unit.ingest_fakes import NOW

AT = np.datetime64("2026-06-01T12:00:00", "us")
DOCS = Path(__file__).parents[2] / "docs" / "profiles.md"
PAYLOAD = b'{"sn":"00471","cas":"05.03.2026 13:00","energie":{"odber":12345.6,"jednotka":"MWh"},"teplota_c":21.5}'


def shelf(folder: Path | None) -> ProfileShelf:
    return ProfileShelf(fixed_profiles(), folder=folder, site="Europe/Prague", clock=lambda: NOW)


def choices(**changed: object) -> Choices:
    given: dict[str, object] = {
        "name": "acme",
        "topic": "skola/{id}/stav",
        "meter": "{sn}",
        "time": "cas",
        "time_format": "%d.%m.%Y %H:%M",
        "zone": "site",
        "readings": (Chosen(path="energie.odber", quantity="energy", unit="MWh", register="import"),),
    }
    return Choices(**{**given, **changed})  # type: ignore[arg-type]


def test_the_transcript_of_the_documentation_comes_out_as_it_stands_there(tmp_path: Path) -> None:
    block = re.search(r"```transcript\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert block is not None
    transcript = block[1]
    answers = re.findall(r"⟨(.*?)⟩", transcript, re.DOTALL)
    runner = CliRunner()
    given = "".join(f"{answer}\n" for answer in answers)
    done = runner.invoke(main, ["profiles", "new", "--profiles", str(tmp_path)], input=given)
    assert done.exit_code == 0, done.output
    shown = re.sub(r"⟨.*?⟩", "", transcript, flags=re.DOTALL)

    def words(text: str) -> list[str]:
        return re.sub(r"\S*/(?=plynomer\.toml|\S*$)", "", text).split()

    said = words(done.output.replace(str(tmp_path), "profiles"))
    expected = [word for word in words(shown) if word not in {"$", "new"}]
    missing = [word for word in expected if word not in said]
    assert not missing, (missing, done.output)
    tested = runner.invoke(main, ["profiles", "test", "--profiles", str(tmp_path), "plynomer"])
    assert tested.output == "1 cases, 1 as expected, 0 not\n"


def test_numbers_names_times_and_units_are_found() -> None:
    found = drafting.inspect("skola/7/stav", PAYLOAD)
    assert found.form == "json"
    assert {n.path: (n.quantity, n.unit) for n in found.numbers if n.path != "sn"} == {
        "energie.odber": ("energy", "MWh"),
        "teplota_c": ("temperature", "°C"),
    }
    assert found.names == ("{sn}",)
    assert dict(found.times) == {"cas": "%d.%m.%Y %H:%M"}


@pytest.mark.parametrize(
    ("payload", "form", "each", "paths"),
    [
        (b"12.5", "text", "", ["payload"]),
        (b'{"v":[{"E":1},{"E":2}]}', "json", "v[]", ["E"]),
        (b"meter;kWh\n7;12.5\n8;13\n", "csv", "", ["meter", "kWh"]),
        (b"[1.5, 2.5]", "json", "", ["[0]", "[1]"]),
    ],
)
def test_forms_are_told_by_their_content(payload: bytes, form: str, each: str, paths: list[str]) -> None:
    found = drafting.inspect("x", payload, each)
    assert (found.form, [n.path for n in found.numbers]) == (form, paths)


def test_what_cannot_be_read_is_told() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        drafting.inspect("x", b'{"a":')
    with pytest.raises(InputError, match="nothing at"):
        drafting.inspect("x", b'{"a":1}', "b[]")


def test_a_draft_reads_its_sample_and_a_saved_one_is_read_by_at_once(tmp_path: Path) -> None:
    held: list[int] = []
    one = shelf(tmp_path / "profiles")
    one.users(lambda profiles: held.append(len(profiles)))
    made = one.draft("skola/7/stav", PAYLOAD, choices())
    assert [(r["meter"], r["value"], r["unit"], r["at"]) for r in made.readings] == [
        ("00471", 12345600.0, "kWh", "2026-03-05T12:00:00Z")
    ]
    assert "rejected" in one.decode("skola/9/stav", PAYLOAD)
    saved = one.save(made.text)
    assert (saved.name, saved.origin, saved.cases) == ("acme", "own", 1)
    assert held == [len(one.profiles)]
    assert one.decode("skola/9/stav", PAYLOAD)["readings"][0]["profile"] == "acme"
    assert not [t for t in one.test(["acme"]) if t.faults]
    with pytest.raises(InputError, match="there already"):
        one.save(made.text)


def test_another_process_sees_what_was_saved_and_a_mistake_leaves_what_held(tmp_path: Path) -> None:
    one, other = shelf(tmp_path), shelf(tmp_path)
    one.save(one.draft("skola/7/stav", PAYLOAD, choices()).text)
    assert other.refresh()
    assert not other.refresh()
    assert "acme" in {f.name for f in other.known()}
    (tmp_path / "bad.toml").write_text('name = "bad"\n[match\n')
    with pytest.raises(InputError, match=r"bad\.toml"):
        other.refresh()
    assert "acme" in {f.name for f in other.known()}
    assert not other.refresh(), "a mistake is told once"


def wrong(change: Callable[[str], str], tmp_path: Path) -> str:
    one = shelf(tmp_path)
    text = one.draft("skola/7/stav", PAYLOAD, choices()).text
    with pytest.raises(InputError) as caught:
        one.save(change(text))
    assert not list(tmp_path.glob("*.toml")), "nothing is written"
    return str(caught.value)


def test_a_profile_that_does_not_keep_its_word_is_not_saved(tmp_path: Path) -> None:
    assert "12345600.0 kWh" in wrong(lambda text: text.replace("value = 12345600.0", "value = 5.0"), tmp_path)
    assert "no test case" in wrong(lambda text: text[: text.index("[[tests]]")], tmp_path)
    assert "line" in wrong(lambda text: text.replace('unit = "MWh"', 'unit = "MWx"', 1), tmp_path)


def test_choices_that_cannot_be_are_told() -> None:
    one = shelf(None)
    for changed, told in (
        ({"readings": (Chosen(path="energie.odber", quantity="volume", unit="MWh"),)}, "unit"),
        ({"readings": (Chosen(path="nic", quantity="energy", unit="kWh"),)}, "reads nothing"),
        ({"name": "Špatně"}, "name"),
        ({"meter": "{nic}"}, "meter"),
        ({"topic": "jinde/+"}, "no profile"),
    ):
        with pytest.raises(InputError, match=told):
            one.draft("skola/7/stav", PAYLOAD, choices(**changed))
    with pytest.raises(InputError, match="profiles_folder"):
        one.save(one.draft("skola/7/stav", PAYLOAD, choices()).text)
