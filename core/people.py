"""People and programs: who they are, what they may do, and whose buildings they see.

A person has roles, and each role reaches the whole region, or the organisations and buildings that it names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from core.codes import check_id, check_text
from core.errors import InputError


class Role(StrEnum):
    """What somebody is to Odečet."""

    ADMINISTRATOR = "administrator"
    ENERGY_MANAGER = "energy_manager"
    FACILITY_STAFF = "facility_staff"
    COORDINATOR = "coordinator"
    GUARANTOR = "guarantor"
    TESTER = "tester"
    PUBLIC = "public"


class Right(StrEnum):
    """What somebody may do."""

    PUBLISHED = "see_published"  # the public page, published indicators, open data
    SEE = "see"  # buildings, consumption, alerts, measures of one's scope
    ALERTS = "act_on_alerts"  # acknowledge, assign, resolve
    READINGS = "enter_readings"  # hand readings, meter swaps, answers to questions
    REGISTER = "change_register"  # buildings, points, meters, measures, imports, formats, stations
    SEE_PAPERS = "see_documents"  # documents and notes of buildings; never of strangers, even where looking is open
    PAPERS = "keep_documents"  # add documents and notes, correct and withdraw one's own
    INDICATORS = "see_indicators"
    DELIVER = "deliver_values"  # values and texts of one's own areas
    PUBLISH = "check_and_publish"  # check, publish, edit the plan
    SIMULATE = "simulate"
    INGEST = "send_readings"  # programs: payloads, webhooks
    ADMINISTER = "administer"  # people, keys, factors, tariffs, settings, audit


RIGHTS: Final[dict[Role, frozenset[Right]]] = {
    Role.ADMINISTRATOR: frozenset(Right),
    Role.ENERGY_MANAGER: frozenset({
        Right.PUBLISHED, Right.SEE, Right.ALERTS, Right.READINGS, Right.REGISTER, Right.INDICATORS,
        Right.SEE_PAPERS, Right.PAPERS,
    }),
    Role.FACILITY_STAFF: frozenset({
        Right.PUBLISHED, Right.SEE, Right.ALERTS, Right.READINGS, Right.SEE_PAPERS, Right.PAPERS,
    }),
    Role.COORDINATOR: frozenset({
        Right.PUBLISHED, Right.SEE, Right.INDICATORS, Right.DELIVER, Right.PUBLISH, Right.SEE_PAPERS,
    }),
    Role.GUARANTOR: frozenset({Right.PUBLISHED, Right.INDICATORS, Right.DELIVER}),
    Role.TESTER: frozenset({Right.PUBLISHED, Right.SEE, Right.SIMULATE, Right.INGEST, Right.SEE_PAPERS}),
    Role.PUBLIC: frozenset({Right.PUBLISHED}),
}  # fmt: skip
"""What each role may do; the table of the documentation is made from it."""

LOOKING: Final = frozenset({Right.PUBLISHED, Right.SEE, Right.INDICATORS})
"""Rights that change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role within a scope: these organisations and buildings, none of both meaning the whole region.

    `areas` are the areas of the plan that a guarantor delivers for.
    """

    role: Role
    organisations: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether it reaches the whole region."""
        return not (self.organisations or self.buildings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who logs in, with a password (its argon2 hash) or by an identity provider (`subject`)."""

    id: str
    name: str
    mail: str = ""
    grants: tuple[Grant, ...] = ()
    subject: str = ""
    active: bool = True

    def __post_init__(self) -> None:
        check_id("person", self.id)
        check_text(f"name of person {self.id}", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A program's key: `digest` is the SHA-256 of its secret, which is shown once and kept nowhere."""

    id: str
    name: str
    digest: str
    grants: tuple[Grant, ...]
    made_by: str
    made_at: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def __post_init__(self) -> None:
        check_id("key", self.id)
        if self.expires is not None and self.expires <= self.made_at:
            raise InputError(f"key {self.id} expires before it is made", remedy="write a later instant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a caller may do and see, as every route is handed it; `name` stands in the audit.

    `only` are the rights that grants are cut to (None: all that their roles have). Without a name it is nobody known.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    only: frozenset[Right] | None = None

    @classmethod
    def whole(cls, name: str) -> "Access":
        """Return what an administrator, and whoever there is where nobody was named yet, may do."""
        return cls(name=name, grants=(Grant(role=Role.ADMINISTRATOR),))

    @classmethod
    def looking(cls) -> "Access":
        """Return what everybody may do where looking is open to all."""
        return cls(name="", grants=(Grant(role=Role.ADMINISTRATOR),), only=LOOKING)

    @classmethod
    def public(cls) -> "Access":
        """Return what somebody unknown may do."""
        return cls(name="", grants=(Grant(role=Role.PUBLIC),))

    def may(self, right: Right, *, organisation: str = "", building: str = "") -> bool:
        """Return whether a right reaches a building of an organisation; neither named: whether it is had at all."""
        return any(_reaches(grant, organisation, building) for grant in self._with(right))

    def everywhere(self, right: Right) -> bool:
        """Return whether a right reaches the whole region."""
        return any(grant.everywhere for grant in self._with(right))

    def delivers(self, area: str) -> bool:
        """Return whether values of an area of the plan may be delivered."""
        return any(not grant.areas or area in grant.areas for grant in self._with(Right.DELIVER))

    def _with(self, right: Right) -> Iterable[Grant]:
        if self.only is not None and right not in self.only:
            return ()
        return (grant for grant in self.grants if right in RIGHTS[grant.role])


def _reaches(grant: Grant, organisation: str, building: str) -> bool:
    if grant.everywhere or not (organisation or building):
        return True
    return organisation in grant.organisations or building in grant.buildings
