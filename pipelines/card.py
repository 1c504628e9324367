"""The card of a model: what people should know before they use it, generated from what was measured."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.contract import Manifest, TensorSpec


def card(manifest: Manifest, sections: Mapping[str, str]) -> str:
    """Markdown: the sections in their order, then the contract. No time and no commit is in it."""
    parts = [f"# {manifest.title} (`{manifest.name}`)"]
    parts += [f"## {heading}\n\n{text.strip()}" for heading, text in sections.items()]
    parts.append(f"## Contract\n\n{contract(manifest)}")
    return "\n\n".join(parts) + "\n"


def contract(manifest: Manifest) -> str:
    """Inputs, outputs, thresholds and the default answer as tables."""
    tensors = [*(row("input", spec) for spec in manifest.inputs)]
    tensors += [row("output", spec) for spec in manifest.outputs]
    text = table(("", "name", "type", "shape", "meaning"), tensors)
    if manifest.thresholds:
        text += "\n\n" + table(("threshold", "value"), sorted(manifest.thresholds.items()))
    return text


def row(kind: str, spec: TensorSpec) -> Sequence[Any]:
    """One tensor as a row of the table."""
    meaning = spec.meaning + (f": {', '.join(spec.labels)}" if spec.labels else "")
    return kind, f"`{spec.name}`", spec.datatype, list(spec.shape), meaning


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; numbers with four significant places."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def cell(value: Any) -> str:
    """One value as text that cannot break the table."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
