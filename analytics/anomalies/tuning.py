"""How much more than usual must show until a rule speaks: a factor by rule, and rules that are off.

1 is the rule as it is documented. What a factor multiplies is said with each rule in docs/detectors.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from analytics.anomalies.finding import Finding, Rule

LEAST, MOST = 0.5, 4.0
"""No rule is made more, or less, sensitive than this."""
STEP: Final = 1.25
"""What an answer of a person changes a factor by."""
FIXED: Final = frozenset({Rule.BREAK})
"""Rules of the curve itself, without a threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Factors of rules (1 where none is named), and the rules that are off."""

    factors: Mapping[Rule, float] = field(default_factory=dict)
    off: frozenset[Rule] = frozenset()

    def of(self, rule: Rule) -> float:
        """Return the factor of a rule."""
        return self.factors.get(rule, 1.0)

    def wanted(self, found: Iterable[Finding]) -> list[Finding]:
        """Return the findings of rules that are on."""
        return [one for one in found if one.rule not in self.off]


USUAL: Final = Tuning()


def after_false_alarm(factor: float) -> float:
    """Return the factor after somebody called a finding a false alarm: a quarter more, up to MOST."""
    return round(min(max(factor * STEP, factor), MOST), 4)


def after_real(factor: float) -> float:
    """Return the factor after a finding was real: a step back towards 1 where it stood above, else as it is.

    A rule that was right at its usual threshold is not made more sensitive: that would cry wolf elsewhere.
    """
    return round(max(factor / STEP, 1.0), 4) if factor > 1.0 else factor
