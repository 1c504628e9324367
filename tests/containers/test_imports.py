"""Services need nothing of what only training needs: they are imported where that cannot be imported."""

import importlib.util
import subprocess
import sys

TRAINING_ONLY = {
    *("torch", "dvc", "mlflow", "sklearn", "skl2onnx", "onnx", "onnxscript"),
    *("pandas", "matplotlib", "skimage", "resvg_py"),
}
PROGRAM = f"""
import importlib, pkgutil, sys
import models, services

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {TRAINING_ONLY}:
            raise ImportError(f"{{name}} is for training only")

def broken(name):
    raise

sys.meta_path.insert(0, Refused())
for package in (models, services):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=broken):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("services.") and name.endswith(".main")]))
"""


def test_every_service_can_be_imported_without_what_only_training_needs() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


def test_what_is_refused_is_there_to_be_imported_at_all() -> None:
    """Else the test above would pass on anything."""
    assert {name for name in TRAINING_ONLY if importlib.util.find_spec(name) is None} == set()
