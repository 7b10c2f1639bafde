"""Every input that an article speaks of knows its links, and they come with their grades, the worst proven last."""

from __future__ import annotations

import pytest

from unaji.body.channels import CHANNELS
from unaji.body.links import LINKS, graded, links_of_inputs
from unaji.claims.graph import load_claims

CLAIMS = load_claims("neck_heat")


def test_links_belong_to_inputs_of_the_simulator():
    assert set(LINKS) <= set(CHANNELS)


def test_every_link_is_claimed():
    wanted = links_of_inputs(LINKS)
    assert {link.id for link in graded(wanted, CLAIMS)} == set(wanted)


def test_a_link_that_two_inputs_share_is_named_once_and_one_named_besides_is_kept():
    named = links_of_inputs(("flexion_deg", "arm_load"), also=("fever_warms", "neck_load"))
    assert len(named) == len(set(named))
    assert named[-1] == "fever_warms"
    assert set(LINKS["arm_load"]) < set(named)


def test_the_worst_proven_link_stands_last():
    grades = [str(link.grade) for link in graded(links_of_inputs(("stress", "emotion")), CLAIMS)]
    assert grades == sorted(grades)
    assert (grades[0], grades[-1]) == ("A", "D")


@pytest.mark.parametrize("name", ["posture", "hour", "unheard_of"])
def test_an_input_of_which_nothing_is_claimed_has_no_links(name):
    assert links_of_inputs((name,)) == ()


def test_a_link_that_the_article_does_not_claim_is_left_out():
    assert graded(("fever_warms", "moonlight"), CLAIMS)[0].id == "fever_warms"
    assert len(graded(("fever_warms", "moonlight"), CLAIMS)) == 1
