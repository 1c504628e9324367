"""What pipelines learn from: tables as they were known at a moment, always the same rows in the same order.

A snapshot holds what happened before `until`. The same moment asked again gives the same bytes once everything
that happened before it has arrived, which takes seconds; the reader keeps the hash of what it got.
"""

from collections.abc import Mapping

from services.warehouse.views import Question

IMPRESSION = (
    '[{"item_id": "VARCHAR", "position": "BIGINT", "default_position": "BIGINT", "score": "DOUBLE",'
    ' "features": "JSON"}]'
)

SNAPSHOTS: Mapping[str, Question] = {
    "impressions": Question(
        ["search_shown"],
        f"""
        SELECT search_id, subject, simulated, mode, query, category, experiment, "group", ranker, ranker_version,
               shown.item_id, shown.position, shown.default_position, shown.score, shown.features, shown_at
        FROM (
            SELECT *, unnest(from_json(impressions, '{IMPRESSION}')) AS shown
            FROM search_shown WHERE event_time < $until AND shown_at >= $from AND shown_at < $to
        )
        ORDER BY shown_at, search_id, event_id, shown.position, shown.item_id
        """,  # noqa: S608
        sliced_by="shown_at",
    ),
    "searches": Question(
        ["search_shown"],
        """
        SELECT search_id, subject, simulated, mode, query, category, experiment, "group", ranker, ranker_version,
               coalesce(json_array_length(impressions), 0)::BIGINT AS results, shown_at
        FROM search_shown WHERE event_time < $until ORDER BY shown_at, search_id, event_id
        """,
    ),
    "actions": Question(
        ["search_acted"],
        """
        SELECT search_id, subject, simulated, item_id, position, action, seconds, "group", acted_at
        FROM search_acted WHERE event_time < $until ORDER BY acted_at, search_id, event_id
        """,
    ),
    "likes": Question(
        ["item_liked"],
        """
        SELECT user_id, item_id, liked, event_time AS "at"
        FROM item_liked WHERE event_time < $until ORDER BY event_time, user_id, item_id, event_id
        """,
    ),
    "items": Question(
        ["item_published", "item_removed"],
        """
        WITH latest AS (
            SELECT * FROM item_published WHERE event_time < $until
            QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY sequence DESC, event_time DESC, event_id) = 1
        ), gone AS (
            SELECT item_id, max(sequence) AS sequence, max(event_time) AS removed_at
            FROM item_removed WHERE event_time < $until GROUP BY item_id
        )
        SELECT item_id, owner_id, category, tags, title, published_at, embedding, description, embedding_version,
               CASE WHEN gone.sequence > latest.sequence THEN removed_at END AS removed_at
        FROM latest LEFT JOIN gone USING (item_id) ORDER BY published_at, item_id
        """,
    ),
    "suggestions": Question(
        ["item_registered"],
        """
        SELECT item_id, owner_id, revision, shown.field, shown.value, shown.taken, shown.model, shown.prediction_id,
               registered_at
        FROM (
            SELECT *, unnest(from_json(suggestions, '[{"field": "VARCHAR", "value": "VARCHAR", "taken": "BOOLEAN",
                                                       "model": "VARCHAR", "prediction_id": "VARCHAR"}]')) AS shown
            FROM item_registered WHERE event_time < $until
        )
        ORDER BY registered_at, item_id, revision, shown.field, shown.value, shown.model
        """,
    ),
    "reviews": Question(
        ["item_reviewed"],
        """
        SELECT decision_id, item_id, revision, decision, label, reason, moderator_id, image_id, title, description,
               category, reasons, models, reviewed_at
        FROM item_reviewed WHERE event_time < $until ORDER BY reviewed_at, decision_id, event_id
        """,
    ),
    "predictions": Question(
        ["predictions"],
        """
        SELECT prediction_id, answered_at, model, version, served_by, reason, experiment, "group", shadow_of, subject,
               language, client, simulated, rows, ms, inputs, outputs, host, segment_id
        FROM predictions WHERE answered_at < $until
        QUALIFY row_number() OVER (PARTITION BY prediction_id ORDER BY answered_at, segment_id) = 1
        ORDER BY answered_at, prediction_id
        """,
    ),
}
"""By name. A prediction that a second worker made again under its own id counts once, the first time."""
