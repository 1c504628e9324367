"""Asks the images service whether a picture is there for its caller to use."""

import httpx

from services.chassis.auth import Caller
from services.chassis.errors import BadInput, Fault, Unavailable
from services.chassis.logs import request_id


class Pictures:
    """The images service, as its callers see it: their token goes with the question."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http, self._address = http, address

    async def must_be_usable(self, image_id: str, caller: Caller) -> None:
        """Raises BadInput when the caller sees no such picture, Unavailable when nobody can say."""
        headers = {"Authorization": f"Bearer {caller.token}", "x-request-id": request_id.get() or ""}
        try:
            response = await self._http.get(f"{self._address}/api/images/{image_id}", headers=headers)
        except httpx.TransportError as error:
            raise Unavailable("The service of pictures does not answer.") from error
        if response.status_code == 404:
            what = "there is no such picture, or you may not see it"
            raise BadInput("", Fault(where="body.image_id", what=what, allowed="the id of a picture you uploaded"))
        if response.status_code != 200:
            raise Unavailable(f"The service of pictures answered {response.status_code}.")
