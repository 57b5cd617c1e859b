"""Examples of what network servers send over HTTP."""

from typing import Any, Final

TAKEN: Final[dict[str, Any]] = {
    "readings": 1,
    "rejected": [{"place": "object", "problem": "codec_error: the codec says: wrong port"}],
    "ignored": "",
}
CHIRPSTACK: Final[dict[str, Any]] = {
    "time": "2026-01-31T23:00:00.123456789+00:00",
    "deviceInfo": {
        "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
        "deviceName": "B01 vodomer",
        "devEui": "24e124136b000042",
    },
    "fPort": 2,
    "data": "AQID",
    "object": {"total_m3": 812.5},
}
THE_THINGS_STACK: Final[dict[str, Any]] = {
    "end_device_ids": {
        "device_id": "b01-vodomer",
        "application_ids": {"application_id": "kraj"},
        "dev_eui": "24E124136B000042",
    },
    "received_at": "2026-01-31T23:00:00.123456789Z",
    "uplink_message": {"f_port": 2, "frm_payload": "AQID", "decoded_payload": {"total_m3": 812.5}},
}
PAYLOAD: Final[dict[str, Any]] = {
    "value": "812.5",
    "raw": "812.5",
    "pre": "812.4",
    "error": "no error",
    "timestamp": "2026-01-31T23:00:00+0000",
}
