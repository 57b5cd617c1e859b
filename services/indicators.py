"""Values of indicators: computed by the method that an indicator names, or as its guarantor entered them."""

from collections.abc import Sequence
from datetime import date, datetime

from core.errors import InputError
from core.indicators import Amount, Scope, Value, ValueStatus
from core.plan import Indicator
from services.indicator_basis import Basis
from services.indicator_inputs import AlertReader, HandValue, HandValues, Heard, Inputs, NoHandValues, StationReader
from services.indicator_made import Case, because, value_of
from services.indicator_methods import HAND, check, method_of

__all__ = [
    "AlertReader", "Evaluation", "HandValue", "HandValues", "Heard", "Inputs", "NoHandValues", "StationReader",
    "check", "evaluate",
]  # fmt: skip


class Evaluation:
    """Computes values from one set of inputs; what several values, scopes or spans share is asked once."""

    def __init__(self, inputs: Inputs, now: datetime) -> None:
        self.basis = Basis(inputs)
        self._now = now

    def values(self, indicators: Sequence[Indicator], scope: Scope, first: date, end: date) -> list[Value]:
        """Return the values of indicators in their order, of the days [first, end) and a scope.

        Raise InputError for a span that ends before it begins and for a method that is not known, NotFound for a scope
        that is not in the register.
        """
        if end <= first:
            raise InputError(f"the span ends on {end}, before or as it begins", remedy="write an end after its begin")
        self.basis.buildings_of(scope)
        return [self.value(one, scope, first, end) for one in indicators]

    def value(self, indicator: Indicator, scope: Scope, first: date, end: date) -> Value:
        """Return the value of one indicator."""
        case = Case(indicator=indicator, scope=scope, first=first, end=end, basis=self.basis)
        if indicator.by_hand:
            return self._entered(case)
        method = method_of(indicator)
        return value_of(case, method, method.compute(case), self._now)

    def _entered(self, case: Case) -> Value:
        """Return what the guarantor entered, unknown where nobody entered anything."""
        inputs, figures = self.basis.inputs, case.indicator.figures
        given = inputs.hand.value(case.indicator.id, case.scope, case.first, case.end)
        held = {} if given is None else {a.figure: a for a in given.amounts}
        amounts = tuple(held.get(f.key, Amount(figure=f.key, value=None)) for f in figures)
        final = given is not None and given.final
        known = ValueStatus.FINAL if final else ValueStatus.PROVISIONAL
        return Value(
            indicator=case.indicator.id,
            scope=case.scope,
            first=case.first,
            end=case.end,
            amounts=amounts,
            status=ValueStatus.UNKNOWN if amounts[0].value is None else known,
            method=HAND,
            version=1,
            cutoff=inputs.cutoff,
            register=inputs.version,
            computed_at=self._now,
            reasons=(because("not_delivered"),) if amounts[0].value is None else (),
            note="" if given is None else given.comment,
        )


def evaluate(  # noqa: PLR0917 - the parts of one question
    indicators: Sequence[Indicator], scope: Scope, first: date, end: date, inputs: Inputs, now: datetime
) -> list[Value]:
    """Return the values of indicators in their order, of the days [first, end) and a scope, computed `now`.

    A pure function of the ports of `inputs`: asked again with ports that answer as of the same cut-off and register,
    the values come out the same. Raise as `Evaluation.values` does.
    """
    return Evaluation(inputs, now).values(indicators, scope, first, end)
