"""Bytes in, readings out: MQTT, payload profiles, decoding, acceptance, pipeline."""
