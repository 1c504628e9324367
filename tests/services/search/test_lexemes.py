"""Terms as PostgreSQL takes them, whatever they hold."""

import pytest

from services.search.lexemes import all_of, any_of, plain, printable, vector
from tests.services.search.library import Library


def test_a_term_is_written_once_with_every_place_it_stands() -> None:
    assert vector([("A", ["猫", "白"]), ("B", ["猫"]), ("D", [])]) == "'猫':1A,3B '白':2A"


def test_queries_want_all_groups_or_any() -> None:
    assert all_of([["黒"], ["子猫", "猫"]]) == "('黒') & ('子猫' | '猫')"
    assert any_of([["黒"], ["猫"]]) == "('黒') | ('猫')"


@pytest.mark.parametrize("term", ["it's", "back\\slash", "a:b*", "a & b | !c", "(", "'", "''", "\\'", " ", "猫" * 2000])
async def test_the_server_reads_back_what_was_written(library: Library, term: str) -> None:
    async with library.database.connection() as connection:
        found = await connection.execute(
            "SELECT %s::tsvector @@ %s::tsquery AS found, tsvector_to_array(%s::tsvector) AS terms",
            (vector([("A", [term])]), all_of([[term]]), vector([("A", [term])])),
        )
        row = await found.fetchone()
    assert row == {"found": True, "terms": [term[:256]]}


def test_plain_text_has_one_width_case_and_kana() -> None:
    assert plain(" ＣＡＴ  ﾈｺ\nネコ ") == "cat ねこ ねこ"


def test_printable_text_has_no_control_characters() -> None:
    assert printable("a\x00b\nc\u2028d") == "a b c d"
