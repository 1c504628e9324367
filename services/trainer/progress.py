"""How far a run is, from what DVC and the stages say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.trainer.catalogue import Pipeline

STAGE = re.compile(r"(?:Running stage|Stage) 'pipelines/(\w+)/dvc\.yaml:([\w@.-]+)'(.*)")
LINE = re.compile(r"progress model=(\S+) stage=(\S+) done=(\d+) total=(\d+) what=(.*)")
WAITING = re.compile(r"waiting model=(\S+) why=(.*)")
REGISTERED = re.compile(r"registered model=(\S+) version=(\S+)")


@dataclass
class Progress:
    """What is known of one run. A stage counts as one step, however long it takes."""

    stages: dict[str, int]  # stages by pipeline
    finished: dict[str, set[str]] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)  # stage by pipeline
    within: dict[str, float] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)  # why there is no version yet, by model

    @classmethod
    def of(cls, pipelines: Mapping[str, Pipeline]) -> "Progress":
        """Nothing is done yet."""
        return cls({name: len(pipeline.stages) for name, pipeline in pipelines.items()})

    def hear(self, line: str) -> None:
        """Learn from one line of output."""
        if found := STAGE.match(line.strip()):
            self._stage(found[1], found[2], skipped="skipping" in found[3])
        elif found := LINE.match(line):
            model, stage, done, total = found[1], found[2], int(found[3]), int(found[4])
            self.within[model] = done / total if total else 0.0
            self.told[model] = f"{model}/{stage}: {found[5]} {done} of {total}"
        elif found := REGISTERED.match(line):
            self.versions[found[1]] = found[2]
        elif found := WAITING.match(line):
            self.waiting[found[1]] = found[2]

    def ended(self, name: str) -> None:
        """The pipeline is up to date."""
        self._leave(name)
        self.stages[name] = len(self.finished.setdefault(name, set()))

    def _stage(self, name: str, stage: str, skipped: bool) -> None:
        self._leave(name)
        if skipped:
            self.finished.setdefault(name, set()).add(stage)
            return
        self.current[name] = stage
        self.told[name] = f"{name}/{stage}"

    def _leave(self, name: str) -> None:
        self.within.pop(name, None)
        self.told.pop(name, None)
        if stage := self.current.pop(name, None):
            self.finished.setdefault(name, set()).add(stage)

    @property
    def part(self) -> float:
        """Between 0 and 1."""
        total = sum(max(count, len(self.finished.get(name, ()))) for name, count in self.stages.items())
        done = sum(len(finished) for finished in self.finished.values()) + sum(self.within.values())
        return min(1.0, done / total) if total else 1.0

    @property
    def stage(self) -> str:
        """What is being done, by name: `image_screening/train, text_violation/evaluate`."""
        return ", ".join(f"{name}/{stage}" for name, stage in sorted(self.current.items()))

    def __str__(self) -> str:
        doing = "; ".join(told for _, told in sorted(self.told.items()))
        return f"training {self.part:4.0%}  {doing}".rstrip()
