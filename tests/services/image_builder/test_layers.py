"""Layers are the same bytes whenever the same files go in."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest
import zstandard

from services.image_builder.layers import Layer, layer_at, model_layer
from services.image_builder.pack import walked
from tests.services.sources.tiny import artefact


def tree(root: Path, *, time: int, backwards: bool) -> Path:
    """A small tree with all kinds of entries, made in either order."""
    names = sorted(["b", "a", "ねこ"], reverse=backwards)
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text(name)
        os.utime(root / name / "file", (time, time))
    (root / "b" / "same").hardlink_to(root / "b" / "file")
    (root / "a" / "link").symlink_to("../b/file")
    return root


def packed(root: Path, place: Path) -> Layer:
    """Packed from inside, so that names do not depend on where it lies."""
    here = Path.cwd()
    os.chdir(root)
    try:
        with layer_at(place) as (tar, made):
            for path in walked(Path(), lambda path: path.endswith("left_out")):
                tar.as_it_is(path)
    finally:
        os.chdir(here)
    return made[0]


def entries(layer: Layer) -> dict[str, tarfile.TarInfo]:
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(layer.path.read_bytes())).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        return {info.name: info for info in tar}


def test_order_and_times_do_not_count(tmp_path: Path) -> None:
    one = packed(tree(tmp_path / "one", time=1, backwards=False), tmp_path / "one.tar.zst")
    two = packed(tree(tmp_path / "two", time=2**31, backwards=True), tmp_path / "two.tar.zst")
    assert (one.digest, one.diff_id, one.size) == (two.digest, two.diff_id, two.size)
    assert one.digest != one.diff_id


def test_what_is_in_the_files_counts(tmp_path: Path) -> None:
    one = packed(tree(tmp_path / "one", time=1, backwards=False), tmp_path / "one.tar.zst")
    (tmp_path / "one" / "a" / "file").write_text("x")
    assert packed(tmp_path / "one", tmp_path / "two.tar.zst").digest != one.digest


def test_links_stay_links_and_what_is_left_out_is_not_there(tmp_path: Path) -> None:
    root = tree(tmp_path / "one", time=1, backwards=False)
    (root / "a" / "left_out").write_text("x")
    found = entries(packed(root, tmp_path / "one.tar.zst"))
    assert list(found)[1:] == ["a", "a/file", "a/link", "b", "b/file", "b/same", "ねこ", "ねこ/file"]
    assert found["a/link"].issym()
    assert found["b/same"].islnk()
    assert {info.mtime for info in found.values()} == {0}
    assert {info.uname for info in found.values()} == {""}


def test_a_model_can_be_read_and_not_changed(tmp_path: Path) -> None:
    place = tmp_path / "model.tar.zst"
    found = entries(model_layer(place, "tiny", artefact(tmp_path / "one"), {"release.json": b"{}"}))
    assert list(found)[:2] == ["model", "model/tiny"]
    assert {info.mode for info in found.values() if info.isdir()} == {0o755}
    assert {info.mode for info in found.values() if info.isfile()} == {0o444}
    assert {"model/tiny/model.onnx", "model/tiny/manifest.json", "model/tiny/release.json"} < set(found)


def test_a_layer_is_what_its_digests_say(tmp_path: Path) -> None:
    layer = model_layer(tmp_path / "model.tar.zst", "tiny", artefact(tmp_path / "one"), {})
    data = layer.path.read_bytes()
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    assert layer.digest == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert layer.diff_id == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    assert layer.size == len(data)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no /proc")
def test_folders_of_the_running_machine_are_emptied() -> None:
    seen = [str(path) for path in walked(Path("/"), lambda path: path not in ("/proc", "/sys", "/etc", "/etc/hosts"))]
    assert {"/proc", "/sys"} <= set(seen)
    assert not [path for path in seen if path.startswith(("/proc/", "/sys/"))]
