"""Who has a role of its own on the database server: `migrate` makes them, `keys` their passwords."""

SCHEMAS = (
    "identity",
    "items",
    "images",
    "search",
    "inference",
    "inference_async",
    "inference_batch",
    "image_builder",
    "trainer",
    "monitoring",
    "proxy",
    "warehouse",
)
"""A role and a schema of that name each, in the database `platform`."""

ROLES = (*SCHEMAS, "mlflow")
