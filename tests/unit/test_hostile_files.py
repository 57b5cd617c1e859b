"""Names of files that want to lead elsewhere: at every door that takes a file they stay names, or are refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import httpx
import pytest

from tests.unit import bomb_doors
from tests.unit.bomb_doors import Doors

NAMES: Final = (
    "../../../../tmp/escaped.csv",
    "..\\..\\escaped.csv",
    "/tmp/escaped.csv",  # noqa: S108 - it is to be refused
    "C:\\Windows\\escaped.csv",
    "\\\\host\\share\\escaped.csv",
    "%2e%2e%2fescaped.csv",
    "....//....//escaped.csv",
    "file:///tmp/escaped.csv",
    "esc\x00aped.csv",
    "escaped.csv\x00.pdf",
    "escaped\r\nX-Forged: yes.csv",
    'escaped"; filename="other.html.csv',
    "<img src=x onerror=struck()>.csv",
    "=cmd|' /C calc'!A0.csv",
    "escaped\u202evsc.exe.csv",
    "CON.csv",
    "NUL",
    "aux.txt.csv",
    ".htaccess",
    "..",
    ".",
    " ",
    "~root.csv",
    "$(touch escaped).csv",
    "escaped;rm -rf x.csv",
    "|touch escaped|.csv",
    "a" * 1_000 + ".csv",
    "a" * 9_000 + ".csv",
    "ž" * 300 + ".csv",
)
CSV: Final = b"Datum;kWh\r\n1.1.2026;1\r\n"
SAFE: Final = re.compile(r"""[^<>:"|?*;/\\\x00-\x1f\x7f\u202a-\u202e]+""")


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with bomb_doors.opened(tmp_path_factory.mktemp("names")) as opened:
        yield opened


def sent(doors: Doors, path: str, field: str, name: str, content: bytes = CSV, **data: str) -> httpx.Response:
    """Send a file under a name, written into the form byte by byte, as no client would."""
    mark = b"----mark"
    parts = [b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (k.encode(), v.encode()) for k, v in data.items()]
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()
    head = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: text/csv\r\n\r\n'
    parts.append(head % (field.encode(), quoted) + content)
    body = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"
    kind = {"content-type": f"multipart/form-data; boundary={mark.decode()}", "accept": "text/html, application/json"}
    return doors.client.post(path, content=body, headers=kind)


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} - {"var/odecet.sqlite-journal"}


@pytest.mark.parametrize("door", sorted(bomb_doors.FILE_DOORS))
def test_a_file_leaves_nothing_on_the_disk_and_no_fault(doors: Doors, door: str) -> None:
    before = files_of(doors.folder.parent)
    path = door.partition(" ")[2].replace("{key:path}", "s")
    path = re.sub(r"\{kind\}/\{period\}/\{area\}", "annual/2025/a", path)
    field = "file:i" if "deliveries" in path else "file"
    answers = [sent(doors, path, field, name) for name in NAMES]
    wrong = [f"{n!r}: {a.status_code}" for n, a in zip(NAMES, answers, strict=True) if a.status_code >= 500]
    assert wrong == []
    assert not any(re.search("forged", " ".join(a.headers), re.IGNORECASE) for a in answers)
    assert {f for f in files_of(doors.folder.parent) - before if "sqlite" not in f and "duckdb" not in f} == set()
    assert not Path("/tmp/escaped.csv").exists()  # noqa: S108 - nobody may have made it
    assert not Path("escaped").exists()


def test_a_file_as_a_body_is_named_by_its_address_alone(doors: Doors) -> None:
    for name in NAMES:
        answer = doors.client.post("/api/v1/imports/readings", params={"name": name}, content=CSV)
        assert answer.status_code < 500, name
    assert not Path("/tmp/escaped.csv").exists()  # noqa: S108 - nobody may have made it


def test_evidence_comes_back_under_a_safe_name(doors: Doors) -> None:
    kept = 0
    for name in NAMES:
        page = doors.client.get("/api/v1/deliveries/annual/2025/a").json()
        answer = sent(
            doors, "/deliveries/annual/2025/a", "file:i", name, CSV + name.encode(), version=str(page["version"]),
            **{"number:i:pocet": "1"},
        )  # fmt: skip
        assert answer.status_code in {303, 400, 422}, (name, answer.status_code)
    values = doors.client.get("/api/v1/deliveries/annual/2025/a").json()["values"]
    for evidence in next(v for v in values if v["indicator"] == "i")["evidence"]:
        got = doors.client.get(f"/api/v1/deliveries/annual/2025/a/values/i/evidence/{evidence['id']}")
        told = got.headers["content-disposition"]
        found = re.fullmatch(r"attachment; filename\*=UTF-8''([\w.%~-]+)", told)
        assert found is not None, told
        assert SAFE.fullmatch(unquote(found[1])), told
        assert len(unquote(found[1])) <= 130
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]
        kept += 1
    assert kept > 8


def test_downloads_of_things_with_hostile_names_have_safe_names(doors: Doors) -> None:
    for key in ("%22%0D%0AX-Forged:%20yes", "..%2F..%2Fetc%2Fpasswd", "%00", "a%5C..%5Cb"):
        for path in ("indicators/{}?format=csv", "buildings/{}?format=xlsx", "points/{}?format=csv"):
            answer = doors.client.get(f"/{path.format(key)}", headers={"accept": "text/html"})
            assert answer.status_code in {404, 422}, (key, path, answer.status_code)
            assert "root:" not in answer.text


@pytest.mark.parametrize(
    "way", ["..%2f..%2fapi%2ftokens", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5cx", "%00", "style.css%00.js"]
)
def test_static_files_are_served_by_a_list_of_names(doors: Doors, way: str) -> None:
    assert doors.client.get(f"/static/{way}").status_code in {404, 422}


def test_a_profile_is_saved_under_no_name_that_leads_elsewhere(doors: Doors) -> None:
    for name in ("../escaped", "..\\\\escaped", "/var/escaped", "a/b", "con\\u0000", ".", ""):
        answer = doors.client.post("/api/v1/profiles", json={"text": f'name = "{name}"\n'})
        assert answer.status_code == 422, name
    assert list((doors.folder / "profiles").iterdir()) == []
    assert not list(doors.folder.parent.glob("escaped*"))
