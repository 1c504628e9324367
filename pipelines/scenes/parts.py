"""Names the third-party packages that pictures are drawn from, and finds them where they are installed."""

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

DEFAULT_NODE_MODULES = "requirements/npm/node_modules"

BACKGROUND_PHOTOS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "clock_motion.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "retina.jpg",
    "rocket.jpg",
)
"""Photos of scikit-image that are CC0 or in the public domain. Its cat and its coffee are tests, never
backgrounds; motorcycle and the faces are left out."""

REAL_PHOTOS: dict[str, str] = {
    "cat": "skimage/data/chelsea.png",
    "food": "skimage/data/coffee.png",
    "flower": "sklearn/datasets/images/flower.jpg",
    "house": "sklearn/datasets/images/china.jpg",
}
"""Photos of real things: only ever evaluated, by their category."""


def node_modules() -> Path:
    """Where npm put the drawings and the names; NODE_MODULES moves it."""
    return Path(os.environ.get("NODE_MODULES", DEFAULT_NODE_MODULES))


def npm_json(path: str) -> Any:
    """One JSON file of an npm package."""
    file = node_modules() / path
    if not file.is_file():
        raise SystemExit(f"{file} is missing: run scripts/setup, which installs requirements/npm/package.json")
    return json.loads(file.read_bytes())


def packaged(path: str) -> Path:
    """A file that an installed Python package ships."""
    package, _, rest = path.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed: run scripts/setup")
    return Path(spec.submodule_search_locations[0]) / rest


def background_paths() -> list[Path]:
    """The background photos, in a fixed order."""
    return [packaged(f"skimage/data/{name}") for name in BACKGROUND_PHOTOS]


def real_photos() -> dict[str, Path]:
    """The photos of real things, by category."""
    return {category: packaged(path) for category, path in REAL_PHOTOS.items()}
