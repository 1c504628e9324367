"""The file store: readers see a whole file or none."""

from pathlib import Path

import pytest

from services.chassis.files import FileNotStored, FileStore


@pytest.fixture(params=["folder", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return FileStore(tmp_path.as_uri() if request.param == "folder" else f"memory://{tmp_path.name}")


async def test_what_was_written_is_read(files: FileStore) -> None:
    await files.write("pictures/ab/cat", b"\x00\xff" * 1000)
    assert await files.read("pictures/ab/cat") == b"\x00\xff" * 1000
    assert await files.exists("pictures/ab/cat")


async def test_what_is_not_there(files: FileStore) -> None:
    assert not await files.exists("nowhere")
    with pytest.raises(FileNotStored):
        await files.read("nowhere")
    await files.delete("nowhere")


async def test_a_file_is_replaced_and_deleted_whole(files: FileStore) -> None:
    await files.write("a/b", b"old")
    await files.write("a/b", b"new")
    assert await files.read("a/b") == b"new"
    await files.delete("a/b")
    assert not await files.exists("a/b")
