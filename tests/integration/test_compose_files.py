"""The files of docker-compose.yml: they exist, fit the command line and the settings, and the broker keeps to them."""

import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import yaml
from paho.mqtt import client as paho
from paho.mqtt.reasoncodes import ReasonCode

from app.cli import main
from config.describe import describe
from config.settings import Settings, load_settings
from tests.servers.process import ServerProcess, free_port, program, wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "config/deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
TLS = yaml.safe_load((ROOT / "docker-compose.tls.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "odecet"]
SECRETS = "./var/secrets/"
MADE_BY_OPERATOR = "./var/certs"


def make_secrets(folder: Path) -> Path:
    subprocess.run(["sh", DEPLOY / "make-secrets", folder], check=True, capture_output=True)
    return folder


def filled(text: str) -> str:
    """Return a text with the compose's variables at their defaults."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def mounts(*services: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for service in services:
        for volume in service.get("volumes", ()):
            source, target = volume.split(":")[:2]
            yield source, target


def test_every_mounted_file_exists() -> None:
    missing = [
        source
        for source, _ in mounts(*SERVICES.values(), *TLS["services"].values())
        if source.startswith(".")
        and not source.startswith((SECRETS, MADE_BY_OPERATOR))
        and not (ROOT / source).exists()
    ]
    assert missing == []


def test_every_named_volume_and_secret_is_declared() -> None:
    named = {source for source, _ in mounts(*SERVICES.values()) if not source.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    assert {name for service in SERVICES.values() for name in service.get("secrets", ())} == set(COMPOSE["secrets"])


def test_every_secret_is_made_by_the_script_and_never_again(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "secrets")
    made = {path: path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    wanted = {folder / secret["file"].removeprefix(SECRETS) for secret in COMPOSE["secrets"].values()}
    assert wanted == set(made)
    assert len(set(made.values())) == len(made)
    assert folder.stat().st_mode & 0o077 == 0
    make_secrets(folder)
    assert {path: path.read_text("utf-8") for path in made} == made


def test_secrets_and_certificates_are_ignored_by_git_and_stand_in_no_package() -> None:
    for folder in (SECRETS, MADE_BY_OPERATOR):
        assert subprocess.run(["git", "check-ignore", "--quiet", f"{folder}/x"], cwd=ROOT, check=False).returncode == 0
        assert not (ROOT / Path(folder).parts[0] / "__init__.py").exists()


AS_ROOT = {"influxdb", "postgres", "passwords"}
"""Services whose entrypoint begins as root; each says in a comment why."""


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_the_least_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "influxdb")
    assert not {"privileged", "devices", "pid", "ipc", "userns_mode", "group_add"} & set(service)
    if name not in AS_ROOT:
        assert int(service["user"].partition(":")[0]) > 0
        assert "cap_add" not in service
    assert set(service.get("cap_add", ())) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    sockets = [source for source, _ in mounts(service) if source.endswith(".sock")]
    assert sockets == []


@pytest.mark.parametrize("name", SERVICES)
def test_mounted_files_are_read_only_and_no_secret_stands_in_the_environment(name: str) -> None:
    service = SERVICES[name]
    own = [volume for volume in service.get("volumes", ()) if volume.startswith(".")]
    assert [volume for volume in own if not volume.endswith(":ro")] == []
    for key, value in service.get("environment", {}).items():
        if re.search(r"PASSWORD|TOKEN|SECRET", key):
            assert value.startswith("/run/secrets/"), key
            assert Path(value).name in service["secrets"]


def test_stores_and_metrics_are_met_by_those_alone_who_need_them() -> None:
    networks = COMPOSE["networks"]
    assert {name for name, network in networks.items() if not (network or {}).get("internal")} == {"outside"}
    members = {net: {n for n, s in SERVICES.items() if net in s.get("networks", ())} for net in networks}
    assert members["stores"] == {"influxdb", "postgres", "ingest", "worker", "api"}
    assert members["outside"] == {"mosquitto", "worker", "api", "grafana"}
    assert members["meters"] == {"mosquitto", "ingest", "worker", "simulators"}
    assert members["watch"] == {"ingest", "worker", "api", "prometheus", "grafana"}
    assert SERVICES["passwords"]["network_mode"] == "none"
    for name, service in SERVICES.items():
        assert "networks" in service or name == "passwords"
        for port in service.get("ports", ()):
            assert re.match(r"\$\{\w+_BIND:-127\.0\.0\.1\}:", port), port
            assert "outside" in service["networks"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_that_goes_on_is_watched_and_ends_in_peace(name: str) -> None:
    service = SERVICES[name]
    assert service["logging"]["options"]["max-size"]
    if name == "passwords":
        return
    assert service["restart"] == "unless-stopped"
    assert "healthcheck" in service or name in OURS  # the image has its own


def test_every_variable_has_its_example() -> None:
    used = {
        name
        for file in ("docker-compose.yml", "docker-compose.tls.yml")
        for name in re.findall(r"\$\{(\w+)", (ROOT / file).read_text("utf-8"))
    }
    example = (ROOT / ".env.example").read_text("utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == used


@pytest.mark.parametrize("name", OURS)
def test_command_line_of_each_service_is_understood(name: str, tmp_path: Path) -> None:
    command, *options = SERVICES[name]["command"]
    secrets = make_secrets(tmp_path / "secrets")
    here = [str(_secret(secrets, part)) if part.startswith("/run/secrets/") else part for part in options]
    with main.commands[command].make_context(command, here):
        pass  # click has parsed and checked every option


def _secret(secrets: Path, place: str) -> Path:
    """Return the file that a service finds at /run/secrets/NAME."""
    return secrets / COMPOSE["secrets"][Path(place).name]["file"].removeprefix(SECRETS)


@pytest.mark.parametrize("name", OURS)
def test_environment_of_each_service_is_accepted_as_settings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secrets = make_secrets(tmp_path / "secrets")
    service = SERVICES[name]
    environ = {key: filled(value) for key, value in service.get("environment", {}).items()}
    for variable, value in environ.items():
        if value.startswith("/run/secrets/"):
            assert Path(value).name in service["secrets"]
            environ[variable] = str(_secret(secrets, value))
    settings = load_settings(None, environ)
    assert {key for key in environ if key.startswith("ODECET_")} <= {row.environment for row in describe(Settings)}
    assert settings.mqtt.host == environ.get("ODECET_MQTT__HOST", "127.0.0.1")


def test_environment_of_the_image_is_known() -> None:
    variables = set(re.findall(r"ODECET_\w+", (ROOT / "Dockerfile").read_text("utf-8")))
    assert variables <= {row.environment for row in describe(Settings)}


def test_broker_holds_no_more_in_flight_than_the_ingester_queues() -> None:
    conf = (DEPLOY / "mosquitto/mosquitto.conf").read_text("utf-8")
    most = re.search(r"^max_inflight_messages (\d+)$", conf, re.MULTILINE)
    assert most is not None
    assert int(most[1]) <= Settings().ingest.queue_messages


class Broker:
    """Mosquitto on the compose's files, each at the place that the compose's volumes give it."""

    def __init__(self, folder: Path, port: int, tls_port: int) -> None:
        self.folder, self.port, self.tls_port = folder, port, tls_port
        self.secrets = make_secrets(folder / "secrets")
        for user in ("gateway-1", "gateway-2"):
            (self.secrets / "mqtt" / user).write_text(f"{user}'s password\n", "utf-8")
        self.places = {target: self._place(source) for source, target in mounts(TLS["services"]["mosquitto"])}
        for service in ("passwords", "mosquitto"):
            self.places |= {target: self._place(source) for source, target in mounts(SERVICES[service])}
        self._make_passwd()
        self.server = ServerProcess(
            "mosquitto", [program("mosquitto"), "-c", str(self._conf())], folder=folder, port=port
        )

    def _place(self, source: str) -> Path:
        if source.startswith(SECRETS):
            return self.secrets / source.removeprefix(SECRETS)
        if source.startswith(".") and source != MADE_BY_OPERATOR:
            return ROOT / source
        place = self.folder / Path(source).name
        place.mkdir(exist_ok=True)
        return place

    def here(self, text: str) -> str:
        """Return a text with paths of the container replaced by those of this machine."""
        for target in sorted(self.places, key=len, reverse=True):
            text = text.replace(target, str(self.places[target]))
        return text

    def _make_passwd(self) -> None:
        command = [self.here(part) for part in SERVICES["passwords"]["command"]]
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        environ = {**os.environ, "MOSQUITTO_USER": user}
        subprocess.run(command, check=True, capture_output=True, env=environ)

    def _conf(self) -> Path:
        local = self.folder / "conf.d"
        shutil.copytree(DEPLOY / "mosquitto/conf.d", local)
        self.places["/mosquitto/config/conf.d"] = local
        text = self.here((DEPLOY / "mosquitto/mosquitto.conf").read_text("utf-8"))
        assert text.count("listener 1883\n") == 1
        text = text.replace("listener 1883\n", f"listener {self.port} 127.0.0.1\n")
        conf = self.folder / "mosquitto.conf"
        user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
        conf.write_text(f"user {user}\n{text}", "utf-8")
        return conf

    def add_tls(self) -> Path:
        """Put the encrypted listener where the second compose file puts it; return its certificate."""
        program("openssl")
        certs = self.folder / "certs"
        certificate, key = certs / "server.crt", certs / "server.key"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                *("-keyout", key, "-out", certificate),
            ],
            check=True,
            capture_output=True,
        )
        text = self.here((DEPLOY / "mosquitto/tls.conf").read_text("utf-8"))
        text = text.replace("listener 8883\n", f"listener {self.tls_port} 127.0.0.1\n")
        (self.folder / "conf.d/tls.conf").write_text(text, "utf-8")
        return certificate

    def password(self, user: str) -> str:
        return (self.secrets / "mqtt" / user).read_text("utf-8").strip()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    program("mosquitto")
    program("mosquitto_passwd")
    broker = Broker(tmp_path, free_port(), free_port())
    yield broker
    broker.server.stop()


class Talker:
    """A client that remembers what came, and waits for what it asks."""

    def __init__(self, broker: Broker, user: str | None, *, password: str | None = None, session: str = "") -> None:
        self.came: list[tuple[str, bytes]] = []
        self.code: int | None = None
        self._broker = broker
        self._answered, self._subscribed = threading.Event(), threading.Event()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=session, clean_session=not session, reconnect_on_failure=False
        )
        if user is not None:
            self.client.username_pw_set(user, broker.password(user) if password is None else password)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = lambda _client, _data, message: self.came.append((message.topic, message.payload))

    def _connected(self, _client: object, _data: object, _flags: object, code: ReasonCode, _properties: object) -> None:
        self.code = code.value
        self._answered.set()

    def open(self, *, port: int | None = None) -> Self:
        self.client.connect("127.0.0.1", port or self._broker.port)
        self.client.loop_start()
        assert self._answered.wait(10), "no CONNACK"
        return self

    def subscribe(self, topic: str) -> Self:
        self.client.subscribe(topic, qos=1)
        assert self._subscribed.wait(10), "no SUBACK"
        return self

    def publish(self, topic: str, payload: str) -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()


NOT_AUTHORISED = 135  # paho's name of CONNACK 5 of MQTT 3.1.1


@pytest.mark.server
def test_broker_refuses_who_gives_no_or_a_wrong_password(broker: Broker) -> None:
    broker.server.start()
    for user, password in ((None, None), ("ingest", "guess"), ("stranger", "guess")):
        with Talker(broker, user, password=password) as talker:
            assert talker.code == NOT_AUTHORISED
    with Talker(broker, "ingest") as ingest:
        assert ingest.code == 0


@pytest.mark.server
def test_meter_may_publish_below_its_own_topic_only(broker: Broker) -> None:
    broker.server.start()
    with Talker(broker, "ingest") as ingest, Talker(broker, "gateway-1") as gateway:
        ingest.subscribe("#")
        gateway.publish("odecet/gateway-2/meter", "forged")
        gateway.publish("odecet/gateway-1", "above")
        gateway.publish("elsewhere", "astray")
        gateway.publish("odecet/gateway-1/meter", "own")
        wait_until(lambda: bool(ingest.came), what="the meter's message")
        assert [payload for _, payload in ingest.came] in ([b"own"], [b"above", b"own"])


@pytest.mark.server
def test_meter_reads_nothing_and_ingester_publishes_nothing(broker: Broker) -> None:
    broker.server.start()
    with (
        Talker(broker, "ingest") as ingest,
        Talker(broker, "gateway-1") as first,
        Talker(broker, "gateway-2") as second,
    ):
        ingest.subscribe("#")
        second.subscribe("#")
        ingest.publish("odecet/gateway-1/meter", "forged by the ingester")
        first.publish("odecet/gateway-1/meter", "own")
        wait_until(lambda: bool(ingest.came), what="the meter's message")
        second.publish("odecet/gateway-2/meter", "round trip")
        wait_until(lambda: len(ingest.came) == 2, what="the second message")
        assert [payload for _, payload in ingest.came] == [b"own", b"round trip"]
        assert second.came == []


@pytest.mark.server
@pytest.mark.fault
def test_queued_messages_of_an_absent_ingester_survive_sigkill_of_the_broker(broker: Broker) -> None:
    broker.server.start()
    with Talker(broker, "ingest", session="odecet") as ingest:
        ingest.subscribe("odecet/#")
    before = [str(n) for n in range(1200)]  # above Mosquitto's own limit of 1000
    with Talker(broker, "gateway-1") as gateway:
        for n in before:
            gateway.publish("odecet/gateway-1/meter", n)
    with Talker(broker, "gateway-2"):
        pass  # one more round of the broker: what came in the former is on disk
    broker.server.kill()
    broker.server.start()
    with Talker(broker, "gateway-1") as gateway:
        gateway.publish("odecet/gateway-1/meter", "after")
    with Talker(broker, "ingest", session="odecet") as ingest:
        wait_until(lambda: len(ingest.came) > len(before), what="queued messages")
        assert [payload.decode() for _, payload in ingest.came] == [*before, "after"]


@pytest.mark.server
def test_encrypted_listener_asks_for_the_same_passwords(broker: Broker) -> None:
    certificate = broker.add_tls()
    broker.server.start()
    for user, code in ((None, NOT_AUTHORISED), ("gateway-1", 0)):
        talker = Talker(broker, user)
        talker.client.tls_set(ca_certs=str(certificate), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        talker.open(port=broker.tls_port)
        assert talker.code == code
        talker.close()


@pytest.mark.server
def test_new_gateway_is_let_in_when_passwords_are_made_again(broker: Broker) -> None:
    broker.server.start()
    (broker.secrets / "mqtt/gateway-3").write_text("its password", "utf-8")
    with Talker(broker, "gateway-3") as early:
        assert early.code == NOT_AUTHORISED
    broker._make_passwd()
    broker.server.signal(1)
    wait_until(lambda: _code(broker, "gateway-3") == 0, what="the new password")


def _code(broker: Broker, user: str) -> int | None:
    with Talker(broker, user) as talker:
        return talker.code
