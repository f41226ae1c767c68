"""What is written is there whole or not at all, and nothing else is left."""

import errno
import os
from pathlib import Path

import pytest

from agents.io.atomic_files import is_unfinished, sync, sync_folder, whole_file, whole_folder, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_when_the_block_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")
    with whole_file(path) as fresh:
        fresh.write_text("new")
        assert path.read_text() == "old"
        assert fresh.parent == tmp_path
        assert is_unfinished(fresh)
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.json"])
    assert not is_unfinished(path)


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_is_not_finished_leaves_the_old_one_and_no_other(tmp_path: Path, fault: BaseException) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def begin(fresh: Path) -> None:
        fresh.write_text("ne")
        raise fault

    with pytest.raises(type(fault)), whole_file(path) as fresh:
        begin(fresh)
    with pytest.raises(type(fault)), whole_folder(tmp_path / "b") as fresh:
        begin(fresh / "part")
    assert (path.read_text(), names(tmp_path)) == ("old", ["a.json"])


def test_all_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch) -> None:
    """Each file, each folder, and after the renaming the folder in which the name stands."""
    synced: list[str] = []

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name + "!" * (tmp_path / "b").exists())

    monkeypatch.setattr("agents.io.atomic_files.os.fsync", note)
    with whole_folder(tmp_path / "b") as fresh:
        (fresh / "in").mkdir()
        (fresh / "in" / "x").write_text("x")
    assert synced == ["x", "in", fresh.name, f"{tmp_path.name}!"]
    synced.clear()
    write_whole(tmp_path / "c", "c", lasting=False)
    assert synced == []


def test_a_file_system_that_can_not_sync_folders_will_do_and_a_full_disk_will_not(
    tmp_path: Path, monkeypatch
) -> None:
    fault = errno.EINVAL

    def fail(descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr("agents.io.atomic_files.os.fsync", fail)
    sync_folder(tmp_path)
    fault = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)
    with pytest.raises(OSError, match="Input/output"):
        sync(tmp_path)
