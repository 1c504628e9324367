"""One mapping between what Python calls a service and what everything else calls it."""


def module_name(service: str) -> str:
    """`inference-sync` -> `inference_sync`."""
    return service.replace("-", "_")


def service_name(module: str) -> str:
    """`inference_sync` -> `inference-sync`."""
    return module.replace("_", "-")
