"""Runs `dvc repro` as a process of its own and tells what it says, line by line."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

BUSY = ("Unable to acquire lock", "is busy, it is being blocked by")
"""What DVC says when another of its processes holds a lock for a moment."""

KILLED = re.compile(r"exited with (-9|137)$")
"""What DVC says when the system killed a stage."""

NO_MEMORY = "the system killed this stage, as it does when memory runs out: give the trainer more (mem_limit), or the \
machine, or set TRAINER_PROCESSES=1"

LONGEST_LINE = 1 << 20
POLITE, MOST_POLITE = 10, 19
"""How far training steps back for the platform, and how far what nobody waits for."""

LEASH = Path(__file__).with_name("leash.py")


class StageFailed(Exception):
    """A stage of the pipeline failed."""

    def __init__(self, name: str, output: Sequence[str]) -> None:
        hint = [NO_MEMORY] if any(KILLED.search(line) for line in output) else []
        super().__init__(f"{name}: " + "\n".join([*output, *hint]))
        self.busy = any(sign in line for sign in BUSY for line in output)


@dataclass(frozen=True)
class Places:
    """Where pipelines run, and where their sources come from."""

    workspace: Path
    source: Path
    mlflow: str

    def environment(self) -> dict[str, str]:
        """For DVC and the stages: nothing is written outside the workspace."""
        dvc = self.workspace / ".dvc"
        return {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONPATH": str(self.workspace),
            "PYTHONUNBUFFERED": "1",
            "SOURCE_DIR": str(self.source),
            "MLFLOW_TRACKING_URI": self.mlflow,
            "MPLCONFIGDIR": str(dvc / "tmp" / "matplotlib"),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(dvc / "tmp" / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(dvc / "tmp" / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(dvc / "tmp" / "system"),
        }


async def repro(places: Places, name: str, heard: Callable[[str], None], politeness: int = POLITE) -> None:
    """Bring one pipeline up to date; every line goes to `heard`. Raises StageFailed with the last lines."""
    last: list[str] = []
    log = places.workspace / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    process = await start(places, f"pipelines/{name}/dvc.yaml", politeness)
    assert process.stdin
    try:
        with log.open("w") as written:
            async for line in lines(process):
                written.write(line + "\n")
                last = [*last[-19:], line]
                heard(line)
        if await process.wait() != 0:
            raise StageFailed(name, last)
    finally:
        process.stdin.close()
        await process.wait()


async def start(places: Places, target: str, politeness: int = POLITE) -> asyncio.subprocess.Process:
    """DVC on a leash, in a process group of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(LEASH), str(politeness)),
        *(sys.executable, "-m", "dvc", "--wait-for-lock", "repro", target),
        cwd=places.workspace,
        env=places.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=LONGEST_LINE,
        start_new_session=True,
    )


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    """What the process says; a carriage return is a new line too."""
    assert process.stdout
    async for raw in process.stdout:
        for line in raw.decode(errors="replace").replace("\r", "\n").splitlines():
            if line.strip():
                yield line.rstrip()
