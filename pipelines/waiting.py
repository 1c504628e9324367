"""Not enough data yet: how a pipeline says that it makes no model for now, which is no failure.

A stage that cannot go on calls `wait(FOLDER, WHY)` for each folder it writes; the stages after it ask
`why(FOLDER)` of what they read and do the same. Left without an artefact but with this note, the
register stage registers nothing and says why; the trainer hears that and tells people.
"""

import json
import shutil
from pathlib import Path

NOTE = "waiting.json"


def wait(folder: Path, why: str) -> None:
    """Leave nothing in the folder but why there is nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / NOTE).write_text(json.dumps({"why": one_line(why)}, ensure_ascii=False) + "\n", "utf-8")


def why(folder: Path) -> str | None:
    """Why there is nothing in the folder; nothing if there is something."""
    note = folder / NOTE
    return str(json.loads(note.read_bytes())["why"]) if note.is_file() else None


def one_line(why: str) -> str:
    """As the trainer reads it."""
    return " ".join(why.split())
