"""Write the frozen network as ONNX, so that looking at pictures needs no torch.

dvc repro pipelines/image_screening/dvc.yaml:prepare
"""

from pathlib import Path

from pipelines.image_screening.backbone import Backbone, export

OUT = Path("data/image_screening/prepared")


def main() -> None:
    """Export it."""
    export(Backbone(), OUT / "backbone.onnx", ["features", "photo"])


if __name__ == "__main__":
    main()
