import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from simulators.publish import Broker, MqttPublisher, publish_all
from simulators.replay import ReplayOptions, load_replay, replay_messages
from tests.servers.mosquitto import mosquitto
from tests.servers.process import wait_until

pytestmark = pytest.mark.server
SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "cambridge_gas_hourly_kwh.parquet"


def test_real_gas_arrives_over_mqtt_with_the_sums_of_the_source(tmp_path: Path) -> None:
    if not SOURCE.exists():
        pytest.skip(f"{SOURCE.name} is not here")
    options = ReplayOptions(what="amounts", unit="kWh", meters=("b25", "b35", "b41"))
    replay = load_replay(SOURCE, options)
    dials: dict[str, dict[str, float]] = {}
    server = mosquitto(tmp_path)
    server.start()
    client = Client(CallbackAPIVersion.VERSION2, client_id="reader", clean_session=False)

    def take(_client: object, _data: object, message: object) -> None:
        for reading in json.loads(message.payload)["readings"]:  # type: ignore[attr-defined]
            dials.setdefault(reading["meter"], {})[reading["at"]] = reading["value"]

    client.on_message = take
    try:
        client.connect("127.0.0.1", server.port)
        client.loop_start()
        client.subscribe("odecet/batch", qos=1)
        with MqttPublisher(Broker(port=server.port)) as publisher:
            done = publish_all(publisher, replay_messages(replay))
        wait_until(lambda: sum(map(len, dials.values())) >= len(replay), what="all readings", seconds=60)
    finally:
        client.disconnect()
        client.loop_stop()
        server.stop()
    assert done.readings == len(replay)
    table = pq.read_table(SOURCE)
    for meter, read in dials.items():
        values = [read[at] for at in sorted(read)]
        source = float(np.nansum(table[meter].to_numpy().astype(np.float64)))
        assert values[-1] - values[0] == pytest.approx(source, rel=1e-12)
        assert min(np.diff(values)) >= 0
