"""Makes weekly_demand: the forecast of next week's uploads and searches."""
