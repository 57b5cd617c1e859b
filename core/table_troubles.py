"""What can be wrong with, or worth knowing of, a table of readings: each with its remedy, in words to be translated.

The English texts stand here; a page shows them in its language. Names in %(...)s are filled in from the place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Trouble(Enum):
    """A kind of trouble: the problem and what to do."""

    # The table and what its columns mean
    NOTHING_TO_READ = ("there are no rows to read", "choose the sheet with the readings, or another file")
    COLUMN_LACKING = ("there is no column %(value)s", "choose one of the columns of this table")
    SUBJECT_COLUMN = (
        "no column names the meter or metering point",
        "choose the column, or write the point of the whole table",
    )
    TIME_COLUMN = ("no column tells the date or time", "choose the column")
    VALUE_COLUMN = ("no column holds the values", "choose the columns")
    UNIT_UNSTATED = ("no unit is stated", "write it into the heading, such as Spotřeba [kWh], or choose it")
    UNIT_UNKNOWN = ("unit %(value)s is not known", "write one such as kWh, MWh, GJ, m³")
    KIND_UNSURE = (
        "it cannot be told whether the values are dial readings, amounts or mean power",
        "choose what they are",
    )
    STAMP_UNSURE = (
        "it cannot be told whether a time is the begin or the end of its period",
        "choose begin or end",
    )
    STEP_UNSURE = (
        "it cannot be told how long the periods are: the times stand %(value)s apart",
        "give a table with one distance of 5, 15, 30 or 60 minutes, a day or a month, or columns from and to",
    )
    ORDER_UNSURE = (
        "it cannot be told whether %(value)s is day/month or month/day",
        "choose the order of day and month",
    )
    MARK_UNSURE = (
        "it cannot be told whether the mark in %(value)s parts thousands or decimals",
        "choose the decimal mark",
    )
    POWER_UNIT = ("%(value)s is a power, not an amount", "say that the values are mean power, or correct the unit")
    NO_POWER_UNIT = ("%(value)s is no power", "say that the values are amounts, or correct the unit")
    QUANTITY = ("%(value)s is neither energy nor a volume", "choose a unit such as kWh, MWh, GJ, m³, or kW")
    STATUS_UNKNOWN = ("status %(value)s is not known", "say what it means: good, suspect, or leave out")
    # Cells
    SHEET_ERROR = ("the cell shows the error %(value)s", "correct the formula")
    NO_NUMBER = ("%(value)s is no number", "write a number such as 1234,5")
    NO_HEADING = ("the value %(value)s stands under no heading", "name the column, or remove the value")
    TIME_EMPTY = ("the date is missing", "write it as 31.01.2026 or 31.01.2026 14:30")
    NO_TIME = ("%(value)s is no date or time", "write it as 31.01.2026 or 31.01.2026 14:30")
    TIME_SKIPPED = ("%(value)s did not exist: clocks went forward", "correct the time, or the zone of the table")
    REVERSED = ("the period ends before it begins", "correct from and to")
    VALUE_BOUND = ("%(value)s is more than any dial shows", "correct the value or its unit")
    TIME_BOUND = (
        "%(value)s lies before the year 2000 or in the future",
        "correct the date",
    )
    NEGATIVE = ("%(value)s is below zero", "correct the value; a credit note stands in a table of invoices")
    TWICE = (
        "%(subject)s has another value for the same time in row %(other)s",
        "keep one of them",
    )
    # Whose reading it is
    SUBJECT_EMPTY = ("no meter and no point is named", "write the point, EAN, EIC, serial number or device")
    SUBJECT_UNKNOWN = (
        "%(value)s is no point, EAN, EIC, meter, serial number or device of the register",
        "correct it, add it to the register, or let unknown devices wait in the inbox",
    )
    CODE_UNKNOWN = (
        "no point of the register has the code %(value)s",
        "write the code at its point, or correct it here",
    )
    CODE_CUT = (
        "the code %(value)s has lost digits in a spreadsheet",
        "format the column as text and write the code again",
    )
    SUBJECT_SEVERAL = ("%(value)s names several: %(others)s", "write the id of one of them")
    POINT_COMPUTED = ("point %(value)s is computed from others", "write the readings of a measured point")
    NOT_MOUNTED = (
        "no meter was mounted on point %(value)s on %(at)s",
        "correct the date, or record when its meter was mounted",
    )
    REGISTER_UNKNOWN = (
        "register %(value)s is not known",
        "write VT, NT, odběr, dodávka, or one such as energy.import",
    )
    WRONG_QUANTITY = ("%(value)s does not count %(commodity)s", "correct the unit or the point")
    MULTIPLIER = (
        "meter %(value)s multiplies its dial by %(multiplier)s, and amounts are multiplied already",
        "write the point instead of the meter",
    )
    OTHER_KIND = (
        "a reading of another kind stands at that time in %(value)s",
        "import the amounts under the point, or correct the times",
    )
    COUNTING = (
        "%(value)s would count from now on instead of %(former)s, which has readings",
        "state register %(former)s, or set the register that counts at the meter",
    )
    # Invoices
    CREDIT_ALONE = (
        "the credit note belongs to no invoice of the same period",
        "import it with its invoice, or correct the period",
    )
    CREDIT_SIGN = ("a credit note with an amount above zero", "write it with a minus, or call it an invoice")
    INVOICE_TWICE = (
        "an invoice of the same period stands in row %(other)s",
        "keep one, or say which is a credit note or a correction",
    )
    INVOICE_OTHER = (
        "invoice %(other)s of the same period is stored already",
        "call this one a correction, import the credit note with it, or leave it out",
    )
    INVOICE_OVERLAP = ("the period overlaps the one in row %(other)s", "correct the periods")
    NET_NEGATIVE = ("invoices and credit notes of the period come to %(value)s", "correct the credit note")
    TARIFF_LACKING = (
        "the period has no %(value)s, which other periods of the point have",
        "add it; write 0 where nothing was used",
    )
    TOTAL_DIFFERS = (
        "the total is %(value)s, the tariffs come to %(other)s",
        "correct one of them",
    )
    # Worth knowing
    FALL = ("the dial falls from %(before)s to %(after)s", "check it, or record the exchange of the meter")
    RATE = ("%(value)s is more than flows through the point at most", "check the value and its unit")
    OVERLAP = ("the period overlaps stored periods; the finer ones count", "undo the former import, or leave it")
    GAP = ("no invoice covers %(since)s to %(until)s", "import the invoice that is missing")
    AMBIGUOUS = ("%(count)s times lie in the hour that the clock repeats", "give a file in order of time")
    STATUS_LEFT = ("%(count)s values are left out: status %(value)s", "import the file again when they are known")
    STATUS_SUSPECT = ("%(count)s values are marked as suspect: status %(value)s", "compare them with the invoice")
    EMPTY_LEFT = ("%(count)s cells are empty and left out", "missing is never zero; write 0 where it was zero")
    TOTAL_LEFT = ("the row looks like a sum and is left out", "remove it, or correct its date")
    COLUMN_LEFT = ("column %(value)s is not read", "choose it as a column of values if it holds readings")
    SHEET_LEFT = ("sheet %(value)s is not read", "import it by itself if it holds readings")
    TO_INBOX = ("device %(value)s is on no point; its readings wait in the inbox", "mount it on a point")
    EVIDENCE = (
        "kept as evidence beside %(value)s, which counts for point %(point)s at that time",
        "nothing is to be done; it is never added twice",
    )
    SILENT = (
        "does not count for point %(point)s while meter %(value)s is mounted on it, of which no reading is stored",
        "correct in the register when that meter was mounted, or remove it, and import the file again",
    )
    COUNTS = ("counts for point %(point)s from %(since)s to %(until)s", "no meter is mounted on it then")
    NO_METER_THEN = ("it lies outside of the time of meter %(value)s and does not count", "correct the mounting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A trouble at a place of a table: sheet, row (as in the file, 0: the whole table) and column."""

    sheet: str
    row: int
    column: str
    trouble: Trouble
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """The problem in English."""
        return self.trouble.value[0] % self.args

    @property
    def remedy(self) -> str:
        """What to do, in English."""
        return self.trouble.value[1] % self.args
