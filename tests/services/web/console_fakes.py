"""What the operator's console asks for: a registry, the trainer's standings, forecasts."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Header, Response

from models.labels import CATEGORIES, names
from services.chassis.errors import problem_response
from tests.services.web.fakes import who

MONDAY = date(2026, 11, 23)
MADE_AT = 1795000000000
PICTURE = b"\x89PNG picture"
STANDINGS: list[dict[str, Any]] = [
    {"name": "image_quick", "required": True, "state": "registered", "champion": "2", "why": "", "stage": None,
     "progress": None},
    {"name": "for_you", "required": False, "state": "waiting", "champion": None,
     "why": "12 of 500 impressions", "stage": None, "progress": None},
    {"name": "similar_words", "required": False, "state": "no champion", "champion": None,
     "why": "out of memory", "stage": None, "progress": None},
    {"name": "weekly_demand", "required": False, "state": "training", "champion": None, "why": "",
     "stage": "weekly_demand/train", "progress": 0.4},
]  # fmt: skip


def demand(happened: bool = True, forecasts: bool = True) -> dict[str, Any]:
    """Eight weeks, the last two of which happened, and forecasts for the last and the one that runs."""
    brought = [
        {"week": str(MONDAY - timedelta(weeks=back)), "series": series, "category": name, "count": 100 + back,
         "simulated": not happened or back > 2}
        for back in range(8, 0, -1) for series in ("uploads", "searches") for name in names(CATEGORIES)
    ]  # fmt: skip
    said = [
        {"week": str(MONDAY - timedelta(weeks=back)), "series": series, "category": name, "expected": 123.4,
         "low": 90.0, "high": 150.0, "baseline": 77.0, "version": "4", "served_by": "model",
         "made_at": "2026-11-23T00:10:00Z", "came": 101 if back else None}
        for back in (1, 0) for series in ("uploads", "searches") for name in names(CATEGORIES)
    ]  # fmt: skip
    good = {"series": "uploads", "weeks": 1, "wape": 0.124, "wape_baseline": 0.31, "inside": 0.8, "simulated": False}
    return {"week": str(MONDAY), "happened": happened, "brought": brought, "forecasts": said if forecasts else [],
            "quality": [good] if forecasts else []}  # fmt: skip


class Console:
    """Added to the other fakes; what is answered can be changed."""

    def __init__(self, app: FastAPI) -> None:
        self.demand = demand()
        group = {
            "simulated": False,
            "experiment": "ranking",
            "group": "ranker",
            "ranker": "image_quick",
            "ranker_version": "2",
            "users": 9,
            "searches": 987,
            "pages": 990,
            "impressions": 20_000,
            "clicks": 2460,
            "long_views": 7,
            "likes": 55,
            "ctr": {"rate": 0.123, "low": 0.101, "high": 0.145},
        }
        default = group | {"group": "default", "ranker": "default", "ranker_version": None, "simulated": True}
        answered = {"model": "image_quick", "version": "2", "served_by": "model", "predictions": 4321, "p95_ms": 2.04}
        self.figures: dict[str, Any] = {
            "groups": [group, default],
            "predictions": [answered, answered | {"served_by": "default", "version": "default", "predictions": 5}],
            "suggestions": [{"model": "image_quick", "field": field, "offered": 50, "taken": taken}
                            for field, taken in (("category", 40), ("title", 21))],
            "reviewed": [{"model": "image_quick", "version": "2", "labels": 31, "found": 20, "false_positives": 8,
                          "false_negatives": 3, "let_pass": 0}],
        }  # fmt: skip
        self._registry(app)

        @app.get("/api/trainer/models")
        async def _standings() -> Any:
            return {"models": STANDINGS}

        @app.get("/api/batch/demand")
        async def _demand(authorization: Annotated[str, Header()]) -> Any:
            if "operator" not in who(authorization)["roles"]:
                return problem_response(403, "You may not do this.")
            return self.demand

        @app.get("/api/warehouse/figures")
        async def _figures() -> Any:
            return self.figures

    def _registry(self, app: FastAPI) -> None:
        @app.get("/api/2.0/mlflow/registered-models/search")
        async def _models() -> Any:
            aliases = [{"alias": "champion", "version": "2"}]
            return {"registered_models": [{"name": "image_quick", "description": "A <first> look", "aliases": aliases}]}

        @app.get("/api/2.0/mlflow/model-versions/search")
        async def _versions() -> Any:
            tags = [{"key": "purpose", "value": "an answer at once"}, {"key": "dirty", "value": "false"}]
            one = {"name": "image_quick", "tags": tags, "creation_timestamp": MADE_AT}
            dirty = [{"key": "dirty", "value": "true"}]
            return {
                "model_versions": [
                    one | {"version": "1", "run_id": "a", "tags": dirty},
                    one | {"version": "2", "run_id": "b"},
                ]
            }

        @app.get("/api/2.0/mlflow/experiments/search")
        async def _experiments() -> Any:
            return {"experiments": [{"experiment_id": "7"}]}

        @app.post("/api/2.0/mlflow/runs/search")
        async def _runs(body: dict[str, Any]) -> Any:
            assert body["experiment_ids"] == ["7"]
            metrics = [{"key": "held_out_accuracy", "value": 0.4711}, {"key": "baseline_accuracy", "value": 0.31}]
            return {"runs": [{"info": {"run_id": "b"}, "data": {"metrics": metrics}}]}

        @app.get("/api/2.0/mlflow/model-versions/get-download-uri")
        async def _uri(name: str, version: str) -> Any:
            return {"artifact_uri": f"mlflow-artifacts:/1/{name}{version}/artifacts/model"}

        @app.get("/api/2.0/mlflow-artifacts/artifacts")
        async def _listed(path: str) -> Any:
            return {"files": [{"path": "model.onnx"}, {"path": "confusion.png"}, {"path": "card.md"}]}

        @app.get("/api/2.0/mlflow-artifacts/artifacts/1/image_quick2/artifacts/model/confusion.png")
        async def _picture() -> Response:
            return Response(PICTURE)
