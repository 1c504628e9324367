"""Who may ask: operators, and whoever is inside the platform's own network."""

from typing import Annotated

from fastapi import Depends, Request

from services.chassis.auth import Anybody, Caller
from services.chassis.errors import NotAllowed, NotSignedIn


async def operator_or_inside(request: Request, caller: Anybody) -> Caller | None:
    """The gateway says of everything it lets in where it came from; what does not say so was never outside."""
    if caller is None:
        if "x-forwarded-for" in request.headers:
            raise NotSignedIn
        return None
    if not caller.may("operator"):
        raise NotAllowed("This needs the role operator.")
    return caller


OperatorOrInside = Annotated[Caller | None, Depends(operator_or_inside)]
