"""Progress lines: the first, the last, and few in between."""

from pipelines.progress import lines, progress


def said_for(seconds: list[float]) -> list[str]:
    said: list[str] = []
    times = iter([0.0, *seconds])
    things = lines(range(len(seconds)), len(seconds), "drawing", lambda: next(times), said.append)
    assert list(things) == list(range(len(seconds)))
    return said


def test_at_most_one_line_every_two_seconds() -> None:
    done = [line.split("done=")[1].split()[0] for line in said_for([1.0, 2.0, 2.5, 2.6, 4.0, 4.1])]
    assert done == ["0", "2", "5", "6"]


def test_a_line_says_how_far_it_is() -> None:
    assert said_for([1.0])[-1] == "progress model=- stage=- done=1 total=1 what=drawing"


def test_nothing_is_lost_on_the_way() -> None:
    assert list(progress(iter("abc"), 3, "letters")) == ["a", "b", "c"]
