"""The figure of an article: its mechanism in a few situations, computed once by the simulator of the neck.

Nobody is the standard person. So each situation happens to `N_PERSONS` different people: the picture and the numbers
are those of the middle, and beside each number stands between which values nine in ten of them lie.

To play a situation takes seconds, and many where the simulator is still to be compiled. So what was played is kept in
``UNAJI_HOME`` under a name made of everything it depends on, and `unaji serve` plays before it opens its doors.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

import unaji
from unaji.body.spread import Spread
from unaji.claims.model import Claims, Link, RedFlag, Words
from unaji.claims.publication import Publication
from unaji.web.public.shelf import shelf

WIDTHS_PX = {"phone": 330, "desktop": 640}
SCHEMES = ("light", "dark")
SKIN, FLOW, CORE, FELT = QUANTITIES = ("nape_skin_temp_c", "nape_skin_flow_ml_100g_min", "core_temp_c", "felt_heat")
"""What is told beside the picture, before and at the moment that counts."""
KEY_DIGITS = 16
"""Of the name under which what was played is kept, behind the article's id."""
NECK_PX = 540.0
"""Width of the neck without words, as it stands in the picture of a page."""
N_PERSONS, SEED = 256, 0
"""The people it happens to: as many, and the same, as those of whom the app answers a "what if"."""

_LIBRARY = Path(unaji.__file__).parent
_DEPENDS_ON = (
    "body/**/*.py", "body/**/*.toml", "claims/parameters.*", "report/figures/*.py", "report/neck_scene.py",
    "web/public/situations.py",
)  # fmt: skip
_SIZE = re.compile(r'<svg[^>]*? width="(\d+)" height="(\d+)"')
_SAID = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL)

# What follows a dark page, by the classes of the report's sheet; the inside of the neck keeps its colours.
_FOLLOWING = "blank|axis|label|small-label|neck-value|hair|tick|felt|neck-halo|neck-line(?: leader| arrow)?"
_FOLLOWS = re.compile(rf'<[^<>]*class="(?:{_FOLLOWING})"[^<>]*>')
_DARK = {
    "#FFFFFF": "#1A2229", "#1B2630": "#EEEAE3", "#46545E": "#BCC4C9", "#5F6B74": "#98A2A9", "#DDD8CE": "#303B44",
    "#33211F": "#EEEAE3", "#C8442A": "#F7743A",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """The drawing of a situation in one language and width, in both schemes."""

    width: int
    height: int
    alt: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Situation:
    """One situation, played.

    Attributes
    ----------
    before, peak : dict
        Medians of `QUANTITIES`, before anything happens and at the moment that counts.
    ranges : dict of Spread
        Of `QUANTITIES`, over the people, each against themselves: by how much skin and core have changed, how many
        times its earlier value the flow is, how much heat is felt.
    after_s : float
        How long after its beginning that moment is.
    hottest_core_c : float
        Core temperature that one in twenty people goes beyond on the way.
    links : tuple of str
        Ids of the links of cause and effect it makes use of, the worst proven last.
    pictures : dict
        By language and name of the width.
    neck : str
        The neck alone at the moment that counts, as SVG without words.
    """

    id: str
    title: Words
    shows: Words
    before: dict[str, float]
    peak: dict[str, float]
    ranges: dict[str, Spread]
    after_s: float
    hottest_core_c: float
    links: tuple[str, ...]
    pictures: dict[tuple[str, str], Picture]
    neck: str

    def links_in(self, claims: Claims) -> list[Link]:
        """Return its links with their grades."""
        known = {link.id: link for cause in claims.causes for route in cause.routes for link in route.links}
        known |= {link.id: link for treatment in claims.treatments for link in treatment.links}
        return [known[one] for one in self.links]

    def flag(self, claims: Claims) -> RedFlag | None:
        """Return the sign of danger that so high a core temperature would raise."""
        for one in claims.red_flags:
            measured = one.threshold is not None and "core_temp_c" in one.threshold.quantities
            if measured and one.threshold is not None and self.hottest_core_c >= one.threshold.at_least:
                return one
        return None


def situations_of(article: Publication) -> tuple[Situation, ...]:
    """Return an article's situations, from where they are kept; they are played where nobody did so before."""
    return _read(_folder(article)) if article.situations else ()


def play_all() -> None:
    """Play the situations of every published article that nobody played yet."""
    for article in shelf():
        if article.situations:
            _folder(article)


def _folder(article: Publication) -> Path:
    folder = Path(settings.HOME) / "public" / f"{article.claims.id}-{_key(article)}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _play(article, folder)
    return folder


def _key(article: Publication) -> str:
    said = [_library_key(), *article.situations, *(repr(link) for link in _links(article.claims))]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:KEY_DIGITS]


def _links(claims: Claims) -> list[Link]:
    return [link for cause in claims.causes for route in cause.routes for link in route.links] + [
        link for treatment in claims.treatments for link in treatment.links
    ]


@cache
def _library_key() -> str:
    digest = hashlib.sha256()
    for pattern in _DEPENDS_ON:
        for file in sorted(_LIBRARY.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _play(article: Publication, folder: Path) -> None:
    """Play every situation and keep it; what is left of earlier versions goes."""
    scratch = Path(tempfile.mkdtemp(prefix=".played-", dir=folder.parent))
    try:
        told = [_played(name, article.claims, scratch) for name in article.situations]
        (scratch / "situations.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        with suppress(OSError):  # another process of the server played the same in the meantime
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    ours = re.compile(rf"{re.escape(article.claims.id)}-[0-9a-f]{{{KEY_DIGITS}}}")
    for old in folder.parent.iterdir():
        if old != folder and ours.fullmatch(old.name):
            shutil.rmtree(old, ignore_errors=True)


def _played(name: str, claims: Claims, folder: Path) -> dict[str, Any]:
    from unaji.body.hypothesis_drivers import KnownBody, draw_persons  # noqa: PLC0415
    from unaji.body.played_by_many import play_by_many  # noqa: PLC0415  # the simulator is loaded where it is to play
    from unaji.body.scenario_file import find_scenario  # noqa: PLC0415
    from unaji.report.figures.cross_section import wordless_section  # noqa: PLC0415
    from unaji.report.neck_scene import draw_section, links_of, sections_of  # noqa: PLC0415

    persons = draw_persons(KnownBody(), np.random.default_rng(SEED), N_PERSONS)
    played = play_by_many(find_scenario(name), persons)
    scenario, state = played.scenario, played.state
    began_s = scenario.events[0].start_s if scenario.events else 0.0
    for width, px in WIDTHS_PX.items():
        (folder / f"{name}-ja-{width}.svg").write_text(draw_section(played, "ja", px), encoding="utf-8")
        (folder / f"{name}-en-{width}.svg").write_text(draw_section(played, "en", px), encoding="utf-8")
    (folder / f"{name}-neck.svg").write_text(
        wordless_section(sections_of(played)[1], width_px=NECK_PX), encoding="utf-8"
    )
    return {
        "id": name,
        "title": {"ja": scenario.title.ja, "en": scenario.title.en},
        "shows": {"ja": scenario.shows.ja, "en": scenario.shows.en},
        "before": {one: float(state[one][0, played.before]) for one in QUANTITIES},
        "peak": {one: float(state[one][0, played.peak]) for one in QUANTITIES},
        "ranges": {
            SKIN: asdict(played.change(SKIN)),
            FLOW: asdict(played.ratio(FLOW)),
            CORE: asdict(played.change(CORE)),
            FELT: asdict(played.at_peak(FELT)),
        },
        "after_s": float(state.time_s[played.peak]) - began_s,
        "hottest_core_c": played.highest(CORE).high,
        "links": [link.id for link in links_of(played, claims)],
    }


@cache
def _read(folder: Path) -> tuple[Situation, ...]:
    told = json.loads((folder / "situations.json").read_text(encoding="utf-8"))
    return tuple(
        Situation(
            id=one["id"],
            title=Words(**one["title"]),
            shows=Words(**one["shows"]),
            before=one["before"],
            peak=one["peak"],
            ranges={name: Spread(**said) for name, said in one["ranges"].items()},
            after_s=one["after_s"],
            hottest_core_c=one["hottest_core_c"],
            links=tuple(one["links"]),
            pictures={
                (language, width): _picture((folder / f"{one['id']}-{language}-{width}.svg").read_text("utf-8"))
                for language in ("ja", "en")
                for width in WIDTHS_PX
            },
            neck=(folder / f"{one['id']}-neck.svg").read_text("utf-8"),
        )
        for one in told
    )


def _picture(light: str) -> Picture:
    size, said = _SIZE.search(light), _SAID.search(light)
    assert size is not None
    assert said is not None
    return Picture(int(size[1]), int(size[2]), said[1], light, darkened(light))


def darkened(svg: str) -> str:
    """Give a drawing the colours of a dark page.

    An image knows nothing of the page's style sheet, and a style sheet of its own would have to get past the page's
    Content-Security-Policy; so the colours that follow the page are exchanged in the attributes.
    """

    def exchanged(tag: re.Match[str]) -> str:
        return re.sub("#[0-9A-F]{6}", lambda colour: _DARK.get(colour[0], colour[0]), tag[0])

    return _FOLLOWS.sub(exchanged, svg)
