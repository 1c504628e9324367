"""Refuses a text that can be in none of the languages its model was made for."""

from models.contract import Manifest
from models.languages import foreign
from services.chassis.errors import BadInput, Fault


def check_language(manifest: Manifest, text: str) -> None:
    """Raises BadInput, which names the scripts and the languages."""
    languages = [language for spec in manifest.inputs for language in spec.language or ()]
    if scripts := foreign(text, languages):
        what = f"is written in {', '.join(scripts)}"
        allowed = f"a text in {' or '.join(languages)}"
        raise BadInput(f"The text {what}.", Fault(where="body.text", what=what, allowed=allowed))
