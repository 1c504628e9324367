"""What was suggested while an item was being filled in, and whether its owner took it.

Whoever offered the form says what was on it; whether it was taken is told by what was registered, for everybody by the
same rule. It goes with the event of the registration, and is kept nowhere else.
"""

import re

from services.contracts import Suggested
from services.items.entries import Offered, Registration


def suggested(entry: Registration) -> list[Suggested]:
    """Every suggestion that was on the form, as the event has it."""
    return [Suggested(taken=taken(one, entry), **one.model_dump()) for one in entry.suggestions]


def taken(one: Offered, entry: Registration) -> bool:
    """The category is the one suggested, the title begins with it, the description has the tag."""
    if one.field == "category":
        return entry.category == one.value
    if one.field == "title":
        return re.match(re.escape(one.value) + r"(?![a-zA-Z0-9])", entry.title) is not None
    return re.search(rf"#{re.escape(one.value)}(?!\w)", entry.description) is not None
