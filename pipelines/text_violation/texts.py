"""What is said of a text: that it is fine, or which violation it is."""

from models.labels import TEXT_VIOLATIONS, names
from models.text_violation.features import encode
from pipelines.linear_text import LinearText

LABELS = tuple(names(TEXT_VIOLATIONS))
VIOLATION = LinearText("text_violation", "violation", LABELS, encode)
