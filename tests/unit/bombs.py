"""Files that are small and unpack to very much, and a process of bounded memory in which every door is sent them.

`python -m tests.unit.bombs FOLDER` writes a line of JSON for each door and bomb: what it answered, and how much
memory [MB] it took at most beside what it had before.
"""

import ctypes
import gc
import gzip
import io
import json
import re
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from core.ports import Sheet
from ingest.tables_xlsx import write_xlsx

MB: Final = 1 << 20
ROOM_MB: Final = 6_000
"""Memory beside what the process begins with: what is asked beyond fails instead of taking the machine."""
TIDY_MB: Final = 600
"""Beyond this what former tries left is cleared away before the next is measured."""
DEEP: Final = 100_000


# Archives


def workbook(*, sheet: bytes | None = None, shared: bytes | None = None, other: bytes = b"") -> bytes:
    """Return an XLSX whose parts are replaced."""
    made = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(write_xlsx([Sheet(name="a", columns=("a", "b"), rows=(("1", 2.0),))])))
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            content = source.read(name)
            if sheet is not None and "worksheets/" in name:
                content = sheet
            if other and name == "xl/styles.xml":
                content = other
            out.writestr(name, content)
        if shared is not None:
            out.writestr("xl/sharedStrings.xml", shared)
    return made.getvalue()


def zeros(size: int) -> bytes:
    """Return `size` megabytes of zeros, deflated: made at once, since each megabyte is packed alike."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first * size + packer.flush()


def lying(member: str, size_mb: int, *, method: int = zipfile.ZIP_DEFLATED, packed: bytes = b"") -> bytes:
    """Return a zip of one member that unpacks to `size_mb` and says, with the right sum, that it is 100 bytes."""
    content, told = packed or zeros(size_mb), bytes(100)
    return archive([(member, content, zlib.crc32(told), len(told), method)])


def archive(members: list[tuple[str, bytes, int, int, int]], *, times: int = 1) -> bytes:
    """Return a zip of members (name, content, sum, size that is told, method), each listed `times`."""
    out, listed = bytearray(), bytearray()
    for name, content, crc, told, method in members:
        at, called = len(out), name.encode()
        about = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, crc, len(content), told, len(called), 0)
        out += b"PK\x03\x04" + about + called + content
        place = struct.pack("<HHHII", 0, 0, 0, 0, at)
        listed += (b"PK\x01\x02" + struct.pack("<H", 20) + about + place + called) * times
    count = min(len(members) * times, 0xFFFF)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(listed), len(out), 0)
    return bytes(out + listed + end)


def archives(member: str) -> dict[str, bytes]:
    """Return zips that are bombs, each with a member of this name."""
    ratio = io.BytesIO()
    with zipfile.ZipFile(ratio, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(member, b"<x/>")
        out.writestr("word/a.xml", bytes(300 * MB), compresslevel=1)
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w", zipfile.ZIP_LZMA) as out:
        out.writestr(member, bytes(8 * MB))
    whole = zeros(200)
    return {
        "ratio": ratio.getvalue(),
        "lying": lying(member, 2_000),
        "strange method": again.getvalue(),
        "many parts": archive([(member, b"", 0, 0, 0)], times=150_000),
        "overlapping": archive([(member, whole, 0, 200 * MB, zipfile.ZIP_DEFLATED)], times=1_000),
    }


# XML


def _laughs() -> bytes:
    lines = [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    return ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(lines) + "]><x>&a11;</x>").encode()


def xmls() -> dict[str, bytes]:
    """Return documents of XML that are bombs, or read what is not theirs."""
    long = b"A" * 200_000
    return {
        "billion laughs": _laughs(),
        "laughs in UTF-16": _laughs().decode().encode("utf-16"),
        "quadratic": b'<!DOCTYPE x [<!ENTITY a "' + long + b'">]><x>' + b"&a;" * 20_000 + b"</x>",
        "external": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        "parameter": b'<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]><x/>',
        "deep": b"<x>" * DEEP + b"</x>" * DEEP,
        "wide": b"<x>" + b"<a/>" * (20 * DEEP) + b"</x>",
        "attributes": b"<x " + b" ".join(b'a%d=""' % n for n in range(100_000)) + b"/>",
    }


MAIN: Final = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def workbooks() -> dict[str, bytes]:
    """Return files of spreadsheets that are bombs."""
    end = b"</sheetData></worksheet>"
    made = {f"sheet: {name}": workbook(sheet=content) for name, content in xmls().items()}
    made |= {f"styles: {name}": workbook(other=content) for name, content in xmls().items()}
    made |= {
        "one row of millions": workbook(sheet=MAIN + b"<row>" + b"<c/>" * 8_000_000 + b"</row>" + end),
        "rows without end": workbook(sheet=MAIN + b"<row/>" * 6_000_000 + end),
        "texts without end": workbook(shared=b"<sst>" + b"<si/>" * 8_000_000 + b"</sst>"),
    }
    return made | archives("[Content_Types].xml")


# Text


def tables() -> dict[str, bytes]:
    """Return texts that are bombs for who reads tables."""
    heading = "Datum;Teplota;Odečet\r\n".encode()
    return {
        "giant cell": heading + b'1.1.2026;"' + b"a" * (8 * MB) + b'";1\r\n',
        "open quote": heading + b'1.1.2026;"' + b"a;\r\n" * (4 * MB),
        "columns without end": heading + b";" * (8 * MB),
        "columns in the heading": b"Datum;Teplota;" + b"x;" * (4 * MB) + b"\r\n1.1.2026;1\r\n",
        "columns over many lines": heading + b'"\r\n";' * (3 * MB),
        "lines without end": heading + b"\n" * (6 * MB),
        "cells without end": heading + (b";" * 90_000 + b"\n") * 120,
        "gzip": gzip.compress(bytes(16 * MB)),
    }


def jsons() -> dict[str, bytes]:
    """Return documents of JSON that are bombs."""
    return {
        "deep list": b"[" * DEEP + b"]" * DEEP,
        "deep object": b'{"id":' * DEEP + b"1" + b"}" * DEEP,
        "open": b'{"id":[' * DEEP,
        "long number": b'{"id":' + b"9" * MB + b"}",
        "large exponent": b'{"id":1e999999999}',
        "gzip": gzip.compress(b"[" * (16 * MB)),
    }


def tomls() -> dict[str, str]:
    """Return documents of TOML that are bombs."""
    return {
        "deep list": "a = " + "[" * DEEP,
        "deep table": "a = " + "{a=" * DEEP,
        "dotted key": ".".join("a" * 40_000) + " = 1",
        "dotted keys": "\n".join(f"{'.'.join(['k' + str(n)] * 1_000)} = 1" for n in range(200)),
        "dotted heading": "[" + ".".join("a" * 40_000) + "]",
        "quoted key": ".".join(['"a"'] * 40_000) + " = 1",
        "long": "a = '" + "a" * (2 * MB) + "'",
        "long number": "a = " + "9" * 200_000,
    }


# The doors

Door = Callable[[], Any]


def peak_mb(line: str = "VmHWM") -> float:
    """Return the most memory that this process took since it was last asked to forget."""
    found = re.search(rf"{line}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found[1]) / 1024


def tried(door: str, bomb: str, send: Door) -> dict[str, Any]:
    """Return what a door answers, and the most memory that it took."""
    if peak_mb("VmRSS") > TIDY_MB:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # forget the former peak
    before = peak_mb("VmRSS")
    try:
        said = send()
    except Exception as err:  # noqa: BLE001 - whatever it is, it is told
        said = f"{type(err).__name__}: {err}"
    return {"door": door, "bomb": bomb, "said": said, "took_mb": round(peak_mb() - before)}


def main(folder: Path) -> None:
    """Send every bomb to every door and say what came of it."""
    from tests.unit import bomb_doors  # noqa: PLC0415 - the limit holds from before it is loaded

    with bomb_doors.opened(folder) as doors:
        most = int(peak_mb("VmData") + ROOM_MB) * MB
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        for door, bomb, send in doors:
            sys.stdout.write(json.dumps(tried(door, bomb, send)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
