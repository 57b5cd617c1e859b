"""An archive is read only if every byte of it is what was written."""

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backup import name_at, write
from core.errors import InputError, StoreError
from storage.backup_archive import Archive, Member, packed

MADE = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
MEMBERS = [Member("settings.json", b"{}"), Member("records/a/000001.jsonl.gz", bytes(range(256)) * 5, 3)]


def made(path: Path, members: list[Member] = MEMBERS) -> Path:
    path.write_bytes(b"".join(packed({"odecet": "1"}, members, MADE)))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    with Archive(made(tmp_path / "a.tar")) as archive:
        assert archive.head["odecet"] == "1"
        assert archive.names("records") == ["records/a/000001.jsonl.gz"]
        assert archive.rows("records") == 3
        assert archive.read("records/a/000001.jsonl.gz") == MEMBERS[1].content


def test_any_tar_program_opens_it(tmp_path: Path) -> None:
    with tarfile.open(made(tmp_path / "a.tar")) as tar:
        assert [m.name for m in tar][1:-1] == [m.name for m in MEMBERS]
        member = tar.extractfile("records/a/000001.jsonl.gz")
        assert member is not None
        assert member.read() == MEMBERS[1].content


WHOLE = b"".join(packed({"odecet": "1"}, MEMBERS, MADE))
END = WHOLE.rindex(b"}\n")
"""The last byte that says anything: behind it is padding."""


@given(st.integers(0, END))
def test_an_archive_that_was_cut_short_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.tar"
    path.write_bytes(WHOLE[:size])
    with pytest.raises(InputError, match=r"a\.tar, \S"):
        Archive(path)


@given(st.integers(0, END), st.integers(1, 255))
def test_an_archive_that_was_changed_is_refused_or_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, place: int, by: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "a.tar"
    path.write_bytes(WHOLE[:place] + bytes([WHOLE[place] ^ by]) + WHOLE[place + 1 :])
    try:
        with Archive(path) as archive:
            got = [Member(name, archive.read(name)) for name in ("settings.json", "records/a/000001.jsonl.gz")]
    except InputError as err:
        assert str(path) in str(err)  # noqa: PT017 - both ends are right
    else:
        assert [member.content for member in got] == [member.content for member in MEMBERS]


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not a tar at all" * 100, bytes(2000)):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(InputError, match="x"):
            Archive(tmp_path / "x")
    with pytest.raises(InputError, match="No such file"):
        Archive(tmp_path / "nowhere")


def test_an_archive_of_another_format_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.backup_archive.FORMAT", 2)
    path = made(tmp_path / "a.tar")
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"format is 2.*or a newer one"):
        Archive(path)


def test_a_backup_that_fails_or_is_stopped_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> object:
        yield b"some"
        raise StoreError("the store is gone")

    with pytest.raises(StoreError, match="gone"):
        write(failing(), tmp_path / "a.tar")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="stopped"):
        write(packed({}, MEMBERS, MADE), tmp_path / "a.tar", stopped=lambda: True)
    with pytest.raises(InputError, match="a"):
        write([WHOLE[:1000]], tmp_path / "a.tar")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_is_private_and_never_written_over_another(tmp_path: Path) -> None:
    path = tmp_path / "new" / name_at(MADE)
    assert write([WHOLE], path) == len(WHOLE)
    assert path.name == "odecet-20260329T013000Z.tar"
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="already"):
        write([WHOLE], path)
