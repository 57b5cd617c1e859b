"""Abbreviated words of Home Assistant's discovery, as far as they concern what Odečet reads."""

from typing import Any, Final

ABBREVIATED: Final = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "en": "enabled_by_default",
    "ent_cat": "entity_category",
    "exp_aft": "expire_after",
    "json_attr_t": "json_attributes_topic",
    "lrst_t": "last_reset_topic",
    "lrst_val_tpl": "last_reset_value_template",
    "obj_id": "object_id",
    "def_ent_id": "default_entity_id",
    "o": "origin",
    "p": "platform",
    "stat_cla": "state_class",
    "stat_t": "state_topic",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
    # of a device
    "cns": "connections",
    "hw": "hw_version",
    "ids": "identifiers",
    "mdl": "model",
    "mf": "manufacturer",
    "sn": "serial_number",
    "sw": "sw_version",
}


def in_full(config: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its words in full; a word in full goes before its abbreviation."""
    found = {ABBREVIATED[key]: value for key, value in config.items() if key in ABBREVIATED}
    return found | {key: value for key, value in config.items() if key not in ABBREVIATED}
