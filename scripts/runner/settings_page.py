"""Everything that can be set: `python -m scripts.runner.settings_page` writes docs/settings.md.

The settings classes are read, not run: no service is imported, and a default that is code is shown as code.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.runner.site import ROOT

PAGE = ROOT / "docs" / "settings.md"
SHARED = {
    "services/chassis/settings.py": "Every service",
    "services/predictors.py": "Every host of models",
    "services/deny_list.py": "Every service that judges items or keeps the judgement",
}
HEAD = """# Settings

Written by `python -m scripts.runner.settings_page`; tests keep it up to date. Every setting is an environment
variable. `compose.yaml` gives the addresses; a fork overrules it in `compose.override.yaml`, a person in `.env` or in
the shell for what stands under *Commands and compose.yaml*.
"""
COMMANDS = {
    "APP_NAME": "Name on the pages.",
    "CALLBACK_HOSTS": "Hosts (`host` or `host:port`, comma-separated) that may be told when a job ends.",
    "BIND": "Interface the gateway is published on.",
    "COMPOSE_PROJECT_NAME": "Names containers, volumes and images.",
    "CPUS": "Most processors a container may use; a machine with one needs `1`.",
    "FORK_SERVICES": "`false`: without Docker every service is a program of its own, none a copy of the nursery.",
    "LIGHT_MODELS": "Models that cost a host hardly more than the gateway: one replica answers for each of them.",
    "MEMORY_GB": "Least memory of the machine, 4 if not set; a smaller one is refused before anything starts.",
    "MODEL_IMAGE": "What `inference-in-image` runs; `scripts/build-image` prints it.",
    "PATTERNS_SYNC": "Patterns around the models of `inference-sync`, outermost first.",
    "PORT": "The public port; without Docker every other one moves with it.",
    "METRICS_KEPT": "How long Prometheus keeps what it has measured.",
    "PORT_ALERTMANAGER": "Where Docker publishes Alertmanager, on loopback.",
    "PORT_GRAFANA": "Where Docker publishes Grafana, on loopback.",
    "PORT_PROMETHEUS": "Where Docker publishes Prometheus, on loopback.",
    "PORT_REGISTRY": "Where Docker publishes the registry of images, on loopback.",
    "PORT_MLFLOW": "Where Docker publishes MLflow, on loopback.",
    "PYTHON": "The Python that `scripts/setup` makes the virtual environments with.",
    "REQUIRED_MODELS": "Models that must have a champion before the platform is healthy.",
    "REVISION": "Label of the images: the commit they are built from.",
    "SOURCE": "Label of the images: where the sources are.",
    "STATE_DIR": "Folder in which the local platform keeps everything.",
    "TRAIN_THE_REST": "`false`: models that are not required are trained only when somebody asks for them.",
    "VERSION": "Tag of the images.",
}
"""Not in any class: read by shell scripts, the runner and Compose."""
MODELS = {
    "PATTERNS": "The same, for every model without a setting of its own.",
    "PATTERNS_<MODEL>": "Patterns around a model, outermost first (`PATTERNS_IMAGE_SCREENING=fallback`).",
    "ACTIVATE_<MODEL>": "`false`: the model is left alone, its default answers.",
}
TRAINING = {
    "ALLOW_DIRTY": "`false`: registration refuses sources that differ from the commit.",
    "MLFLOW_TRACKING_URI": "Where a pipeline registers what it made.",
    "MODEL_AUTHOR": "Author of a version, where git knows none.",
    "NODE_MODULES": "Folder of the npm packages with the drawings.",
    "SOURCE_DIR": "The repository, when a pipeline runs in a copy of it.",
    "WAREHOUSE_TOKEN": "An operator's token, for a pipeline that asks the warehouse through the gateway.",
    "WAREHOUSE_URL": "Where a pipeline that learns from use finds the warehouse; without it, it waits.",
    "USER": "Author of a version, where nothing else names one.",
}
PROCESS = {
    "LISTEN_HOST": "Interface of the MLflow server.",
    "MALLOC_ARENA_MAX": "Heaps of the MLflow server's C library; 2 if it is not set.",
    "MLFLOW_ALLOWED_HOSTS": "Names under which the MLflow server may be asked.",
    "MLFLOW_ARTIFACTS": "Folder of the MLflow server's artefacts.",
    "PORT_OFFSET": "Added to every port of `services/chassis/ports.py` by the runner.",
    "REPLICA": "Number of a replica, added to its port by the runner.",
}
TOLD_BY_HAND = {
    "Commands and compose.yaml": COMMANDS,
    "Models and their patterns": MODELS,
    "Pipelines": TRAINING,
    "Processes": PROCESS,
}


@dataclass(frozen=True)
class Setting:
    """One field of a settings class."""

    name: str
    default: str
    about: str


@dataclass(frozen=True)
class Group:
    """One settings class."""

    file: str
    title: str
    about: str
    settings: tuple[Setting, ...]


def groups(root: Path = ROOT) -> list[Group]:
    """Every settings class of the services: what all share first."""
    files = sorted((root / "services").rglob("*.py"))
    found = [group for path in files for group in of_file(path, path.relative_to(root).as_posix())]
    return sorted(found, key=lambda group: (group.file not in SHARED, [*SHARED, group.file].index(group.file)))


def of_file(path: Path, file: str) -> Iterator[Group]:
    """The settings classes of one file that have fields of their own."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.ClassDef) and any(
            ast.unparse(base).endswith("Settings") for base in statement.bases
        ):
            prefix = f"{path.stem.upper()}_<MODEL>_" if path.parent.name == "patterns" else ""
            settings = tuple(fields(statement, prefix))
            if settings:
                yield Group(file, title(path, file), ast.get_docstring(statement) or "", settings)


def _holds_settings(statement: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("Settings") for base in statement.bases)


def title(path: Path, file: str) -> str:
    """What the class is of."""
    if path.parent.name == "patterns":
        return f"Pattern {path.stem}"
    return SHARED.get(file, path.parent.name.replace("_", "-"))


def fields(statement: ast.ClassDef, prefix: str) -> Iterator[Setting]:
    """The annotated fields of a class; its configuration is none."""
    for line in statement.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            default, about = parts(line.value)
            yield Setting(f"{prefix}{line.target.id}".upper(), default, about)


def parts(value: ast.expr | None) -> tuple[str, str]:
    """Default and description of `Field(...)`, or of a plain default."""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func) == "Field"):
        return (shown(value) if value else "", "")
    named = {keyword.arg: keyword.value for keyword in value.keywords}
    default = value.args[0] if value.args else named.get("default") or named.get("default_factory")
    about = named.get("description")
    return ("required" if default is None else shown(default), literal(about))


def shown(value: ast.expr) -> str:
    """A default as people write it."""
    if isinstance(value, ast.Constant):
        written = str(value.value)
        return f"`{written.lower() if isinstance(value.value, bool) else written}`" if told(value) else ""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "Path" and value.args:
        return shown(value.args[0])
    return f"`{ast.unparse(value.body if isinstance(value, ast.Lambda) else value)}`"


def told(value: ast.Constant) -> bool:
    """Whether there is anything to show: nothing, or an empty text, is no default."""
    return value.value not in (None, "")


def literal(value: ast.expr | None) -> str:
    """The text of a description."""
    return str(ast.literal_eval(value)) if value is not None else ""


def page(root: Path = ROOT) -> str:
    """The whole page."""
    lines = [HEAD]
    for group in groups(root):
        lines += [f"## {group.title}\n", f"{group.about.splitlines()[0]} `{group.file}`\n"]
        lines += ["| setting | default | means |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {one.default} | {one.about} |" for one in group.settings]
        lines += [""]
    for title_, settings in TOLD_BY_HAND.items():
        lines += [f"## {title_}\n", "| setting | means |", "|---|---|"]
        lines += [f"| `{name}` | {about} |" for name, about in settings.items()]
        lines += [""]
    return "\n".join(lines)


def main(arguments: Sequence[str] = ()) -> int:
    """Write the page."""
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
