"""Every model and version side by side: how good it was before it served, and how it does in use. For operators."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request, Response

from services.chassis.errors import NotAllowed, NotFound
from services.web.app import App
from services.web.figures import Figures, InUse, Suggested, in_use
from services.web.remote import together, unless_resting
from services.web.status import MAIN_METRICS, standings_of
from services.web.visit import SignedInVisit, Visit

API = "/api/2.0/mlflow"
MOST_VERSIONS, MOST_RUNS = 200, 1000
MAIN = 4
OF_BASELINE = re.compile(r"baseline|naive|last_week|popularity|bicubic")
PICTURE = re.compile(r"^[a-z0-9_-]+\.png$")


@dataclass(frozen=True)
class Version:
    """One version of a model, with what is known of it."""

    number: str
    aliases: Sequence[str]
    made_at: datetime | None
    purpose: str
    warning: str
    dirty: bool
    metrics: Mapping[str, float]
    figures: Figures
    pictures: Sequence[str] = ()

    @property
    def main(self) -> Mapping[str, float]:
        """The few figures that people look for first."""
        own = [name for name in self.metrics if not OF_BASELINE.search(name)]
        order = sorted(own, key=lambda name: (not any(word in name for word in MAIN_METRICS), len(name), name))
        return {name: self.metrics[name] for name in order[:MAIN]}

    def of_baseline(self, name: str) -> bool:
        """Whether that is a figure of what the model is compared with."""
        return OF_BASELINE.search(name) is not None


@dataclass(frozen=True)
class Model:
    """A model, with its versions, the newest first."""

    name: str
    title: str
    standing: Mapping[str, Any] | None
    suggested: Suggested | None = None
    versions: list[Version] = field(default_factory=list)


def routes(app: App) -> APIRouter:
    """`/models`, and the pictures of its cards."""
    router = APIRouter(include_in_schema=False)

    @router.get("/models")
    async def _models(request: Request, visit: SignedInVisit) -> Response:
        operators_only(visit)
        registered, versions, standings, figures = await together(
            _registry(app, "registered-models/search", "registered_models", max_results=100),
            _registry(app, "model-versions/search", "model_versions", max_results=MOST_VERSIONS),
            standings_of(app),
            in_use(app, visit),
        )
        metrics = await _metrics(app, versions or [])
        found = compared(registered or [], versions or [], standings or [], metrics, figures)
        await _with_pictures(app, found)
        values = {"found": found, "resting": registered is None, "figures": figures, "standings": standings}
        return app.pages.draw(request, "models.html", **values)

    @router.get("/models/{name}/{number}/{picture}")
    async def _picture(name: str, number: str, picture: str, visit: SignedInVisit) -> Response:
        operators_only(visit)
        if not PICTURE.match(picture):
            raise NotFound(f"There is no picture {picture[:60]}.")
        root = await _root(app, name, number)
        answer = await app.remote.send("mlflow", "GET", f"/api/2.0/mlflow-artifacts/artifacts/{quote(root)}/{picture}")
        headers = {"cache-control": "private, max-age=3600", "content-security-policy": "default-src 'none'"}
        return Response(answer.content, media_type="image/png", headers=headers)

    return router


def operators_only(visit: Visit) -> None:
    """Raises NotAllowed for everybody else."""
    if not visit.operates:
        raise NotAllowed()


def compared(
    registered: Sequence[Mapping[str, Any]],
    versions: Sequence[Mapping[str, Any]],
    standings: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Mapping[str, float]],
    figures: InUse | None,
) -> list[Model]:
    """All models that are registered or could be, by name."""
    titles = {one["name"]: one.get("description") or one["name"] for one in registered}
    aliases = {(one["name"], str(a["version"])): a["alias"] for one in registered for a in one.get("aliases") or []}
    standing = {one["name"]: one for one in standings}
    suggested = figures.suggested if figures else {}
    models = {
        name: Model(name, titles.get(name, name), standing.get(name), suggested.get(name))
        for name in sorted({*titles, *standing})
    }
    for one in sorted(versions, key=lambda one: -int(one["version"])):
        key = (one["name"], str(one["version"]))
        if one["name"] in models:
            named = [alias for place, alias in aliases.items() if place == key]
            made = _version(
                one, named, metrics.get(one.get("run_id", ""), {}), figures.of(*key) if figures else Figures()
            )
            models[one["name"]].versions.append(made)
    return list(models.values())


def _version(one: Mapping[str, Any], aliases: Sequence[str], metrics: Mapping[str, float], figures: Figures) -> Version:
    tags = {tag["key"]: tag["value"] for tag in one.get("tags") or []}
    at = one.get("creation_timestamp")
    return Version(
        number=str(one["version"]),
        aliases=aliases,
        made_at=datetime.fromtimestamp(int(at) / 1000, UTC) if at else None,
        purpose=tags.get("purpose", ""),
        warning=tags.get("leakage_warning", ""),
        dirty=tags.get("dirty") == "true",
        metrics=dict(sorted(metrics.items())),
        figures=figures,
    )


async def _registry(app: App, path: str, what: str, **asked: Any) -> list[dict[str, Any]] | None:
    """A list of the registry; None while it rests."""
    answer = await unless_resting(app.remote.json("mlflow", "GET", f"{API}/{path}", params=asked), None)
    return None if answer is None else list(answer.get(what) or [])


async def _metrics(app: App, versions: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The metrics of all runs by their id: two questions, however many models there are."""
    if not versions:
        return {}
    experiments = await _registry(app, "experiments/search", "experiments", max_results=MOST_RUNS) or []
    asked = {"experiment_ids": [one["experiment_id"] for one in experiments], "max_results": MOST_RUNS}
    answer = await unless_resting(app.remote.json("mlflow", "POST", f"{API}/runs/search", json=asked), None) or {}
    return {run["info"]["run_id"]: _of_run(run) for run in answer.get("runs") or []}


def _of_run(run: Mapping[str, Any]) -> dict[str, float]:
    return {one["key"]: float(one["value"]) for one in (run.get("data") or {}).get("metrics") or []}


async def _with_pictures(app: App, models: Sequence[Model]) -> None:
    """The cards' pictures of the versions in use and of the newest ones."""
    wanted = [(model, at) for model in models for at, one in enumerate(model.versions) if one.aliases or at == 0]
    found = await together(*(_pictures(app, model.name, model.versions[at].number) for model, at in wanted))
    for (model, at), pictures in zip(wanted, found, strict=True):
        model.versions[at] = Version(**{**vars(model.versions[at]), "pictures": pictures})


async def _pictures(app: App, name: str, number: str) -> list[str]:
    root = await unless_resting(_root(app, name, number), "")
    if not root:
        return []
    listing = app.remote.json("mlflow", "GET", "/api/2.0/mlflow-artifacts/artifacts", params={"path": root})
    files = (await unless_resting(listing, None) or {}).get("files") or []
    return sorted(name for file in files if PICTURE.match(name := str(file["path"]).rsplit("/", 1)[-1]))


async def _root(app: App, name: str, number: str) -> str:
    """Where the artefact of a version lies below the registry's store."""
    asked = {"name": name, "version": number}
    answer = await app.remote.json("mlflow", "GET", f"{API}/model-versions/get-download-uri", params=asked)
    return urlsplit(str(answer["artifact_uri"])).path.strip("/")
