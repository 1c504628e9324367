"""Which models have a champion: one question to MLflow, without the code of the hosts, which loads ONNX Runtime."""

from dataclasses import dataclass

import httpx

ALIAS = "champion"


@dataclass(frozen=True)
class Champions:
    """The registry, as far as those who serve no model have to know it."""

    http: httpx.AsyncClient
    address: str

    async def has(self, name: str) -> bool:
        """Whether the alias names a version of this model; raises httpx.HTTPError when MLflow does not answer."""
        return await self.version(name) is not None

    async def version(self, name: str) -> str | None:
        """The version that the alias names; raises httpx.HTTPError when MLflow does not answer."""
        url = f"{self.address.rstrip('/')}/api/2.0/mlflow/registered-models/alias"
        response = await self.http.get(url, params={"name": name, "alias": ALIAS})
        if response.status_code in (400, 404):  # no such alias, no such model
            return None
        response.raise_for_status()
        return str((response.json().get("model_version") or {}).get("version") or "")
