"""The contract of detectors' part of a record store: settings with their history, what was learnt, topics."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.detectors import ENTITY, Learnt, RuleSetting, SettingScope
from core.errors import InputError
from core.notes import AuditEntry
from core.ports import RecordStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTING = RuleSetting(scope=SettingScope.POINT, key="p-1", rule="leak", changed=NOW, by="eva", factor=1.25, why="pool")
WIDE = RuleSetting(scope=SettingScope.EVERYWHERE, key="", rule="gap", changed=NOW, by="eva", enabled=False)


def entry(key: str) -> AuditEntry:
    return AuditEntry(at=NOW, by="eva", entity=ENTITY, key=key, why="", before=None, after={"factor": 1.25})


def test_settings_are_kept_each_once_with_their_history(store: RecordStore) -> None:
    store.set_rules([SETTING, WIDE], [entry(SETTING.id)])
    store.set_rules([replace(SETTING, factor=2.0, answers=("a/1",))], [entry(SETTING.id)])
    assert store.rule_settings() == [WIDE, replace(SETTING, factor=2.0, answers=("a/1",))]
    assert [e.key for e in store.audit(entity=ENTITY)] == [SETTING.id, SETTING.id]
    store.set_rules([], [entry(SETTING.id)], dropping=[SETTING.id, "point/nobody/leak"])
    assert store.rule_settings() == [WIDE]


@pytest.mark.parametrize("factor", [0.4, 4.1, float("nan")])
def test_a_factor_out_of_its_bounds_is_refused(factor: float) -> None:
    with pytest.raises(InputError, match="write one from"):
        replace(SETTING, factor=factor)


def test_a_setting_names_its_place(store: RecordStore) -> None:
    assert store.rule_settings() == []
    with pytest.raises(InputError, match="name the building"):
        replace(SETTING, key="")
    with pytest.raises(InputError, match="name the building"):
        replace(WIDE, key="b-1")


def test_what_was_learnt_is_kept_once_a_point_and_forgotten(store: RecordStore) -> None:
    some = [Learnt(point=f"p-{n}", until=NOW, content=bytes([n, 0, 255])) for n in range(3)]
    store.keep_learnt(some)
    later = replace(some[1], until=NOW + timedelta(days=1), content=b"\x00anew")
    store.keep_learnt([later])
    assert store.learnt() == [some[0], later, some[2]]
    assert store.learnt(["p-1", "nobody"]) == [later]
    store.forget_learnt(["p-0", "nobody"])
    assert [one.point for one in store.learnt()] == ["p-1", "p-2"]


def test_the_last_topic_of_a_device_is_known(store: RecordStore) -> None:
    store.note_topics({"m-1": "odecet/gw/m-1", "žluťoučký/2": "a/b"})
    store.note_topics({"m-1": "odecet/gw-2/m-1"})
    assert store.topics() == {"m-1": "odecet/gw-2/m-1", "žluťoučký/2": "a/b"}
