"""Which model and version a path means."""

from services.chassis.errors import NotFound
from services.predictors import Predictor, Predictors


def known(predictors: Predictors, name: str, version: str | None = None) -> Predictor:
    """The predictor of that name; with a version, only if it is the one that serves. Raises NotFound."""
    predictor = predictors.get(name)
    if predictor is None:
        raise NotFound(f"There is no model {name[:60]}. Models: {', '.join(predictors)}.")
    if version is not None and version != predictor.version:
        serves = f"version {predictor.version} serves" if predictor.version else "no version is loaded"
        raise NotFound(f"Version {version[:60]} of {name} is not served here: {serves}.")
    return predictor
