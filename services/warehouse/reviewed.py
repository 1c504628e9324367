"""What moderators' decisions say of the models that judge: what was suspected rightly, wrongly, and what was missed.

A decision that was taken back says nothing, and of several about one revision the last one counts. Only what a
moderator looked at is known here; what was published or rejected unseen is not, so these are no rates of all items.
"""

from collections.abc import Iterable

from models.judges import JUDGES
from services.warehouse.figures import BETWEEN
from services.warehouse.views import Question


def _own(violations: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in violations)


_ITS_OWN = " OR ".join(f"(model = '{model}' AND label IN ({_own(found)}))" for model, found in JUDGES.items())

REVIEWED = Question(
    ["item_reviewed"],
    f"""
    WITH standing AS (
        SELECT * FROM item_reviewed
        WHERE {BETWEEN} AND decision <> 'undo' AND decision_id NOT IN (
            SELECT decision_id FROM item_reviewed WHERE decision = 'undo' AND event_time < $until
        )
        QUALIFY row_number() OVER (PARTITION BY item_id, revision ORDER BY reviewed_at DESC, event_id DESC) = 1
    ), judged AS (
        SELECT model, json_extract_string(models, '$."' || model || '".version') AS version,
               decision = 'publish' AS fine, coalesce({_ITS_OWN}, false) AS broken,
               len(list_filter(
                   from_json(reasons, '[{{"kind": "VARCHAR", "by": "VARCHAR"}}]'),
                   lambda found: found.by = model AND found.kind IN ('picture', 'text')
               )) > 0 AS suspected
        FROM (SELECT *, unnest(json_keys(models)) AS model FROM standing)
        WHERE model IN ({_own(JUDGES)})
          AND json_extract_string(models, '$."' || model || '".served_by') = 'model'
    )
    SELECT model, version, count(*) FILTER (fine OR broken) AS labels,
           count(*) FILTER (suspected AND broken) AS found, count(*) FILTER (suspected AND fine) AS false_positives,
           count(*) FILTER (NOT suspected AND broken) AS false_negatives,
           count(*) FILTER (NOT suspected AND fine) AS let_pass
    FROM judged GROUP BY ALL ORDER BY model, version
    """,  # noqa: S608
)
