"""Condition: which predictor answers depends on the request: its language, or the client it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import Field
from pydantic_settings import BaseSettings

from services.prediction import Context, Predict, Prediction, PredictionRequest
from services.wiring import Wiring


class NotARule(ValueError):
    """A rule looks like `language:ja=challenger` or `client:kiosk=http://host:8200`."""


class ConditionParameters(BaseSettings):
    """Parameters of the pattern."""

    rules: str = Field("", description="`language:ja=challenger,client:kiosk=http://...`; the first that fits decides.")


@dataclass(frozen=True)
class Rule:
    """For which requests; `name` is what the prediction log shows."""

    attribute: str
    value: str

    @property
    def name(self) -> str:
        """As it is written in the setting."""
        return f"{self.attribute}:{self.value}"

    def fits(self, context: Context) -> bool:
        """`ja` fits `ja-JP` too."""
        told = str(getattr(context, self.attribute)).lower()
        return told == self.value or (self.attribute == "language" and told.startswith(f"{self.value}-"))


def condition(otherwise: Predict, rules: Sequence[tuple[Rule, Predict]]) -> Predict:
    """The first rule that fits decides who answers."""

    async def answered(request: PredictionRequest) -> Prediction:
        for rule, predict in rules:
            if rule.fits(request.context):
                return replace(await predict(request), group=rule.name)
        return await otherwise(request)

    return answered


def rules_in(setting: str) -> list[tuple[Rule, str]]:
    """The rules of a setting, each with who is to answer; raises NotARule."""
    return [_rule(written.strip()) for written in setting.split(",") if written.strip()]


def _rule(written: str) -> tuple[Rule, str]:
    left, _, which = written.partition("=")
    attribute, _, value = left.partition(":")
    if attribute.strip() not in ("language", "client") or not value.strip() or not which.strip():
        raise NotARule(f"{written!r}: {NotARule.__doc__}")
    return Rule(attribute.strip(), value.strip().lower()), which.strip()


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    rules = rules_in(wiring.parameters(ConditionParameters, "condition").rules)
    return condition(predict, [(rule, wiring.other(which)) for rule, which in rules])
