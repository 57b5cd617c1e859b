"""Settings: where they come from, what is refused and how, and that their pages tell the truth."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.describe import Row, describe, settings_example, settings_page
from config.settings import Settings, load_settings
from core.errors import ConfigError

ROOT = Path(__file__).parents[2]
ROWS = describe(Settings)


def load(folder: Path, text: str = "", **environ: str) -> Settings:
    file = folder / "odecet.toml"
    file.write_text(text, "utf-8")
    return load_settings(file, environ)


def refusal(folder: Path, text: str = "", **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environ)
    return str(caught.value)


def test_defaults_hold_without_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None, {})
    assert settings == Settings()
    assert settings.duckdb_path() == Path("var/readings.duckdb")
    assert settings.records_url() == "sqlite:///var/records.sqlite"
    assert settings.calendar.tz().key == "Europe/Prague"


def test_file_of_the_working_folder_is_read_when_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odecet.toml").write_text("[api]\nport = 9001\n", "utf-8")
    assert load_settings(None, {}).api.port == 9001


def test_named_file_outdoes_the_one_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[api]\nport = 9002\n", "utf-8")
    other = {"ODECET_CONFIG": str(tmp_path / "other.toml")}
    assert load_settings(None, other).api.port == 9002
    assert load(tmp_path, "[api]\nport = 9003\n", **other).api.port == 9003


def test_environment_of_the_process_counts_when_none_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ODECET_API__PORT", "9004")
    assert load_settings().api.port == 9004


def test_missing_file_is_refused_naming_who_named_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--config: there is no file .*absent\.toml; "):
        load_settings(tmp_path / "absent.toml", {})
    with pytest.raises(ConfigError, match=r"^environment ODECET_CONFIG: there is no file .*absent\.toml; "):
        load_settings(None, {"ODECET_CONFIG": str(tmp_path / "absent.toml")})


def test_environment_outdoes_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, '[mqtt.tls]\nenabled = false\n[mqtt]\nhost = "a"\n', ODECET_MQTT__HOST="b")
    assert settings.mqtt.host == "b"


def test_empty_variable_leaves_what_the_file_says(tmp_path: Path) -> None:
    assert load(tmp_path, "[api]\nport = 9005\n", ODECET_API__PORT="").api.port == 9005


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("ODECET_MQTT__PROTOCOL", "5", "mqtt.protocol", 5),
        ("ODECET_READINGS__INFLUX__API", "2", "readings.influx.api", "2"),
        ("ODECET_MQTT__TOPICS", "a/+/b, c/#", "mqtt.topics", ("a/+/b", "c/#")),
        ("ODECET_MQTT__EMBEDDED", "true", "mqtt.embedded", True),
        ("ODECET_INGEST__FUTURE_TOLERANCE_S", "0.5", "ingest.future_tolerance_s", 0.5),
        ("ODECET_DATA__FOLDER", "elsewhere", "data.folder", Path("elsewhere")),
    ],
)
def test_text_of_a_variable_becomes_the_settings_type(
    tmp_path: Path, variable: str, text: str, path: str, value: object
) -> None:
    assert load(tmp_path, **{variable: text}).at(path) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[api]\nport = 70000", r"odecet\.toml: api\.port: 70000 cannot be: .*65535; write a whole number from 1 to"),
        ("[api]\nport = true", r"api\.port: true and false are no numbers; "),
        ("[api]\nprot = 80", r"api\.prot: there is no such setting; did you mean api\.port\?"),
        ("[mqqt]\nhost = 'a'", r"mqqt: there is no such setting; did you mean mqtt"),
        ("[mqtt.tls]\nca_file = 'x'", r"mqtt\.tls\.ca_file: there is no such setting; did you mean mqtt\.tls\.ca\?"),
        ("mqtt = 3", r"mqtt: 3 cannot be: .*; write it as a table"),
        ("[mqtt]\nprotocol = 4", r"mqtt\.protocol: 4 cannot be: .*; write one of 3, 5"),
        ("[mqtt]\ntopics = []", r"mqtt\.topics: "),
        ("[mqtt]\ntopics = ['a/#/b']", r"mqtt\.topics: 'a/#/b' is no topic filter"),
        ("[mqtt]\ntopics = ['a/b+']", r"mqtt\.topics: 'a/b\+' is no topic filter"),
        ("[mqtt]\nhost = ''", r"mqtt\.host: "),
        ("[calendar]\nzone = 'Mars'", r"calendar\.zone: time zone 'Mars' is not known"),
        ("[ingest]\nfuture_tolerance_s = inf", r"ingest\.future_tolerance_s: inf cannot be"),
        ("[ingest]\nfuture_tolerance_s = -1", r"ingest\.future_tolerance_s: -1 cannot be"),
        ("[ingest]\nqueue_messages = 10", r"ingest\.batch_messages: 10000 messages are more than the queue holds"),
        ("[worker]\nrollup_every_s = 3600", r"worker\.rollup_every_s: 3600 cannot be: .*60"),
        ("[readings]\nstore = 'influx'", r"readings\.store: 'influx' cannot be: .*; write one of duckdb, influxdb"),
        ("[readings.influx]\nurl = 'localhost:8086'", r"readings\.influx\.url: an address starts with http"),
        ("[readings.influx]\nurl = 'http://u:p@host'", r"readings\.influx\.url: an address that holds a user"),
        ("[records]\nurl = 'mysql://db/x'", r"records\.url: a record store's address starts with one of sqlite"),
        ("[records]\nurl = 'postgresql://u@h:port/x'", r"records\.url: .*; write it as postgresql://user@host:5432/"),
        ("[records]\npassword = 'secret'", r"records\.password: there is no address that it belongs to; set records"),
        ("[api]\nlanguage = 'de'", r"api\.language: 'de' cannot be: .*; write one of cs, en"),
        ("[access]\nopen = true\n[api]\nbind = '0.0.0.0'", r"access\.open: everybody at 0\.0\.0\.0 could change "),
        ("[access]\nopen = true\n[api]\nproxies = ['10.0.0.1']", r"access\.open: a proxy would let everybody change"),
        ("[api.tls]\ncert = 'none.pem'", r"api\.tls\.key: certificate and key go together; name both, or neither"),
        ("[oidc]\nissuer = 'https://id.example.cz'", r"oidc\.client: oidc\.issuer is set, and this is not; "),
        ("[mqtt.tls]\nenabled = true\nca = 'none.pem'", r"mqtt\.tls\.ca: there is no file 'none\.pem'; "),
        ("[mqtt]\nembedded = true\nhost = '0.0.0.0'", r"mqtt\.host: the embedded broker would be open to all at 0"),
        ("[mqtt]\nembedded = true\nprotocol = 5", r"mqtt\.protocol: the embedded broker speaks MQTT 3\.1\.1 alone"),
        ("[mqtt]\nembedded = true\nusername = 'a'", r"mqtt\.username: the embedded broker knows no users"),
        ("[mqtt]\nembedded = true\ntls = {enabled = true}", r"mqtt\.tls\.enabled: the embedded broker does not encryp"),
    ],
)
def test_wrong_setting_is_refused_with_file_path_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    told = refusal(tmp_path, text)
    assert "odecet.toml: " in told
    assert re.search(expected, told), told


def test_wrong_variable_is_refused_by_its_name(tmp_path: Path) -> None:
    assert refusal(tmp_path, ODECET_API__PORT="many").startswith("environment ODECET_API__PORT: 'many' cannot be: ")
    told = refusal(tmp_path, ODECET_MQTT__PRT="1")
    assert told == "environment ODECET_MQTT__PRT: there is no such setting; did you mean ODECET_MQTT__PORT?"
    assert refusal(tmp_path, ODECET_MQTT="1").startswith("environment ODECET_MQTT: there is no such setting")
    assert "environment ODECET_NOISE__LEVEL: there is no such" in refusal(tmp_path, ODECET_NOISE__LEVEL="1")


def test_variables_of_others_and_of_the_tests_are_no_settings(tmp_path: Path) -> None:
    assert load(tmp_path, ODECET_TEST_INFLUX_URL="http://127.0.0.1:8086", HOME="x", PATH="y") == Settings()


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    told = refusal(tmp_path, "[api]\nport = 0\n[mqtt]\nkeepalive_s = 1\n[log]\nlevel = 'loud'\n")
    assert len(told.splitlines()) == 3


def test_influxdb_without_address_and_bucket_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path, '[readings]\nstore = "influxdb"\n[readings.influx]\napi = 2\n')
    assert [line.split(": ")[1] for line in told.splitlines()] == [
        "readings.influx.url",
        "readings.influx.bucket",
        "readings.influx.org",
    ]


def test_bad_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "(at line 2, column" in refusal(tmp_path, "[api]\nport 3\n")


def test_file_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_bytes("[mqtt]\nclient_id = 'měřič'\n".encode("cp1250"))
    with pytest.raises(ConfigError, match=r"old\.toml: byte \d+ is no UTF-8; save the file as UTF-8"):
        load_settings(tmp_path / "old.toml", {})


def test_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("s:e/c@ret\n", "utf-8")
    settings = load(
        tmp_path,
        '[records]\nurl = "postgresql://odecet@db:5432/odecet"\n',
        ODECET_RECORDS__PASSWORD_FILE=str(tmp_path / "pw"),
    )
    assert settings.records.password.get_secret_value() == "s:e/c@ret"
    assert settings.records_url() == "postgresql+psycopg://odecet:s%3Ae%2Fc%40ret@db:5432/odecet"


def test_secret_file_is_refused_when_missing_empty_or_beside_the_secret(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n", "utf-8")
    variable = "ODECET_MQTT__PASSWORD_FILE"
    assert f"environment {variable}: '{tmp_path / 'none'}' cannot be read" in refusal(
        tmp_path, **{variable: str(tmp_path / "none")}
    )
    assert "is empty; write the secret into it" in refusal(tmp_path, **{variable: str(empty)})
    empty.write_text("secret", "utf-8")
    assert "mqtt.password is set too; keep one of them" in refusal(
        tmp_path, '[mqtt]\npassword = "x"\n', **{variable: str(empty)}
    )


def test_tokens_come_from_settings_and_file_together(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("# people\nkarla = 0123456789abcdef\n\nimport=fedcba9876543210==\n", "utf-8")
    settings = load(
        tmp_path,
        '[api]\nbind = "0.0.0.0"\n',
        ODECET_API__TOKENS_FILE=str(tmp_path / "tokens"),
        ODECET_API__TOKENS__JAN="abcdefghijklmnop",
    )
    assert {name: token.get_secret_value() for name, token in settings.api.tokens.items()} == {
        "jan": "abcdefghijklmnop",
        "karla": "0123456789abcdef",
        "import": "fedcba9876543210==",
    }


def test_token_that_is_short_repeated_or_unreadable_is_refused_without_telling_it(tmp_path: Path) -> None:
    assert "the token of jan is shorter than 16 characters" in refusal(tmp_path, ODECET_API__TOKENS__JAN="hush")
    (tmp_path / "tokens").write_text("jan=0123456789abcdef\njan=0123456789abcdeg\nhush\n", "utf-8")
    told = refusal(tmp_path, ODECET_API__TOKENS_FILE=str(tmp_path / "tokens"))
    assert "line 2 names jan again" in told
    assert "line 3 is not understood; write name=token" in told
    assert "hush" not in told
    assert "0123456789" not in told


def test_no_secret_is_shown(tmp_path: Path) -> None:
    text = '[mqtt]\npassword = "hush"\nusername = "u"\n[api.tokens]\njan = "hush-hush-hush-hush"\n'
    settings = load(tmp_path, text)
    assert "hush" not in repr(settings) + repr(settings.shown())
    assert ("api.tokens", "jan") in settings.shown()
    assert "hush" not in refusal(tmp_path, "[mqtt]\npassword = ['hush']\n")


def test_password_in_an_address_is_refused_without_telling_it(tmp_path: Path) -> None:
    told = refusal(tmp_path, '[records]\nurl = "postgresql://u:hush@db/x"\n')
    assert "records.url: it holds a password, which would be shown; move it to records.password" in told
    assert "hush" not in told


def test_certificate_without_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("", "utf-8")
    told = refusal(tmp_path, f'[mqtt.tls]\nenabled = true\ncert = "{tmp_path / "cert.pem"}"\n')
    assert "mqtt.tls.key: certificate and key go together" in told


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().api.port = 1  # type: ignore[misc] # that it raises is the point


def test_every_setting_has_a_description_and_every_number_its_unit_or_count() -> None:
    assert [row.path for row in ROWS if not row.description.endswith(".")] == []
    assert len({row.path for row in ROWS}) == len(ROWS)


def test_every_setting_is_read_by_the_process() -> None:
    readers = [ROOT / "config/settings.py", *(ROOT / "app").glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in readers)
    text += "\ncalendar.zone" if ".calendar.tz()" in text else ""

    def is_read(path: str) -> bool:
        above, leaf = path.split(".")[-2:]
        return re.search(rf"\b({above}|settings)\.{leaf}\b(?!\w*\")", text) is not None

    assert [row.path for row in ROWS if not row.path.endswith("_file") and not is_read(row.path)] == []


def test_page_of_settings_equals_the_models() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    assert page == settings_page(Settings), "run python -m config"
    assert all(f"`{row.path}`" in page for row in ROWS)


def test_example_equals_the_models_and_is_valid() -> None:
    file = ROOT / "config/odecet.example.toml"
    text = file.read_text("utf-8")
    assert text == settings_example(Settings), "run python -m config"
    assert load_settings(file, {}) == Settings()
    uncommented = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    assert _paths(tomllib.loads(uncommented)) == {row.path for row in ROWS}


def _paths(tree: dict[str, Any], above: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in tree.items():
        inner = isinstance(value, dict) and bool(value)
        found |= _paths(value, f"{above}{name}.") if inner else {f"{above}{name}"}
    return found


@given(st.sampled_from(ROWS), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_any_text_of_a_variable_gives_settings_or_a_named_refusal(row: Row, text: str) -> None:
    try:
        load_settings(ROOT / "config/odecet.example.toml", {row.environment: text})
    except ConfigError as err:
        assert all(line.startswith(("environment ODECET_", str(ROOT))) for line in str(err).splitlines())  # noqa: PT017 - either outcome is right
