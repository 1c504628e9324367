"""What is said of a text that is being typed: its category, if it names one yet."""

from models.input_assist.features import LABELS, encode
from pipelines.linear_text import LinearText

CATEGORY = LinearText("input_assist", "category", LABELS, encode)
