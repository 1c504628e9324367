"""What every route of the app is made of."""

from dataclasses import dataclass

from services.web.language import Words
from services.web.pages import Pages
from services.web.remote import Remote
from services.web.settings import WebSettings
from services.web.visit import Visit


@dataclass(frozen=True)
class App:
    """The pages, the other services, the settings."""

    pages: Pages
    remote: Remote
    settings: WebSettings

    def words(self, visit: Visit) -> Words:
        """The words of the visitor's language."""
        return self.pages.words_of(visit)
