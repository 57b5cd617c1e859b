"""The way through the site: a few questions at the top, and below each what belongs to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from api.doors import Door
from api.texts import N_
from core.people import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page that the navigation leads to: `counted` names what waits there, `also` are addresses below it."""

    path: str
    name: str
    counted: str = ""
    also: tuple[str, ...] = ()

    def nearness(self, path: str) -> int:
        """Return how closely this entry leads to an address: the length of what they share, 0 for nothing."""
        fits = [p for p in (self.path, *self.also) if path == p or (p != "/" and path.startswith(f"{p}/"))]
        return max(map(len, fits), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An entry of the top with the pages that belong to it; it leads to the first of them."""

    name: str
    entries: tuple[Entry, ...]


PUBLIC: Final = "/verejne"
GROUPS: Final = (
    Group(name=N_("Overview"), entries=(Entry(path="/", name=N_("Overview")),)),
    Group(
        name=N_("Buildings"),
        entries=(
            Entry(path="/buildings", name=N_("Buildings"), also=("/points",)),
            Entry(path="/benchmarks", name=N_("Comparison")),
            Entry(path="/emissions", name=N_("Emissions")),
            Entry(path="/costs", name=N_("Costs"), also=("/demand",)),
            Entry(path="/documents", name=N_("Documents")),
            Entry(path="/notes", name=N_("Notes")),
        ),
    ),
    Group(
        name=N_("Alerts"),
        entries=(
            Entry(path="/alerts", name=N_("Alerts"), also=("/alert",)),
            Entry(path="/backtest", name=N_("Tried on history")),
            Entry(path="/alert-routing", name=N_("Who is told")),
            Entry(path="/alert-windows", name=N_("Announced works")),
        ),
    ),
    Group(name=N_("Measures"), entries=(Entry(path="/measures", name=N_("Measures")),)),
    Group(
        name=N_("Indicators"),
        entries=(
            Entry(path="/indicators", name=N_("Indicators")),
            Entry(path="/deliveries", name=N_("Deliveries")),
            Entry(path="/publications", name=N_("Publications")),
            Entry(path="/plan", name=N_("Action plan")),
        ),
    ),
    Group(
        name=N_("Meters"),
        entries=(
            Entry(path="/meters", name=N_("Meters")),
            Entry(path="/gaps", name=N_("Gaps")),
            Entry(path="/findings", name=N_("Questions"), counted="findings"),
            Entry(path="/inbox", name=N_("Unassigned"), counted="inbox"),
            Entry(path="/letters", name=N_("Dead letters"), counted="letters"),
            Entry(path="/formats", name=N_("Formats")),
            Entry(path="/imports", name=N_("Imports")),
            Entry(path="/import", name=N_("Register")),
            Entry(path="/stations", name=N_("Weather")),
        ),
    ),
    Group(
        name=N_("Settings"),
        entries=(
            Entry(path="/settings", name=N_("Settings")),
            Entry(path="/people", name=N_("People")),
            Entry(path="/keys", name=N_("Keys")),
            Entry(path="/audit", name=N_("Audit")),
            Entry(path="/settings/tables", name=N_("Tables of dated values")),
            Entry(path="/settings/system", name=N_("Operation")),
            Entry(path="/simulators", name=N_("Simulators")),
        ),
    ),
)
"""All that there may be; an entry without a page is not shown, so pages may come and go by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as shown; `here`: it leads to where one is."""

    path: str
    name: str
    count: int
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The navigation of a page: where one begins, the top, the section that one is in (none where it is one page)."""

    home: str
    top: tuple[Link, ...]
    section: tuple[Link, ...]
    section_name: str


def home(request: Request, access: Access) -> str:
    """Return where somebody begins: the first page that they may open, of the public ones where there is none."""
    pages: Mapping[str, Door] = request.app.state.pages
    entries = (entry.path for group in GROUPS for entry in group.entries)
    return next((path for path in entries if path in pages and pages[path].opens(access)), PUBLIC)


def way(request: Request, access: Access, counts: Mapping[str, int]) -> Way:
    """Return the navigation as it is shown at a request's address: the pages that somebody may open."""
    pages: Mapping[str, Door] = request.app.state.pages
    shown = [(g, [e for e in g.entries if e.path in pages and pages[e.path].opens(access)]) for g in GROUPS]
    shown = [(group, entries) for group, entries in shown if entries]
    path = request.url.path
    entries = [e for _, members in shown for e in members]
    here = max(entries, key=lambda e: e.nearness(path), default=None)
    here = here if here is not None and here.nearness(path) else None
    top = tuple(
        Link(path=members[0].path, name=group.name, count=_waiting(members, counts), here=here in members)
        for group, members in shown
    )
    group, members = next(((g, m) for g, m in shown if here in m), (None, []))
    links = tuple(Link(path=e.path, name=e.name, count=counts.get(e.counted, 0), here=e is here) for e in members)
    return Way(
        home=home(request, access),
        top=top,
        section=links if len(links) > 1 else (),
        section_name=group.name if group else "",
    )


def _waiting(entries: Iterable[Entry], counts: Mapping[str, int]) -> int:
    return sum(counts.get(e.counted, 0) for e in entries)
