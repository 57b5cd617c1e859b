"""Documents as an office opens them: LibreOffice converts them, and the pages say what they should."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.plan import ReportKind
from reports import word, workbook
from tests.unit import report_world as world

OFFICE, READER = shutil.which("soffice"), shutil.which("pdftotext")
pytestmark = [
    pytest.mark.skipif(OFFICE is None, reason="LibreOffice (soffice) is not installed"),
    pytest.mark.skipif(READER is None, reason="poppler (pdftotext) is not installed"),
]


def pages(folder: Path, name: str, content: bytes) -> list[str]:
    """Return the text of each page as LibreOffice prints it."""
    (folder / name).write_bytes(content)
    profile = f"-env:UserInstallation=file://{folder}/office"
    command = [str(OFFICE), "--headless", profile, "--convert-to", "pdf", "--outdir", str(folder), str(folder / name)]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    pdf = (folder / name).with_suffix(".pdf")
    told = subprocess.run([str(READER), "-layout", str(pdf), "-"], check=True, capture_output=True, timeout=60).stdout
    return told.decode().replace("\u00a0", " ").split("\f")[:-1]


def test_the_annual_report_opens_with_contents_page_numbers_and_whole_tables(tmp_path: Path) -> None:
    found = pages(tmp_path, "zprava.docx", word.word(world.report(), world.why))
    assert 6 <= len(found) <= 14
    assert "Výroční zpráva" in found[0]
    assert "strana" not in found[0]
    for number, page in enumerate(found[1:], 2):
        assert re.search(rf"strana {number} z {len(found)}\b", page), number
    listed = dict(re.findall(r"^\s*(\S.*?)\.{3,}\s*(\d+)$", found[1], re.MULTILINE))
    assert len(listed) >= 7
    for title, number in listed.items():
        begin = " ".join(title.split()[:3])
        assert begin in found[int(number) - 1], (title, number)


@pytest.mark.parametrize("kind", [ReportKind.MID_YEAR, ReportKind.CLOSING])
def test_the_other_reports_open_too(tmp_path: Path, kind: ReportKind) -> None:
    period = "2024-2026" if kind is ReportKind.CLOSING else "2025"
    found = pages(tmp_path, "zprava.docx", word.word(world.report(kind, period, publication=None), world.why))
    assert sum("NÁVRH" in page for page in found) == len(found)
    assert "E1 Konečná spotřeba energie" in " ".join(" ".join(found).split())


def test_the_workbook_opens_with_all_its_sheets(tmp_path: Path) -> None:
    found = "\f".join(pages(tmp_path, "zprava.xlsx", workbook.workbook(world.report(), world.why)))
    assert "Konečná spotřeba energie krajských budov" in found
    assert "#NAME" not in found
    assert "Err:" not in found
