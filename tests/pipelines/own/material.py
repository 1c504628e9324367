"""Makes pictures and archives of exactly the layouts that are published, and a base model that is made in no time."""

import io
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from models.image_screening.contract import contract
from pipelines import artefact

Pixels = NDArray[np.uint8]
COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 210), "grey": (120, 120, 120)}
CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def pixels(colour: tuple[int, int, int], salt: int, side: int = 48) -> Pixels:
    """A picture of that colour with spots of its own."""
    spots = np.random.default_rng(salt).integers(-60, 60, (8, 8, 1)).repeat(-(-side // 8), 0).repeat(-(-side // 8), 1)
    return np.clip(np.array(colour) + spots[:side, :side], 0, 255).astype(np.uint8)


def file(picture: Pixels, form: str = "PNG") -> bytes:
    """As a picture file."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, form)
    return out.getvalue()


def picture(label: str, salt: int, form: str = "PNG") -> bytes:
    """A picture file of that label."""
    return file(pixels(COLOURS[label], salt + 1000 * list(COLOURS).index(label)), form)


def folder_of(root: Path, labels: list[str], each: int, below: str = "") -> Path:
    """ROOT/LABEL/N.png."""
    for label in labels:
        place = root / below / label
        place.mkdir(parents=True, exist_ok=True)
        for salt in range(each):
            (place / f"{salt}.png").write_bytes(picture(label, salt + 500 * bool(below == "test")))
    return root


def tar(path: Path, files: Mapping[str, bytes]) -> Path:
    """A .tar.gz of these files."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def cifar_batch(rows: list[tuple[int, Pixels]], name: str) -> bytes:
    """As `data_batch_1` is: a pickle of Python 2 times, bytes for keys, planes of colour one after the other."""
    data = np.stack([picture.transpose(2, 0, 1).ravel() for _, picture in rows])
    names = [f"{CIFAR[label % 10]}_s_{at:06}.png".encode() for at, (label, _) in enumerate(rows)]
    batch: dict[bytes, Any] = {
        b"batch_label": name.encode(), b"labels": [label for label, _ in rows], b"data": data, b"filenames": names,
    }  # fmt: skip
    return pickle.dumps(batch, protocol=2)


def cifar(path: Path, each: int = 6, tested: int = 3, changes: Mapping[str, bytes] | None = None) -> Path:
    """cifar-10-python.tar.gz, with a few pictures of three labels; `changes` replaces files, or adds them."""
    colours = {CIFAR.index("bird"): "red", CIFAR.index("cat"): "green", CIFAR.index("ship"): "blue"}

    def batch(name: str, salt: int, number: int) -> bytes:
        rows = [(k, pixels(COLOURS[c], salt + 97 * k + n, 32)) for k, c in colours.items() for n in range(number)]
        return cifar_batch(rows, name)

    meta = {b"num_cases_per_batch": each, b"label_names": [name.encode() for name in CIFAR], b"num_vis": 3072}
    files = {f"data_batch_{n}": batch(f"training batch {n}", 10_000 * n, each) for n in range(1, 6)}
    files |= {"test_batch": batch("testing batch 1 of 1", 90_000, tested)}
    files |= {"batches.meta": pickle.dumps(meta, protocol=2), "readme.html": b"<html>"}
    return tar(
        path, {f"cifar-10-batches-py/{name}": content for name, content in (files | dict(changes or {})).items()}
    )


def pet(folder: Path, each: int = 8, tested: int = 3, more: Mapping[str, bytes] | None = None) -> Path:
    """images.tar.gz and annotations.tar.gz as they are published, with a few pictures of two breeds."""
    breeds = {"Abyssinian": ("red", 1, 1), "american_bulldog": ("blue", 2, 2)}
    lists: dict[str, list[str]] = {"trainval": [], "test": []}
    images: dict[str, bytes] = {}
    for breed, (colour, number, species) in breeds.items():
        for at in range(1, each + tested + 1):
            images[f"images/{breed}_{at}.jpg"] = picture(colour, 31 * at, "JPEG")
            lists["trainval" if at <= each else "test"].append(f"{breed}_{at} {number} {species} 1")
    images |= {"images/Abyssinian_100.mat": b"MATLAB"} | dict(more or {})
    head = "#Image CLASS-ID SPECIES BREED ID\n"
    texts = {f"annotations/{name}.txt": "\n".join(lines).encode() + b"\n" for name, lines in lists.items()}
    texts["annotations/list.txt"] = (head + "\n".join([*lists["trainval"], *lists["test"]])).encode()
    tar(folder / "images.tar.gz", images)
    tar(folder / "annotations.tar.gz", texts | {"annotations/README": b"as published"})
    return folder


def base(folder: Path) -> None:
    """An artefact with image_screening's contract and names: mean colours of 64 cells, and heads on them."""
    rng = np.random.default_rng(0)
    shapes = {"category": 10, "violation": 8, "embedding": 128}
    constants = {"one": np.array(1 / 255, np.float32), "category_table": np.zeros((192, 10), np.float32)}
    for name, width in shapes.items():
        constants[f"{name}.weight"] = rng.normal(0, 0.1, (width, 192)).astype(np.float32)
        constants[f"{name}.bias"] = np.zeros(width, np.float32)
    node = helper.make_node
    nodes = [
        node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        node("Mul", ["pixels", "one"], ["light"]),
        node("Transpose", ["light"], ["planes"], perm=[0, 3, 1, 2]),
        node("AveragePool", ["planes"], ["cells"], kernel_shape=[20, 20], strides=[20, 20]),
        node("Flatten", ["cells"], ["/features"]),
        node("Gemm", ["/features", "category.weight", "category.bias"], ["/scores"], transB=1),
        node("Softmax", ["/scores"], ["/learnt"], axis=1),
        node("MatMul", ["/features", "category_table"], ["/prior"]),
        node("Add", ["/learnt", "/prior"], ["category"]),
        node("Gemm", ["/features", "violation.weight", "violation.bias"], ["/kinds"], transB=1),
        node("Softmax", ["/kinds"], ["violation"], axis=1),
        node("Gemm", ["/features", "embedding.weight", "embedding.bias"], ["/place"], transB=1),
        node("LpNormalization", ["/place"], ["embedding"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "base",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 160, 160, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]) for name, width in shapes.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = folder.parent / "base.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(made, str(path))
    thresholds = {"violation_reject": 0.9, "violation_review": 0.5, "category_margin": 0.1, "tag_margin": 0.3}
    manifest = contract().model_copy(update={"thresholds": thresholds})
    known = {"embedding_version": "abc", "category": {}}
    artefact.write(folder, manifest, path, [picture("red", 1)], {"held_out_accuracy": 0.7}, known, "# Base\n", {})
