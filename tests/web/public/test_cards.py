"""The picture by which a page is shared: of its title and figure, made before anybody asks, under a name of its own."""

from __future__ import annotations

import os
import struct
import time
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from tests.web.public.reading import Page, squeezed
from unaji.claims.publication import read_shelf
from unaji.report import typefaces
from unaji.web.public import cards
from unaji.web.public.cards import Card, card_of, card_of_index, file_of, make_all, name_of

(ARTICLE,) = read_shelf()
PAPER = (0xFA, 0xF8, 0xF4)

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_folder(settings):
    """A folder for pictures that no other test looks into."""
    shared = settings.HOME / "public"
    kept = shared.resolve()
    shared.unlink()
    shared.mkdir()
    for file in kept.iterdir():
        if file.name != "cards":
            (shared / file.name).symlink_to(file)
    return shared / "cards"


def said_in(html):
    page = Page(html)
    return page, {one.get("property", one.get("name")): one["content"] for one in page.all("meta") if "content" in one}


def pixels(png):
    from matplotlib.image import imread

    return (255 * imread(BytesIO(png), format="png")[..., :3]).round().astype(int)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", ["", "neck-heat/", "neck-heat/questions/", "grades/", "corrections/", "people/reida/"])
def test_every_page_is_shared_with_a_picture_of_the_size_that_is_asked_for(visitor, language, path):
    page, said = said_in(visitor.get(f"/{language}/{path}").content.decode())
    answer = visitor.get(said["og:image"].removeprefix("http://localhost:8000"))

    assert answer.content.startswith(b"\x89PNG")
    assert struct.unpack(">II", answer.content[16:24]) == (1200, 630)
    assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
    assert said["twitter:card"] == "summary_large_image"
    assert len(answer.content) < 300_000
    if path == "neck-heat/":
        title, figure = said["og:title"], said["og:image:alt"].removeprefix(said["og:title"])
        assert squeezed(title) in page.text
        assert len(figure) > 5
        assert squeezed(figure) in page.text
        image = page.linked_data[0]["image"]
        assert (image["url"], image["width"], image["height"]) == (said["og:image"], 1200, 630)


def test_it_may_be_kept_for_ever_and_shown_elsewhere_and_sets_no_cookie(visitor, as_hana):
    address = f"/ja/card-{name_of(card_of(ARTICLE, 'ja'))}.png"

    for client in (visitor, as_hana):
        answer = client.get(address)
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["Content-Type"] == "image/png"
        assert not answer.cookies


@pytest.mark.parametrize("name", ["0" * 24, "neck_heat", "", "..", "F" * 24])
def test_there_is_no_other_picture(visitor, name):
    assert file_of(name) is None
    assert visitor.get(f"/ja/card-{name}.png").status_code == 404


def test_each_language_and_article_has_its_own_and_the_same_has_the_same_name():
    shown = [card_of(ARTICLE, "ja"), card_of(ARTICLE, "en"), card_of_index("ja"), card_of_index("en")]

    assert len({name_of(one) for one in shown}) == 4
    assert name_of(card_of(ARTICLE, "ja")) == name_of(shown[0])


def test_nobody_waits_for_what_was_made_before(visitor, own_folder, monkeypatch):
    make_all()
    monkeypatch.setattr(cards, "_set", lambda card: pytest.fail(f"{card.title} is set while a reader waits"))

    for address in ("/ja/", "/en/", "/ja/neck-heat/", "/en/neck-heat/"):
        assert visitor.get(address).status_code == 200


def test_another_title_makes_another_picture_and_the_shared_one_stays_for_a_year(own_folder):
    make_all()
    before = name_of(Card("ja", "前の題", "", ""))
    make_all()
    assert file_of(before) is not None
    assert len(list(own_folder.glob("*.name"))) == 4

    long_ago = time.time() - 367 * 86_400
    for file in own_folder.glob("*.png"):
        os.utime(file, (long_ago, long_ago))
    make_all()

    assert file_of(before) is None
    assert file_of(name_of(card_of(ARTICLE, "ja"))) is not None


def test_without_a_typeface_the_icon_stands_for_it_until_there_is_one(visitor, own_folder, monkeypatch, caplog):
    monkeypatch.setattr(typefaces, "first_of", lambda families: None)
    make_all()
    assert "no typeface for their title is installed" in caplog.text
    _, said = said_in(visitor.get("/ja/neck-heat/").content.decode())

    assert said["og:image"].endswith("icon-512.png")
    assert "twitter:card" not in said
    assert not list(own_folder.glob("*.png"))

    monkeypatch.undo()
    make_all()
    assert file_of(name_of(card_of(ARTICLE, "ja"))) is not None


def test_a_second_symptom_has_one_without_the_neck(visitor, second_article):
    page, said = said_in(visitor.get("/ja/cold-fingers/").content.decode())
    picture = pixels(visitor.get(said["og:image"].removeprefix("http://localhost:8000")).content)

    assert said["og:image:alt"] == "指先が冷えるのはなぜか"
    assert page.linked_data[0]["image"]["url"] == said["og:image"]
    assert said["og:image"] != said_in(visitor.get("/en/cold-fingers/").content.decode())[1]["og:image"]
    coloured = (np.ptp(picture, axis=2) > 40).mean()
    assert coloured < 0.001
    assert (picture != PAPER).any(axis=2).mean() > 0.02


@pytest.mark.parametrize(
    ("language", "title"),
    [("ja", "なぜ"), ("ja", "首のうしろと肩と背中の熱さについて、気圧と気温と姿勢から分かっていることと分からないこと"),
     ("ja", "うなじがじんじんとしびれるようにあつくなるときにしらべておきたいこと"),
     ("en", "What is known, and what is not, about the heat that people feel at the nape, the shoulders, the back"),
     ("en", "Pseudohypoparathyroidism-and-thermoregulation")],
)  # fmt: skip
@pytest.mark.parametrize("with_neck", [True, False])
def test_a_title_of_any_length_stays_within_its_place(language, title, with_neck):
    card = replace(card_of(ARTICLE, language), title=title, neck=card_of(ARTICLE, language).neck if with_neck else "")

    picture = pixels(file_of(name_of(card)).read_bytes())

    inked = (picture != PAPER).any(axis=2)
    assert not inked[:, :60].any()
    assert not inked[:50].any()
    assert not inked[-20:].any()
    assert inked[150:560, 60:650].any()
    if with_neck:
        assert not inked[120:560, 656:668].any()
    else:
        assert not inked[:, -60:].any()
