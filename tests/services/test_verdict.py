"""What is done with an item, from what the models say about it."""

from dataclasses import replace
from typing import Any

import pytest

from services.contracts import Verdict
from services.deny_list import DenyList
from services.verdict import Opinion, decide, is_rejected, tags

THRESHOLDS = {"violation_reject": 0.9, "violation_review": 0.5, "category_margin": 0.2, "tag_margin": 0.4}


def picture(
    violation: float = 0.1, rule: str = "weapon", category: str = "cat", margin: float = 0.6, **changes: Any
) -> Opinion:
    """What image_screening says."""
    ok = {"label": "ok", "score": 1 - violation}
    broken = {"label": rule, "score": violation}
    top = [broken, ok] if violation > 0.5 else [ok, broken]
    answer = {
        "violation": {"label": top[0]["label"], "score": violation, "top": top},
        "category": {"label": category, "score": 0.7, "margin": margin, "top": []},
    }
    return replace(Opinion("image_screening", "picture", answer, THRESHOLDS), **changes)


def text(violation: float = 0.1, **changes: Any) -> Opinion:
    """What text_violation says."""
    answer = {"violation": {"label": "spam" if violation > 0.5 else "ok", "score": violation}}
    return replace(Opinion("text_violation", "text", answer, THRESHOLDS), **changes)


def quick(violation: float = 0.1, **changes: Any) -> Opinion:
    """What image_quick says: it can reject, and is no judge of anything else."""
    return replace(picture(violation, rule="blank"), model="image_quick", judge=False, **changes)


def test_what_nobody_objects_to_is_published() -> None:
    decision = decide([quick(), picture(), text()], chosen=None)
    assert (decision.verdict, decision.reasons) == ("publish", [])


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.49, "publish"), (0.5, "review"), (0.89, "review"), (0.9, "reject"), (1.0, "reject")]
)
def test_thresholds_are_the_manifests(score: float, verdict: Verdict) -> None:
    assert decide([picture(score), text()], chosen="cat").verdict == verdict
    assert decide([picture(), text(score)], chosen="cat").verdict == verdict


def test_a_reason_names_the_rule_the_score_and_the_model() -> None:
    (reason,) = decide([picture(0.95), text()], chosen=None).reasons
    assert (reason.kind, reason.label, reason.score, reason.by) == ("picture", "weapon", 0.95, "image_screening")


def test_a_suspicion_names_the_rule_even_when_fine_is_likeliest() -> None:
    suspects = picture(thresholds=THRESHOLDS | {"violation_review": 0.05})
    (reason,) = decide([suspects], chosen=None).reasons
    assert reason.label == "weapon"


def test_the_severest_finding_decides_and_all_are_told() -> None:
    decision = decide([picture(0.6), text(0.95)], chosen=None)
    assert decision.verdict == "reject"
    assert {reason.kind for reason in decision.reasons} == {"picture", "text"}


def test_the_quick_model_rejects_what_is_obvious_and_decides_nothing_else() -> None:
    assert decide([quick(0.95), text()], chosen=None).verdict == "reject"
    assert decide([quick(0.6), picture(), text()], chosen=None).verdict == "publish"
    unsure = replace(picture(margin=0.0), judge=False)
    assert decide([unsure, picture(), text()], chosen=None).verdict == "publish"
    away = quick(served_by="default", why_default="not_loaded")
    assert decide([away, picture(), text()], chosen=None).verdict == "publish"
    assert not is_rejected(quick(0.99, served_by="default"))


@pytest.mark.parametrize("absent", [{"image_screening"}, {"text_violation"}, {"image_screening", "text_violation"}])
def test_where_a_default_answers_a_moderator_looks(absent: set[str]) -> None:
    opinions = [
        made(served_by="default" if name in absent else "model", why_default="timeout")
        for name, made in (("image_screening", picture), ("text_violation", text))
    ]
    decision = decide(opinions, chosen="cat")
    assert decision.verdict == "review"
    assert {(reason.kind, reason.label, reason.by) for reason in decision.reasons} == {
        ("default", "timeout", name) for name in absent
    }


def test_a_default_neither_rejects_nor_clears() -> None:
    assert decide([picture(1.0, served_by="default"), text()], chosen=None).verdict == "review"
    assert decide([picture(0.95), text(served_by="default")], chosen=None).verdict == "reject"


def test_a_manifest_without_thresholds_lets_nothing_pass_unseen() -> None:
    assert decide([text(0.0, thresholds={})], chosen=None).verdict == "review"
    assert decide([text(1.0, thresholds={})], chosen=None).verdict == "review"


def test_a_toss_up_is_looked_at_unless_the_owner_named_the_category() -> None:
    unsure = picture(margin=0.19)
    decision = decide([unsure, text()], chosen=None)
    assert (decision.verdict, [reason.kind for reason in decision.reasons]) == ("review", ["category"])
    assert decide([unsure, text()], chosen="dog").verdict == "publish"


def test_the_owners_category_is_respected_and_the_difference_noted() -> None:
    decision = decide([picture(category="cat"), text()], chosen="dog")
    assert decision.verdict == "publish"
    assert [(reason.kind, reason.label) for reason in decision.reasons] == [("category", "cat")]
    assert decide([picture(category="cat"), text()], chosen="cat").reasons == []


def test_what_is_denied_is_never_decided_by_a_model_alone() -> None:
    insects, weapons = DenyList(["insect"]), DenyList(["weapon"])
    assert decide([picture(category="insect"), text()], chosen=None, denied=insects).verdict == "review"
    assert decide([picture(category="insect"), text()], chosen="insect", denied=insects).verdict == "review"
    assert decide([picture(0.99, rule="weapon"), text()], chosen=None, denied=weapons).verdict == "review"


def test_a_reason_says_what_it_was_held_against() -> None:
    (reason,) = decide([picture(0.6), text()], chosen=None).reasons
    assert reason.threshold == THRESHOLDS["violation_review"]
    (reason,) = decide([picture(0.95), text()], chosen=None).reasons
    assert reason.threshold == THRESHOLDS["violation_reject"]
    (reason,) = decide([ranked(cat=0.51, dog=0.49), text()], chosen=None).reasons
    assert (reason.label, reason.next_to, reason.threshold) == ("cat", "dog", THRESHOLDS["category_margin"])
    assert reason.margin == pytest.approx(0.02)


def ranked(**scores: float) -> Opinion:
    """A picture with these best categories."""
    (best, score), (_, next_score) = list(scores.items())[:2]
    top = [{"label": label, "score": value} for label, value in scores.items()]
    category = {"label": best, "score": score, "margin": score - next_score, "top": top}
    answer = {**picture().answer, "category": category}
    return replace(picture(), answer=answer)


def test_a_denied_label_that_is_nearly_said_makes_a_moderator_look() -> None:
    """The picture of the talk: human .70, gorilla .30."""
    listed = DenyList.read()
    for chosen in (None, "dog"):
        decision = decide([ranked(human=0.7, gorilla=0.3), text()], chosen, listed)
        assert decision.verdict == "review"
        denied = next(reason for reason in decision.reasons if reason.kind == "denied")
        assert (denied.label, denied.score, denied.next_to, denied.threshold) == ("gorilla", 0.3, "human", 0.5)
        assert denied.margin == pytest.approx(0.4)
    assert decide([ranked(human=0.9, gorilla=0.1), text()], None, listed).verdict == "publish"
    assert decide([ranked(human=0.9, gorilla=0.1), text(0.95)], None, listed).verdict == "reject"
    assert tags(ranked(human=0.8, gorilla=0.2), None, listed) == ["human"]
    assert tags(ranked(gorilla=0.9, human=0.1), None, listed) == []


def test_tags_are_in_both_languages() -> None:
    assert tags(picture(category="cat"), None) == ["cat", "猫"]
    assert tags(picture(category="cat"), "cat") == ["cat", "猫"]
    assert tags(picture(category="cat"), "dog") == ["dog", "犬", "cat", "猫"]


def test_a_label_that_only_the_model_knows_is_a_tag_as_it_is() -> None:
    assert tags(picture(category="american_bulldog"), None) == ["american bulldog"]
    assert tags(picture(category="三毛猫"), "cat") == ["cat", "猫", "三毛猫"]
    assert tags(picture(category="american_bulldog"), None, DenyList(["american_bulldog"])) == []


def test_a_tag_is_given_only_when_sure() -> None:
    assert tags(picture(margin=0.1), None) == []
    assert tags(picture(margin=0.3), None) == []
    assert decide([picture(margin=0.3), text()], chosen=None).verdict == "publish"
    assert tags(picture(margin=0.1), "dog") == ["dog", "犬"]
    assert tags(picture(served_by="default"), None) == []
    assert tags(picture(category="insect"), None, DenyList(["insect"])) == []
