"""Texts of what is told of tables of readings, marked for the catalogs; they are those of core.table_troubles."""

from collections.abc import Mapping
from typing import Final

from api.texts import N_, Language
from core.table_troubles import Told

TROUBLES: Final[Mapping[str, tuple[str, str]]] = {
    "NOTHING_TO_READ": (
        N_("there are no rows to read"),
        N_("choose the sheet with the readings, or another file"),
    ),
    "COLUMN_LACKING": (
        N_("there is no column %(value)s"),
        N_("choose one of the columns of this table"),
    ),
    "SUBJECT_COLUMN": (
        N_("no column names the meter or metering point"),
        N_("choose the column, or write the point of the whole table"),
    ),
    "TIME_COLUMN": (
        N_("no column tells the date or time"),
        N_("choose the column"),
    ),
    "VALUE_COLUMN": (
        N_("no column holds the values"),
        N_("choose the columns"),
    ),
    "UNIT_UNSTATED": (
        N_("no unit is stated"),
        N_("write it into the heading, such as Spotřeba [kWh], or choose it"),
    ),
    "UNIT_UNKNOWN": (
        N_("unit %(value)s is not known"),
        N_("write one such as kWh, MWh, GJ, m³"),
    ),
    "KIND_UNSURE": (
        N_("it cannot be told whether the values are dial readings, amounts or mean power"),
        N_("choose what they are"),
    ),
    "STAMP_UNSURE": (
        N_("it cannot be told whether a time is the begin or the end of its period"),
        N_("choose begin or end"),
    ),
    "STEP_UNSURE": (
        N_("it cannot be told how long the periods are: the times stand %(value)s apart"),
        N_("give a table with one distance of 5, 15, 30 or 60 minutes, a day or a month, or columns from and to"),
    ),
    "ORDER_UNSURE": (
        N_("it cannot be told whether %(value)s is day/month or month/day"),
        N_("choose the order of day and month"),
    ),
    "MARK_UNSURE": (
        N_("it cannot be told whether the mark in %(value)s parts thousands or decimals"),
        N_("choose the decimal mark"),
    ),
    "POWER_UNIT": (
        N_("%(value)s is a power, not an amount"),
        N_("say that the values are mean power, or correct the unit"),
    ),
    "NO_POWER_UNIT": (
        N_("%(value)s is no power"),
        N_("say that the values are amounts, or correct the unit"),
    ),
    "QUANTITY": (
        N_("%(value)s is neither energy nor a volume"),
        N_("choose a unit such as kWh, MWh, GJ, m³, or kW"),
    ),
    "STATUS_UNKNOWN": (
        N_("status %(value)s is not known"),
        N_("say what it means: good, suspect, or leave out"),
    ),
    "SHEET_ERROR": (
        N_("the cell shows the error %(value)s"),
        N_("correct the formula"),
    ),
    "NO_NUMBER": (
        N_("%(value)s is no number"),
        N_("write a number such as 1234,5"),
    ),
    "NO_HEADING": (
        N_("the value %(value)s stands under no heading"),
        N_("name the column, or remove the value"),
    ),
    "TIME_EMPTY": (
        N_("the date is missing"),
        N_("write it as 31.01.2026 or 31.01.2026 14:30"),
    ),
    "NO_TIME": (
        N_("%(value)s is no date or time"),
        N_("write it as 31.01.2026 or 31.01.2026 14:30"),
    ),
    "TIME_SKIPPED": (
        N_("%(value)s did not exist: clocks went forward"),
        N_("correct the time, or the zone of the table"),
    ),
    "REVERSED": (
        N_("the period ends before it begins"),
        N_("correct from and to"),
    ),
    "VALUE_BOUND": (
        N_("%(value)s is more than any dial shows"),
        N_("correct the value or its unit"),
    ),
    "TIME_BOUND": (
        N_("%(value)s lies before the year 2000 or in the future"),
        N_("correct the date"),
    ),
    "NEGATIVE": (
        N_("%(value)s is below zero"),
        N_("correct the value; a credit note stands in a table of invoices"),
    ),
    "TWICE": (
        N_("%(subject)s has another value for the same time in row %(other)s"),
        N_("keep one of them"),
    ),
    "SUBJECT_EMPTY": (
        N_("no meter and no point is named"),
        N_("write the point, EAN, EIC, serial number or device"),
    ),
    "SUBJECT_UNKNOWN": (
        N_("%(value)s is no point, EAN, EIC, meter, serial number or device of the register"),
        N_("correct it, add it to the register, or let unknown devices wait in the inbox"),
    ),
    "CODE_UNKNOWN": (
        N_("no point of the register has the code %(value)s"),
        N_("write the code at its point, or correct it here"),
    ),
    "CODE_CUT": (
        N_("the code %(value)s has lost digits in a spreadsheet"),
        N_("format the column as text and write the code again"),
    ),
    "SUBJECT_SEVERAL": (
        N_("%(value)s names several: %(others)s"),
        N_("write the id of one of them"),
    ),
    "POINT_COMPUTED": (
        N_("point %(value)s is computed from others"),
        N_("write the readings of a measured point"),
    ),
    "NOT_MOUNTED": (
        N_("no meter was mounted on point %(value)s on %(at)s"),
        N_("correct the date, or record when its meter was mounted"),
    ),
    "REGISTER_UNKNOWN": (
        N_("register %(value)s is not known"),
        N_("write VT, NT, odběr, dodávka, or one such as energy.import"),
    ),
    "WRONG_QUANTITY": (
        N_("%(value)s does not count %(commodity)s"),
        N_("correct the unit or the point"),
    ),
    "MULTIPLIER": (
        N_("meter %(value)s multiplies its dial by %(multiplier)s, and amounts are multiplied already"),
        N_("write the point instead of the meter"),
    ),
    "OTHER_KIND": (
        N_("a reading of another kind stands at that time in %(value)s"),
        N_("import the amounts under the point, or correct the times"),
    ),
    "COUNTING": (
        N_("%(value)s would count from now on instead of %(former)s, which has readings"),
        N_("state register %(former)s, or set the register that counts at the meter"),
    ),
    "CREDIT_ALONE": (
        N_("the credit note belongs to no invoice of the same period"),
        N_("import it with its invoice, or correct the period"),
    ),
    "CREDIT_SIGN": (
        N_("a credit note with an amount above zero"),
        N_("write it with a minus, or call it an invoice"),
    ),
    "INVOICE_TWICE": (
        N_("an invoice of the same period stands in row %(other)s"),
        N_("keep one, or say which is a credit note or a correction"),
    ),
    "INVOICE_OTHER": (
        N_("invoice %(other)s of the same period is stored already"),
        N_("call this one a correction, import the credit note with it, or leave it out"),
    ),
    "INVOICE_OVERLAP": (
        N_("the period overlaps the one in row %(other)s"),
        N_("correct the periods"),
    ),
    "NET_NEGATIVE": (
        N_("invoices and credit notes of the period come to %(value)s"),
        N_("correct the credit note"),
    ),
    "TARIFF_LACKING": (
        N_("the period has no %(value)s, which other periods of the point have"),
        N_("add it; write 0 where nothing was used"),
    ),
    "TOTAL_DIFFERS": (
        N_("the total is %(value)s, the tariffs come to %(other)s"),
        N_("correct one of them"),
    ),
    "FALL": (
        N_("the dial falls from %(before)s to %(after)s"),
        N_("check it, or record the exchange of the meter"),
    ),
    "RATE": (
        N_("%(value)s is more than flows through the point at most"),
        N_("check the value and its unit"),
    ),
    "OVERLAP": (
        N_("the period overlaps stored periods; the finer ones count"),
        N_("undo the former import, or leave it"),
    ),
    "GAP": (
        N_("no invoice covers %(since)s to %(until)s"),
        N_("import the invoice that is missing"),
    ),
    "AMBIGUOUS": (
        N_("%(count)s times lie in the hour that the clock repeats"),
        N_("give a file in order of time"),
    ),
    "STATUS_LEFT": (
        N_("%(count)s values are left out: status %(value)s"),
        N_("import the file again when they are known"),
    ),
    "STATUS_SUSPECT": (
        N_("%(count)s values are marked as suspect: status %(value)s"),
        N_("compare them with the invoice"),
    ),
    "EMPTY_LEFT": (
        N_("%(count)s cells are empty and left out"),
        N_("missing is never zero; write 0 where it was zero"),
    ),
    "TOTAL_LEFT": (
        N_("the row looks like a sum and is left out"),
        N_("remove it, or correct its date"),
    ),
    "COLUMN_LEFT": (
        N_("column %(value)s is not read"),
        N_("choose it as a column of values if it holds readings"),
    ),
    "SHEET_LEFT": (
        N_("sheet %(value)s is not read"),
        N_("import it by itself if it holds readings"),
    ),
    "TO_INBOX": (
        N_("device %(value)s is on no point; its readings wait in the inbox"),
        N_("mount it on a point"),
    ),
    "EVIDENCE": (
        N_("kept as evidence beside %(value)s, which counts for point %(point)s at that time"),
        N_("nothing is to be done; it is never added twice"),
    ),
    "SILENT": (
        N_("does not count for point %(point)s while meter %(value)s is mounted on it, of which no reading is stored"),
        N_("correct in the register when that meter was mounted, or remove it, and import the file again"),
    ),
    "COUNTS": (
        N_("counts for point %(point)s from %(since)s to %(until)s"),
        N_("no meter is mounted on it then"),
    ),
    "NO_METER_THEN": (
        N_("it lies outside of the time of meter %(value)s and does not count"),
        N_("correct the mounting"),
    ),
}
"""Problem and remedy of each trouble, in English."""

WORDS: Final[Mapping[str, str]] = {
    "readings": N_("readings of meters"),
    "invoices": N_("invoices"),
    "profile": N_("load profile"),
    "dial": N_("dial readings"),
    "interval": N_("amounts of periods"),
    "mean_power": N_("mean power of periods"),
    "start": N_("begin of the period"),
    "end": N_("end of the period"),
    "day_start": N_("begin of the day"),
    "day_noon": N_("noon"),
    "day_end": N_("end of the day"),
    "dmy": N_("day/month"),
    "mdy": N_("month/day"),
    "good": N_("good value"),
    "suspect": N_("suspect value"),
    "skip": N_("leave the value out"),
    "subject": N_("meter or point"),
    "time": N_("date and time"),
    "clock": N_("time of day"),
    "from": N_("period from"),
    "to": N_("period to"),
    "period": N_("period or month"),
    "value": N_("values"),
    "unit": N_("unit"),
    "register": N_("register or tariff"),
    "status": N_("status"),
    "document": N_("number of the document"),
    "document_kind": N_("kind of document"),
    "price": N_("price in Kč"),
    "nothing": N_("is not read"),
    "new": N_("new"),
    "same": N_("as before"),
    "changed": N_("changed"),
    "done": N_("stored"),
    "running": N_("under way or interrupted"),
    "failed": N_("failed"),
    "undone": N_("undone"),
}
"""Words of mappings and states of imports."""


def problem(told: Told, words: Language) -> str:
    """Return what is wrong, in a language."""
    args = {name: words.label(value) if name == "commodity" else value for name, value in told.args.items()}
    return words.text(told.trouble.value[0]) % args


def remedy(told: Told, words: Language) -> str:
    """Return what to do about it, in a language."""
    return words.text(told.trouble.value[1]) % told.args
