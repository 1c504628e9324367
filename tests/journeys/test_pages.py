"""Every page comes, in both languages, and everything is behind one address with one description."""

import pytest

from tests.platform import Platform


@pytest.mark.parametrize("path", ["/", "/search?q=ねこ", "/sign-in", "/sign-up", "/status"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_pages_for_everybody(platform: Platform, path: str, language: str) -> None:
    with platform.anonymous() as http:
        page = http.get(path, headers={"accept-language": language})
    assert page.status_code == 200
    assert f'lang="{language}"' in page.text


def test_one_document_describes_every_road(platform: Platform) -> None:
    with platform.anonymous() as http:
        document = http.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    for path in ("/api/identity/token", "/api/images", "/api/items", "/api/search", "/api/texts/terms",
                 "/api/trainer/runs", "/v2/models/{model}/infer"):  # fmt: skip
        assert any(_same(path, known) for known in document["paths"]), path


def _same(path: str, known: str) -> bool:
    def shape(text: str) -> list[str]:
        return ["{}" if part.startswith("{") else part for part in text.split("/")]

    return shape(path) == shape(known)


def test_statistics_tell_how_long_registered_to_searchable_takes(platform: Platform) -> None:
    with platform.anonymous() as http:
        statistics = http.get("/api/items/statistics").json()
    assert set(statistics) >= {"states", "searchable_seconds"}
