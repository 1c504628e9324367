"""The words every model, page and query shares: categories and kinds of violation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Label:
    """One thing a model can say, with its name in both languages of the product."""

    name: str
    en: str
    ja: str


CATEGORIES: tuple[Label, ...] = (
    Label("cat", "cat", "猫"),
    Label("dog", "dog", "犬"),
    Label("bird", "bird", "鳥"),
    Label("fish", "fish", "魚"),
    Label("insect", "insect", "虫"),
    Label("flower", "flower", "花"),
    Label("fruit", "fruit", "果物"),
    Label("food", "food", "食べ物"),
    Label("car", "car", "車"),
    Label("house", "house", "家"),
)
"""Order is the order of every `category` tensor."""

PICTURE_VIOLATIONS: tuple[Label, ...] = (
    Label("ok", "fine", "問題なし"),
    Label("blank", "blank picture", "無地の画像"),
    Label("noise", "noise", "ノイズ画像"),
    Label("text", "picture of text", "文字だけの画像"),
    Label("banner", "advertising banner", "広告バナー"),
    Label("weapon", "weapon", "武器"),
    Label("alcohol", "alcohol or tobacco", "酒・たばこ"),
    Label("degraded", "unrecognisable picture", "判別できない画像"),
)
"""Order is the order of every `violation` tensor; the first is no violation."""

TEXT_VIOLATIONS: tuple[Label, ...] = (
    Label("ok", "fine", "問題なし"),
    Label("spam", "spam", "スパム"),
    Label("abuse", "abuse", "誹謗中傷"),
)
"""Order is the order of the `violation` tensor of text_violation; the first is no violation."""


def names(labels: tuple[Label, ...]) -> list[str]:
    """The names alone, in tensor order."""
    return [label.name for label in labels]
