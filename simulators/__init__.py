"""Meters that do not exist: loads, faults, ground truth, replay, publishing over MQTT."""
