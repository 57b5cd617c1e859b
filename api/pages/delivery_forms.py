"""What a guarantor writes into the form of a delivery: texts, values with comments, files; read and given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import FormData, UploadFile

from api.pages.forms import number_of
from core.deliveries import ACTIVITY_TEXT, Delivery, HandValue, Text
from core.errors import InputError
from core.indicators import Amount
from core.plan import Indicator, ReportKind
from services.deliveries import AreaPlan

FIELDS: Final[Mapping[ReportKind, tuple[Text, ...]]] = {
    ReportKind.ANNUAL: (Text.REALISED, Text.FULFILMENT, Text.EVALUATION),
    ReportKind.MID_YEAR: (Text.STATE_OF_WORK, Text.TRENDS, Text.COMMUNICATION, Text.PARTNERSHIP),
    ReportKind.CLOSING: (Text.REALISED, Text.FULFILMENT, Text.EVALUATION),
}
"""The texts that a report's form asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What stands in the form as texts; `troubles` tell what is wrong with an indicator's numbers."""

    texts: Mapping[str, str]
    numbers: Mapping[str, str]
    comments: Mapping[str, str]
    troubles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, delivery: Delivery) -> "Written":
        """Return the form of a delivery as it is stored."""
        return cls(
            texts=dict(delivery.texts),
            numbers={
                f"{value.indicator}:{amount.figure}": f"{amount.value:.12g}".replace(".", ",")
                for value in delivery.values
                for amount in value.amounts
                if amount.value is not None
            },
            comments={value.indicator: value.comment for value in delivery.values},
        )


def written(form: FormData) -> Written:
    """Return what was written into the form."""
    said = {name: value.strip() for name, value in form.multi_items() if isinstance(value, str)}
    return Written(texts=_below(said, "text:"), numbers=_below(said, "number:"), comments=_below(said, "comment:"))


def _below(said: Mapping[str, str], head: str) -> dict[str, str]:
    return {name.removeprefix(head): text for name, text in said.items() if name.startswith(head)}


def texts_of(form: Written, plan: AreaPlan, kind: ReportKind) -> dict[str, str]:
    """Return the texts of an area's form; fields that it does not have are left alone."""
    keys = [*FIELDS[kind], *(f"{ACTIVITY_TEXT}{one.id}" for one in plan.activities)]
    return {key: form.texts[key] for key in keys if key in form.texts}


def values_of(form: Written, plan: AreaPlan) -> tuple[list[HandValue], dict[str, str]]:
    """Return the values of the form, and by indicator what is wrong with those that cannot be read."""
    values, troubles = [], {}
    for indicator in plan.by_hand:
        try:
            value = _value(form, indicator)
        except InputError as err:
            troubles[indicator.id] = err.place or indicator.figures[0].key
            continue
        if value is not None:
            values.append(value)
    return values, troubles


def _value(form: Written, indicator: Indicator) -> HandValue | None:
    """Return an indicator's value, None where nothing was written of it; a figure that lacks needs the comment."""
    comment = form.comments.get(indicator.id, "")
    amounts = {
        one.key: number_of(form.numbers.get(f"{indicator.id}:{one.key}", ""), place=one.key)
        for one in indicator.figures
    }
    given = {key: number for key, number in amounts.items() if number is not None}
    if not given and not comment:
        return None
    kept = amounts if comment else given
    return HandValue(
        indicator=indicator.id,
        amounts=tuple(Amount(figure=key, value=number) for key, number in kept.items()),
        comment=comment,
    )


def files_of(form: FormData) -> list[tuple[str, UploadFile]]:
    """Return the files that were chosen, each with the indicator that it is evidence of."""
    return [
        (name.removeprefix("file:"), one)
        for name, one in form.multi_items()
        if name.startswith("file:") and isinstance(one, UploadFile) and one.filename
    ]
