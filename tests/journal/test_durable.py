import stat
from pathlib import Path

import pytest

from hanse.journal.durable import make_folder, write_file
from tests.reliability.power import recording


def test_a_file_is_written_whole_with_its_mode_and_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "session.key"
    for content in (b"first", b"second"):
        write_file(path, content, mode=0o600)
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_a_killed_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "x.draft").write_bytes(b"a longer draft than the file")
    write_file(tmp_path / "x", b"whole")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"whole")]


def test_after_a_power_cut_there_is_the_old_file_or_the_new_one_and_the_new_one_once_it_was_said(
    tmp_path: Path,
) -> None:
    with recording(tmp_path) as disk:
        for content in (b"old" * 700, b"new" * 700):
            write_file(tmp_path / "x", content)
            disk.note(content)
    held = {(len(notes), image.get(str(tmp_path / "x"))) for notes, image in disk.images(seed=1)}
    assert held == {(0, None), (0, b"old" * 700), (1, b"old" * 700), (1, b"new" * 700), (2, b"new" * 700)}


def test_folders_are_made_with_those_above_and_synced_from_the_top(tmp_path: Path) -> None:
    with recording(tmp_path) as disk:
        for _ in range(2):
            make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert disk.log == [(str(tmp_path),), (str(tmp_path / "a"),)]


def test_what_can_not_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    write_file(tmp_path / "x", b"old")
    (tmp_path / "x.draft").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_file(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"
