"""Keep-alives of profiles: what their files say is to be published, as rules."""

from collections.abc import Iterable

from core.errors import ConfigError
from ingest.keepalive import KeepAliveRule
from ingest.profile import Profile
from ingest.profiles.engine import TomlProfile
from ingest.profiles.spec import PublishSpec


def rules_of(profiles: Iterable[Profile]) -> list[KeepAliveRule]:
    """Return the rules that profiles in TOML have; raise ConfigError where one names no capture of its topics."""
    return [
        rule
        for profile in profiles
        if isinstance(profile, TomlProfile)
        for number, publish in enumerate(profile.source.spec.publish)
        for rule in _rules(profile, number, publish)
    ]


def _rules(profile: TomlProfile, number: int, publish: PublishSpec) -> list[KeepAliveRule]:
    rules, why = [], "the profile has no topics"
    for topic in profile.source.spec.match.topics:
        try:
            rules.append(_rule(topic, publish))
        except ConfigError as err:
            why = str(err)
    if not rules:
        raise ConfigError(f"profile {profile.name}: publish[{number}]: {why}")
    return rules


def _rule(topic: str, publish: PublishSpec) -> KeepAliveRule:
    return KeepAliveRule(heard=topic, topic=publish.topic, payload=publish.payload.encode(), every_s=publish.every_s)
