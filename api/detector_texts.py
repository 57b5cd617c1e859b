"""What people read of rules: what each looks for, and what its threshold is, in Czech and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analytics.anomalies.finding import Rule

Both = tuple[str, str]
"""A text in Czech and in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A rule in words: what it looks for, and what its threshold (times the factor) is."""

    looks_for: Both
    threshold: Both


NONE: Final[Both] = ("Práh nemá: jen se zapíná a vypíná.", "It has no threshold: it is switched on or off.")
RULES: Final[Mapping[Rule, Told]] = {
    Rule.LEAK: Told(
        looks_for=(
            "Průtok, pod který neklesne žádná hodina, ač v noci klesával.",
            "A flow below which no hour falls, though nights used to.",
        ),
        threshold=(
            "Váha klidných hodin za sebou: 10, tedy tři hodiny, jaké nikdy nebyly, nebo noc vzácných.",
            "Weight of quiet hours in a row: 10, which is three hours that never were so, or a night of rare ones.",
        ),
    ),
    Rule.NEVER_ZERO: Told(
        looks_for=(
            "Odběr bez přestávky na místě, které přestávky mívá.",
            "Flow without a pause at a point that used to have them.",
        ),
        threshold=("48 hodin bez přestávky.", "48 hours without a pause."),
    ),
    Rule.BURST: Told(
        looks_for=("Dvě hodiny, v nichž teče víc než kdy dřív.", "Two hours in which more flows than ever."),
        threshold=(
            "O 20 % víc než největší hodina za 300 dní.",
            "20 % more than the largest hour of 300 days.",
        ),
    ),
    Rule.DEAD: Told(
        looks_for=("Z měřidla nic nechodí.", "Nothing comes from the meter."),
        threshold=(
            "Dva obvyklé odstupy odečtů a 45 minut, nebo o čtvrtinu víc než třetí nejdelší mlčení za 60 dní.",
            "Two usual distances of readings and 45 minutes, or a quarter over the third longest silence of 60 days.",
        ),
    ),
    Rule.GAP: Told(
        looks_for=("Chvíli nic nechodilo, už zase chodí.", "For a while nothing came; it does again."),
        threshold=("Jako u mlčení měřidla.", "As of a silent meter."),
    ),
    Rule.STUCK: Told(
        looks_for=(
            "Číselník stojí, nebo se hodnota opakuje, když to nikdy nebývalo.",
            "The dial stands, or a value repeats, when it never did.",
        ),
        threshold=(
            "Váha takových odečtů za sebou: 12, a aspoň hodina.",
            "Weight of such readings in a row: 12, and an hour at least.",
        ),
    ),
    Rule.ZEROED: Told(
        looks_for=("Samé nuly tam, kde nikdy nebyly.", "Zeros where there never were any."),
        threshold=("Váha nul za sebou: 12.", "Weight of zeros in a row: 12."),
    ),
    Rule.CLIPPED: Told(
        looks_for=("Hodnoty jsou shora oříznuté.", "Values are cut off at the top."),
        threshold=("Třikrát za sebou táž nejvyšší hodnota.", "The very same highest value three times in a row."),
    ),
    Rule.SPIKE: Told(
        looks_for=("Nesmyslné hodnoty, které hned zmizí.", "Impossible values that are gone at once."),
        threshold=(
            "Pětinásobek třetí nejvyšší denní špičky za 60 dní (u číselníků nemá práh).",
            "Five times the third highest daily peak of 60 days (of dials it has none).",
        ),
    ),
    Rule.BREAK: Told(
        looks_for=(
            "Číselník klesl nebo skočil a nikdo to nezapsal.",
            "The dial fell or jumped and nobody recorded it.",
        ),
        threshold=NONE,
    ),
    Rule.REVERSED: Told(
        looks_for=("Číselník běží zpět.", "The dial runs backwards."),
        threshold=("Tři poklesy bez vzestupu mezi nimi.", "Three falls without a rise between them."),
    ),
    Rule.SWAPPED: Told(
        looks_for=("Odběr a dodávka jsou prohozené.", "Import and export are exchanged."),
        threshold=(
            "Tři noci, kdy roste dodávka, a ne odběr.",
            "Three nights in which export grows and import does not.",
        ),
    ),
    Rule.CAPACITY: Told(
        looks_for=("Čtvrthodina nad rezervovanou kapacitou.", "A quarter-hour above the reserved capacity."),
        threshold=("Rezervovaná kapacita měsíce.", "The month's reserved capacity."),
    ),
    Rule.CAPACITY_PROJECTED: Told(
        looks_for=(
            "Běžící čtvrthodina rezervovanou kapacitu překročí.",
            "The running quarter-hour is going to exceed the reserved capacity.",
        ),
        threshold=(
            "Rezervovaná kapacita měsíce, s vlastní chybou předpovědi místa.",
            "The month's reserved capacity, with the point's own error of what is foretold.",
        ),
    ),
    Rule.BASE_LOAD: Told(
        looks_for=("Vzrostlo, co běží nepřetržitě.", "What never rests has risen."),
        threshold=(
            "O 20 % víc než za osm týdnů a v téže době loni, šest dní ze sedmi.",
            "20 % above eight weeks and the season a year ago, on six days of seven.",
        ),
    ),
    Rule.WEEKEND: Told(
        looks_for=("Víkend spotřeboval víc, než víkendy spotřebují.", "A weekend used more than weekends do."),
        threshold=("O 15 % víc než posledních dvanáct takových dní.", "15 % more than the last twelve such days."),
    ),
    Rule.HOLIDAY: Told(
        looks_for=("Svátek proběhl jako pracovní den.", "A holiday was run like a workday."),
        threshold=("95 % pracovního dne.", "95 % of a workday."),
    ),
    Rule.DEVIATION: Told(
        looks_for=("Spotřeba se liší od očekávané počasím a kalendářem.", "Consumption is not as the model expects."),
        threshold=(
            "Týden o 20 % nad, nebo dva týdny o 30 % pod, a dál než kdy za 300 dní.",
            "A week 20 % above, or two weeks 30 % below, and further than ever in 300 days.",
        ),
    ),
    Rule.DRIFT: Told(
        looks_for=("Spotřeba se od očekávané pomalu vzdaluje.", "Consumption slowly moves away from the expected."),
        threshold=("Osm týdnů o 15 % nad, nebo o 30 % pod.", "Eight weeks 15 % above, or 30 % below."),
    ),
    Rule.WARM_HEATING: Told(
        looks_for=("Topí se, ač je venku teplo.", "Heat is drawn though it is warm outside."),
        threshold=(
            "Tři dny nad 16 °C s pětinou chladného dne navíc.",
            "Three days above 16 °C with a fifth of a cold day more.",
        ),
    ),
    Rule.PV_LOW: Told(
        looks_for=("Fotovoltaika dává méně, než slunce dovoluje.", "A plant gives less than the sun lets expect."),
        threshold=("Chybí 40 % po tři slunečné dny.", "40 % lack on three sunny days."),
    ),
}


def looks_for(rule: Rule, language: str) -> str:
    """Return what a rule looks for."""
    return _in(RULES[rule].looks_for, language)


def threshold(rule: Rule, language: str) -> str:
    """Return what a rule's threshold is, which the factor multiplies."""
    return _in(RULES[rule].threshold, language)


def _in(text: Both, language: str) -> str:
    return text[0] if language == "cs" else text[1]
