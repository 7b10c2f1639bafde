"""A text about weak evidence says that it is weak."""

from __future__ import annotations

import pytest

from unaji.claims.graph import load_claims
from unaji.claims.hedge import WEAK, is_hedged


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_sentence_that_leaves_it_open_is_told_from_one_that_does_not(language):
    settled = {"ja": "気圧が下がると、うなじが熱くなります。", "en": "Falling pressure heats the nape. It is not far."}
    open_ = {"ja": "気圧との関係は、はっきりしていません。", "en": "Whether pressure plays a part is not clear."}

    assert not is_hedged(settled[language], language)
    assert is_hedged(open_[language], language)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_most_of_the_articles_own_weak_claims_count_as_hedged(language):
    claims = load_claims("neck_heat")
    weak = [one.claim.in_(language) for one in (*claims.causes, *claims.treatments) if one.grade in WEAK]

    assert len(weak) > 5
    assert sum(is_hedged(text, language) for text in weak) >= 0.9 * len(weak)
