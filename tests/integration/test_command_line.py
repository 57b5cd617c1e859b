"""The commands as an operator runs them over real files; what goes on is a process of its own, ended by signals."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from storage.records import SqlRecordStore
from tests.servers.commands import run_here
from tests.servers.mosquitto import mosquitto
from tests.servers.process import free_port, listens, wait_until

ODECET = Path(sys.executable).parent / "odecet"

pytestmark = pytest.mark.timeout(400)


def environment(folder: Path, **settings: object) -> dict[str, str]:
    chosen = {f"ODECET_{name}": str(value) for name, value in settings.items()}
    return {**os.environ, "ODECET_DATA__FOLDER": str(folder / "data"), "ODECET_LOG__LEVEL": "warning", **chosen}


def odecet(folder: Path, *words: str, stdin: str = "", **settings: object) -> subprocess.CompletedProcess[str]:
    return run_here(*words, cwd=folder, environment=environment(folder, **settings), stdin=stdin)


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return bytes(answer.read())


ORGANISATIONS = "Identifikátor;Název;IČO\nskola;Základní škola;\n"
BUILDINGS = "Identifikátor;Organizace;Název;Druh\nb1;skola;Pavilon A;škola\n"
POINTS = "Identifikátor;Budova;Název;Komodita\np1;b1;Elektřina;elektřina\n"
METERS = "Identifikátor;Odběrné místo;Zařízení;Namontováno\nm1;p1;dev-1;01.01.2026\n"


def test_the_register_goes_in_by_csv_and_out_by_xlsx_and_comes_back_unchanged(tmp_path: Path) -> None:
    for name, text in (("organisations", ORGANISATIONS), ("buildings", BUILDINGS), ("points", POINTS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="cp1250")
        done = odecet(tmp_path, "import", f"{name}.csv", "--by", "správce")
        assert done.returncode == 0, done.stderr
    out = odecet(tmp_path, "export", "register.xlsx")
    assert out.returncode == 0, out.stderr
    again = odecet(tmp_path, "import", "register.xlsx", "--dry-run")
    assert "new: none" in again.stdout
    assert "changed: none" in again.stdout
    assert "unchanged: 1 organisation, 1 building, 1 point" in again.stdout


def test_an_import_with_errors_names_them_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "buildings.csv").write_text("Identifikátor;Organizace;Název\nb1;nikdo;Škola\n", encoding="utf-8")
    done = odecet(tmp_path, "import", "buildings.csv")
    assert done.returncode == 2
    assert "row 2" in done.stderr
    assert "nikdo" in done.stderr
    assert "Traceback" not in done.stderr
    assert "unchanged: none" in odecet(tmp_path, "import", "buildings.csv", "--dry-run").stdout


def test_an_import_is_undone_by_its_id(tmp_path: Path) -> None:
    (tmp_path / "organisations.csv").write_text(ORGANISATIONS, encoding="utf-8")
    done = odecet(tmp_path, "import", "organisations.csv")
    key = done.stdout.strip().rsplit(" ", 1)[1]
    assert "1 removed" in odecet(tmp_path, "import", "--undo", key).stdout
    assert "new: 1 organisation" in odecet(tmp_path, "import", "organisations.csv", "--dry-run").stdout


def test_settings_are_printed_and_a_wrong_one_is_refused_by_its_path(tmp_path: Path) -> None:
    good = odecet(tmp_path, "check-config", API__PORT=8099)
    assert good.returncode == 0
    assert "api.port = 8099" in good.stdout
    bad = odecet(tmp_path, "check-config", API__PORT="many")
    assert bad.returncode == 2
    assert "ODECET_API__PORT" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_a_mistake_in_a_profile_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.toml").write_text('name = "mine"\n[match]\ntopics = ["x"]\n', encoding="utf-8")
    bad = odecet(tmp_path, "check-config", INGEST__PROFILES_FOLDER="profiles")
    assert bad.returncode == 2
    assert "mine.toml, key rows: the profile reads nothing" in bad.stderr


def test_a_message_is_decoded_as_it_comes_on_standard_input(tmp_path: Path) -> None:
    def decode(topic: str, payload: str) -> tuple[int, dict[str, object]]:
        done = odecet(tmp_path, "decode", "--topic", topic, stdin=payload)
        return done.returncode, json.loads(done.stdout)

    code, line = decode("tele/sklep/SENSOR", '{"ENERGY":{"Total":5.5}}')
    assert (code, line["readings"][0]["value"]) == (0, 5.5)  # type: ignore[index]
    code, line = decode("nobody/knows", "it")
    assert code == 1
    assert str(line["rejected"]).startswith("no_profile")
    vectors = [{"id": "a", "topic": "tele/x/LWT", "payload": "Online"}, {"topic": "odecet/x", "payload": "{"}]
    (tmp_path / "v.json").write_text(json.dumps({"vectors": vectors}), encoding="utf-8")
    done = odecet(tmp_path, "decode", "--vectors", "v.json")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first == {"id": "a", "ignored": "availability"}
    assert (second["id"], second["rejected"][:9]) == (1, "malformed")
    assert odecet(tmp_path, "decode").returncode == 2


@pytest.mark.parametrize(
    "words", [("import", "readings", "nothing.csv"), ("replay", "nothing.csv"), ("curve", "--readings", "nothing.csv")]
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = odecet(tmp_path, *words)
    assert done.returncode == 2
    assert "odecet: " in done.stderr
    assert "Traceback" not in done.stderr


def test_simulated_files_and_the_curve_agree_with_the_truth(tmp_path: Path) -> None:
    span = ("--from", "2026-01-01", "--to", "2026-03-01")
    made = odecet(tmp_path, "simulate", "--files", "out", "--buildings", "2", "--no-faults", *span)
    assert made.returncode == 0, made.stderr
    done = odecet(
        tmp_path, "curve", "--readings", "out/readings.csv", "--meters", "out/meters.csv", "--period", "month"
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({line["meter"] for line in lines}) > 5
    whole = [line for line in lines if line["from"].startswith("2026-02-01")]
    assert all(line["missing"] < 0.01 and line["consumption"] > 0 for line in whole)


class Running:
    """`odecet run` on embedded parts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api, self.mqtt = free_port(), free_port()
        self.settings = {
            "API__PORT": self.api,
            "ACCESS__OPEN": "true",
            "MQTT__PORT": self.mqtt,
            "MQTT__EMBEDDED": "true",
            "WORKER__ROLLUP_EVERY_S": 0.5,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(ODECET), "run"],
                cwd=self.folder,
                env=environment(self.folder, **self.settings),
                stdout=log,
                stderr=log,
            )
        wait_until(self.ready, what=f"odecet run ({self.folder / 'run.log'})", seconds=60)

    def ready(self) -> bool:
        try:
            return listens(self.api) and json.loads(fetch(self.api, "/ready"))["ready"] is True
        except OSError:
            return False

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process = None
        return code


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    made.start()
    yield made
    if made.process is not None:
        made.end(signal.SIGKILL)


def table(folder: Path) -> Path:
    rows = "".join(
        f"2026-02-{day:02d}T{hour:02d}:00:00Z,{day + hour / 10:.1f}\n" for day in (1, 2) for hour in range(24)
    )
    path = folder / "amounts.csv"
    path.write_text("at,dev-1\n" + rows, encoding="utf-8")
    return path


@pytest.mark.fault
def test_real_values_go_from_a_file_to_the_page_and_stay_over_a_kill(running: Running) -> None:
    folder = running.folder
    for name, text in (
        ("organisations", ORGANISATIONS),
        ("buildings", BUILDINGS),
        ("points", POINTS),
        ("meters", METERS),
    ):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        assert odecet(folder, "import", f"{name}.csv").returncode == 0
    sent = odecet(folder, "replay", str(table(folder)), "--unit", "kWh", "--port", str(running.mqtt))
    assert sent.returncode == 0, sent.stderr
    question = "/api/v1/consumption?point=p1&period=day&from=2026-02-01&to=2026-02-03&zone=UTC"

    def amounts() -> list[float | None]:
        (point,) = json.loads(fetch(running.api, question))["points"]
        return [value["amount"] for value in point["values"]]

    expected = [sum(day + hour / 10 for hour in range(24)) for day in (1, 2)]
    wait_until(lambda: amounts() == pytest.approx(expected), what="both days", seconds=60)
    out = odecet(folder, "export", "days.csv", "--what", "consumption", "--from", "2026-02-01", "--to", "2026-02-03",
                 **running.settings)  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert (folder / "days.csv").read_text("utf-8").count("p1") >= 1
    running.end(signal.SIGKILL)
    running.start()
    assert amounts() == pytest.approx(expected)
    assert "Elektřina" in fetch(running.api, "/points/p1?lang=cs").decode()
    assert running.end(signal.SIGTERM) == 0
    alone = odecet(folder, "export", "readings.csv", "--what", "readings", "--point", "p1", "--from", "2026-02-01",
                   "--to", "2026-02-03")  # fmt: skip
    assert alone.returncode == 0, alone.stderr
    assert (folder / "readings.csv").read_text("utf-8").count(
        "dev-1"
    ) == 47  # the local day ends an hour before the UTC one


def test_the_demo_shows_its_region_with_readings_that_came_over_mqtt(tmp_path: Path) -> None:
    ports = {"API__PORT": free_port(), "MQTT__PORT": free_port()}
    command = [str(ODECET), "demo", "--folder", str(tmp_path / "demo"), "--buildings", "2"]
    for start in range(2):  # the second goes on where the first ended
        with (tmp_path / "demo.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environment(tmp_path, **ports), stdout=log, stderr=log
            )
        try:
            wait_until(lambda: listens(ports["API__PORT"]), what=f"the demo ({tmp_path / 'demo.log'})", seconds=120)
            if start == 0:
                wait_until(lambda: arrived(ports["API__PORT"]) > 0, what="readings over MQTT", seconds=60)
            region = json.loads(
                fetch(ports["API__PORT"], "/api/v1/consumption?period=year&from=2025-01-01&to=2026-01-01")
            )
            assert all(value["amount"] is not None for point in region["points"] for value in point["values"])
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
    assert f"http://127.0.0.1:{ports['API__PORT']}/" in (tmp_path / "demo.log").read_text("utf-8")


def arrived(port: int) -> float:
    lines = fetch(port, "/metrics").decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("odecet_ingest_readings_total"))


@pytest.mark.server
def test_a_topic_taken_out_of_the_settings_is_heard_no_more(tmp_path: Path) -> None:
    broker, metrics = mosquitto(tmp_path / "mosquitto"), free_port()
    broker.start()
    common = {"MQTT__PORT": broker.port, "METRICS__PORT": metrics}

    def subscribed() -> bool:
        try:
            lines = fetch(metrics, "/metrics").decode().splitlines()
        except OSError:
            return False
        return any(line.startswith("odecet_ingest_connected{") and line.endswith(" 1.0") for line in lines)

    for topics, readings in (("odecet/#,old/#", 0), ("odecet/#", 2)):
        env = environment(tmp_path, **common, MQTT__TOPICS=topics)
        process = subprocess.Popen([str(ODECET), "ingest"], cwd=tmp_path, env=env)
        wait_until(subscribed, what="the ingester's session", seconds=60)
        for n in range(readings):
            payload = json.dumps({"meter": "m", "at": f"2026-01-0{n + 1}T00:00:00Z", "value": n, "unit": "kWh"})
            for topic in ("old/m", "odecet/m"):
                publish(broker.port, topic, payload)
        wait_until(lambda wanted=readings: arrived(metrics) >= wanted, what="readings", seconds=30)  # type: ignore[misc]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    broker.stop()
    records = SqlRecordStore(f"sqlite:///{tmp_path / 'data' / 'records.sqlite'}")
    records.start()
    assert records.count_letters() == {}
    records.close()


def publish(port: int, topic: str, payload: str) -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
