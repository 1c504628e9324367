"""Fit a linear model on the hashed characters and write it as ONNX.

dvc repro pipelines/input_assist/dvc.yaml:train
"""

from pipelines.input_assist.texts import CATEGORY
from pipelines.linear_text import Params
from pipelines.parameters import load


def main() -> None:
    params = load(Params, "pipelines/input_assist/params.yaml", "train")
    CATEGORY.train(CATEGORY.read(CATEGORY.texts, "train"), params)


if __name__ == "__main__":
    main()
