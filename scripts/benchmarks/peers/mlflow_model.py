"""The model as `mlflow models serve` takes it: python mlflow_model.py FOLDER."""

import os
import sys

import mlflow.onnx
import onnx

mlflow.onnx.save_model(onnx.load(os.environ["MODEL_FILE"]), sys.argv[1])
