"""What profiles in files say is to be published."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ConfigError
from ingest.keepalive import KeepAlive, Publication
from ingest.keepalive_rules import rules_of
from ingest.message import Message
from ingest.native import NativeProfile
from ingest.profiles.catalog import catalog
from ingest.profiles.engine import TomlProfile
from ingest.profiles.load import Source, parse

NOTHING: Mapping[str, Source] = {}

TEXT = """
name = "boxes"
[match]
topics = ["other/{x}", "box/{id}/{path...}"]
[[publish]]
topic = "box/{id}/wake"
payload = "go"
every_s = 10
[[rows]]
meter = "{$topic.id}"
[[rows.readings]]
path = "value"
unit = "kWh"
"""


def profile(text: str) -> TomlProfile:
    return TomlProfile(parse(text, path=Path("boxes.toml")), NOTHING, site="Europe/Prague")


def test_what_a_profile_publishes_goes_to_each_source_that_it_reads() -> None:
    keep = KeepAlive(rules_of([NativeProfile(), profile(TEXT)]))
    keep.hear([Message(topic=topic, payload=b"{}", received=0) for topic in ("box/7/a/b", "box/8/a", "other/9")])
    assert keep.due(0) == [Publication("box/7/wake", b"go"), Publication("box/8/wake", b"go")]


def test_a_topic_that_names_no_capture_is_told_with_its_profile() -> None:
    with pytest.raises(ConfigError, match=r"profile boxes: publish\[0\]: keep-alive 'box/\{who\}/wake'"):
        rules_of([profile(TEXT.replace("box/{id}/wake", "box/{who}/wake"))])


def test_rules_that_are_gone_are_not_spoken_by_and_those_that_stay_forget_nobody() -> None:
    rules = rules_of([profile(TEXT)])
    keep = KeepAlive(rules)
    keep.hear([Message(topic="box/7/a", payload=b"{}", received=0)])
    keep.use(rules)
    assert len(keep.due(0)) == 1
    keep.use([])
    assert keep.due(60_000_000) == []


def test_the_bundled_profiles_publish_what_their_sources_need() -> None:
    keep = KeepAlive(rules_of(catalog(None, site="Europe/Prague").profiles))
    keep.hear([Message(topic="N/c0619ab9929a/system/0/Serial", payload=b"{}", received=0)])
    assert [p.topic for p in keep.due(0)] == ["R/c0619ab9929a/keepalive"]
    assert len(keep.due(59_000_000)) == 1
