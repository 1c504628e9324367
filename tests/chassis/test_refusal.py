"""A service that cannot start says which variable, what it was given, and what may be given; no traceback."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings

from scripts.runner.site import ROOT
from services.chassis.refusal import reasons, slips
from services.chassis.settings import Settings, Unusable


class ToySettings(Settings):
    toy_size: int = Field(1, ge=1, description="How large it is.")
    toy_place: str = Field(description="Where it is.")


class ToyParams(BaseSettings):
    toy_share: float = Field(0.1, le=1, description="Part of it.")


def refused(kind: type[BaseSettings], given: Mapping[str, str], prefix: str = "") -> list[str]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in given.items():
            patched.setenv(name, value)
        with pytest.raises(Exception, match="validation error") as error:
            kind(_env_prefix=prefix)
        return reasons(error.value)


def test_a_wrong_value_and_a_missing_one_are_told_with_what_they_mean() -> None:
    wrong, missing = refused(ToySettings, {"TOY_SIZE": "abc"})
    assert wrong.startswith("TOY_SIZE=abc: Input should be a valid integer")
    assert wrong.endswith("How large it is.")
    assert missing == "TOY_PLACE is missing. Where it is."


def test_what_may_be_given_is_told() -> None:
    (told,) = refused(ToySettings, {"LOG_LEVEL": "LOUD", "TOY_PLACE": "here"})
    assert told.startswith("LOG_LEVEL=LOUD: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'")


def test_a_parameter_of_a_pattern_is_told_by_its_whole_name() -> None:
    (told,) = refused(ToyParams, {"AB_TEST_MODEL_TOY_SHARE": "7"}, prefix="AB_TEST_MODEL_")
    assert told.startswith("AB_TEST_MODEL_TOY_SHARE=7: Input should be less than or equal to 1")


def test_other_errors_are_nobodys_settings() -> None:
    assert reasons(ValueError("no")) == []
    assert reasons(Unusable("A=1: no\nB is missing")) == ["A=1: no", "B is missing"]


def test_a_slip_of_the_pen_is_noticed() -> None:
    assert list(slips({"KAFKA_BOOTSTRAP_SERVER": "kafka:8340", "HOME": "/", "DATABASE_URL": "x"})) == [
        "KAFKA_BOOTSTRAP_SERVER is no setting; is KAFKA_BOOTSTRAP_SERVERS meant?"
    ]


@pytest.mark.parametrize(
    ("service", "given", "told"),
    [
        ("preflight", {"REQUIRED_MODELS": "nobody"}, "REQUIRED_MODELS=nobody: nobody is none of "),
        ("preflight", {"MEMORY_GB": "plenty"}, "MEMORY_GB=plenty: "),
        ("trainer", {"TRAINER_PROCESSES": "none"}, "TRAINER_PROCESSES=none: "),
        ("items", {}, "DATABASE_URL is missing"),
        ("inference-sync", {"MODEL_QUEUE": "-1"}, "MODEL_QUEUE=-1: "),
        ("web", {"LOG_FORMAT": "xml"}, "LOG_FORMAT=xml: Input should be 'json' or 'line'"),
    ],
)
def test_a_process_says_it_in_one_line_and_ends(service: str, given: Mapping[str, str], told: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = [sys.executable, "-m", "services", service]
    done = subprocess.run(
        command, cwd=ROOT, env={**clean, **given}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{service} cannot start: {told}")
