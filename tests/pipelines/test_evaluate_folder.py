"""A folder of photos is measured through the served model, and what cannot be used is named."""

from pathlib import Path

import httpx
import pytest

from pipelines import evaluate_folder
from pipelines.evaluate_folder import Judged, Photo
from pipelines.platform_client import NoPlatform, signed_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cat/one.jpg", "cat/two.PNG", "dog/three.webp", "dog/notes.txt", "dragon/four.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def served(said: str = "cat", status: int = 200) -> httpx.Client:
    """A platform that says the same of every picture, and refuses one."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v2/models/image_screening/predict"
        if status != 200 or request.content.endswith(b"two.PNG"):
            return httpx.Response(status if status != 200 else 422, json={"detail": "damaged or cut short"})
        body = {"category": {"label": said}, "violation": {"label": "ok"}, "version": "3", "reason": None}
        return httpx.Response(200, json=body)

    return httpx.Client(base_url="http://platform", transport=httpx.MockTransport(answer))


def test_labels_are_folders_and_what_is_unknown_is_named(folder: Path) -> None:
    photos, ignored = evaluate_folder.find(folder)
    assert [(photo.path.name, photo.label) for photo in photos] == [
        ("one.jpg", "cat"),
        ("two.PNG", "cat"),
        ("three.webp", "dog"),
    ]
    assert ignored == [f"{folder}/dog/notes.txt: not a picture", f"{folder}/dragon: 1 files of an unknown label"]


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoPlatform):
        evaluate_folder.find(tmp_path / "nowhere")


def test_the_report_counts_and_names(folder: Path) -> None:
    photos, ignored = evaluate_folder.find(folder)
    with served() as http:
        judged = evaluate_folder.judge_all(http, photos)
    text = evaluate_folder.report(judged, ignored, folder / "confusion.png")
    assert "image_screening, version 3: 2 photos" in text
    assert "right: 0.500" in text
    assert f"left out: {folder}/cat/two.PNG: 422 damaged or cut short" in text
    assert "| cat | 1 | 1.000 |" in text
    assert "| dog | 1 | 0.000 |" in text
    assert (folder / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_default_answers_are_not_counted(folder: Path) -> None:
    body = {"category": {"label": "cat"}, "violation": {"label": "ok"}, "version": None, "reason": "off"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=body))
    with httpx.Client(base_url="http://platform", transport=transport) as http:
        photo = Photo(folder / "cat/one.jpg", "cat")
        assert evaluate_folder.judge(http, photo) == Judged(photo, None, "answered by default: off")


def test_who_is_not_let_in_stops(folder: Path) -> None:
    with served(status=401) as http, pytest.raises(NoPlatform):
        evaluate_folder.judge(http, Photo(folder / "cat/one.jpg", "cat"))


def test_without_accounts_there_is_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with httpx.Client(base_url="http://platform") as http, pytest.raises(NoPlatform):
        signed_in(http, tmp_path / "accounts.json")
    assert "scripts/up" in capsys.readouterr().err
