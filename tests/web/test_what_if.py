"""What if: the neck simulator behind a screen."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


def test_the_screen_answers_with_four_numbers_and_a_drawing_that_are_marked_as_computed(as_hana):
    page = as_hana.get("/what-if", {"stress": "8", "covered": "1"}).content.decode()

    assert "計算の図" in page
    assert page.count('id="what-flow"') == page.count('id="what-felt"') == 1
    assert "<svg" in page
    assert "style=" not in page


def test_warmer_air_is_told_as_warmer_skin_and_flow(as_hana):
    def asked(**sent):
        answer = as_hana.get("/what-if", sent, headers={"accept": "application/json"})
        assert answer.status_code == 200
        return {one["id"]: one["value"] for one in answer.json()["numbers"]}

    usual, hot = asked(), asked(room_temp_c="33")

    assert float(hot["skin"].removesuffix("℃")) > float(usual["skin"].removesuffix("℃")) + 0.5
    assert float(hot["flow"].removesuffix("倍")) > 1.5


@pytest.mark.parametrize("sent", [{"room_temp_c": "400"}, {"stress": "-1"}, {"body_temp_c": "nan"}, {"stress": "inf"}])
def test_what_cannot_be_computed_is_said(as_hana, sent):
    answer = as_hana.get("/what-if", sent)

    assert answer.status_code == 422
    assert "範囲の外" in answer.content.decode()


def test_a_fever_is_answered_with_a_doctor_first(as_hana):
    assert "受診が先" in as_hana.get("/what-if", {"body_temp_c": "38.6"}).content.decode()
