"""Violating content never appears in any result; moderators decide what the models are not sure of."""

import time

import pytest

from tests.platform import Platform, blank, eventually, photo

SPAM = "今だけ無料!!! 誰でも月収100万円 → http://bit.ly/money-now LINE登録で即日入金"


def word() -> str:
    """A word nobody else uses."""
    return f"zq{time.time_ns():x}"


@pytest.mark.parametrize(
    ("picture", "text", "kind"),
    [(blank(), "きれいな花", "picture"), (photo("cat", salt=3), SPAM, "text")],
    ids=["blank picture", "spam text"],
)
def test_a_violation_is_never_found(platform: Platform, picture: bytes, text: str, kind: str) -> None:
    user, unique = platform.user(number=2), word()
    item = user.register(picture, f"{unique} {text}"[:120], text)
    decided = user.decided(item["id"])
    assert decided["state"] in ("rejected", "needs_review")
    assert kind in {reason["kind"] for reason in decided["reasons"]}
    assert item["id"] not in user.found(q=unique)
    with platform.anonymous() as http:
        assert http.get(f"/api/items/{item['id']}").status_code == 404
    stranger = platform.user(number=3)
    assert stranger.http.get(f"/api/items/{item['id']}").status_code == 404
    assert stranger.http.get(f"/api/search/similar?item_id={item['id']}").status_code == 404


def test_a_moderator_publishes_and_rejects(platform: Platform) -> None:
    user, moderator, unique = platform.user(number=2), platform.user("moderator"), word()
    doubtful = _waiting_for_review(platform, unique)
    assert user.http.post(f"/api/items/{doubtful}/review", json={"decision": "publish"}).status_code == 403
    answer = moderator.http.post(f"/api/items/{doubtful}/review", json={"decision": "publish", "reason": "fine"})
    assert answer.status_code == 200, answer.text
    eventually(lambda: doubtful in user.found(q=unique), "the published item in search")


DOUBTFUL = [
    *("buy now cheap", "free", "セール 50% off", "フォローしてね 登録はこちら", "今だけ無料 配布中", "稼げる副業の話"),
    *("won a free ticket", "what an ugly stupid thing", "バカな猫", "お得な情報はプロフィールから", "売ります 3000円"),
    *("死ぬほど不快な写真", "気持ち悪い虫、消えて", "stupid ugly dog", "win a prize with me"),
]


def _waiting_for_review(platform: Platform, unique: str) -> str:
    """An item whose text the model doubts, by its own thresholds."""
    user = platform.user(number=2)
    thresholds = user.http.get("/v2/models/text_violation").json()["parameters"]["thresholds"]
    for text in DOUBTFUL:
        title = f"{text} {unique}"
        answer = user.http.post("/v2/models/text_violation/predict", json={"text": f"{title}\n{text}"}).json()
        if thresholds["violation_review"] <= answer["violation"]["score"] < thresholds["violation_reject"]:
            item = user.register(photo("flower", salt=len(text)), title, text)
            assert user.decided(item["id"])["state"] == "needs_review"
            return str(item["id"])
    pytest.fail("the model doubts none of the doubtful texts")
