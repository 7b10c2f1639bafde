"""Play every scenario and write docs/explanation/scenarios.md with its pictures: python docs/make_scenarios.py"""

from __future__ import annotations

from pathlib import Path

from unaji.body.played import Played, play
from unaji.body.scenario_file import find_scenario, shipped_scenarios
from unaji.report.neck_scene import draw_course, draw_section
from unaji.report.scenario_page import apart_sentence, shares_sentence
from unaji.report.words import plain, signed

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURES = ROOT / "docs" / "explanation" / "scenarios.md", ROOT / "docs" / "scenarios"
WIDTH_PX = 720

HEAD = """# What happens in your neck when …

<!-- Written by docs/make_scenarios.py; change the scenarios or the model, not this page. -->

すべて計算で、測定ではありません。`unaji simulate 名前 --html ページ.html` で、同じ場面の詳しいページができます。

All of this is computed, not measured. `unaji simulate NAME --html PAGE.html` tells each scene in full: the shares of
the five ways, the evidence behind each link, and the uncertain numbers on which the result hangs most.

In the pictures, the left neck (始まる前) is that before anything happens, the right one (そのとき) that when most heat
is felt, or, where hardly any is felt, when the nape's skin has changed most.

| scene | felt heat, 0–10 | nape skin, K | core, K | largest part |
|---|---|---|---|---|
"""


def write() -> None:
    """Write the page and two pictures a scenario."""
    PICTURES.mkdir(exist_ok=True)
    played = [play(find_scenario(name)) for name in shipped_scenarios()]
    for one in played:
        for name, draw in (("section", draw_section), ("course", draw_course)):
            text = draw(one, "both", WIDTH_PX)
            (PICTURES / f"{one.scenario.id}-{name}.svg").write_text(text + "\n", encoding="utf-8", newline="\n")
    rows = "\n".join(map(_row, played))
    parts = "\n".join(map(_part, played))
    PAGE.write_text(f"{HEAD}{rows}\n\n{parts}", encoding="utf-8", newline="\n")


def _numbers(one: Played) -> tuple[str, str, str]:
    """Return the highest felt heat and the largest changes of nape and core."""
    nape, core = (float(one.attribution.whole[name][0]) for name in ("nape_skin_temp_c", "core_temp_c"))
    return plain(float(one.state["felt_heat"][0].max())), signed(nape, 1), signed(core, 1)


def _row(one: Played) -> str:
    felt, nape, core = _numbers(one)
    title, anchor = one.scenario.title.en, one.scenario.id
    return f"| [{title}](#{anchor}) | {felt} | {nape} | {core} | {shares_sentence(one, 'en')} |"


def _part(one: Played) -> str:
    asked, (felt, nape, core) = one.scenario, _numbers(one)
    ja = f"感じる熱さは最大で10のうち{felt}、うなじの皮膚は{nape}℃、深部体温は{core}℃。{shares_sentence(one, 'ja')}。"
    en = (
        f"Felt heat reaches {felt} of 10; the nape's skin moves by {nape} K, the core by {core} K. "
        f"{shares_sentence(one, 'en')}."
    )
    pictures = [
        f"![{asked.title.en}: {what}](../scenarios/{asked.id}-{name}.svg)"
        for name, what in (("section", "the neck before and during"), ("course", "the course over time"))
    ]
    return "\n".join([
        f'## {asked.title.ja} · {asked.title.en} <a id="{asked.id}"></a>',
        "",
        f"{asked.shows.ja}{ja}{apart_sentence(one, 'ja')}",
        "",
        f"{asked.shows.en} {en} {apart_sentence(one, 'en')}".rstrip(),
        "",
        *(line for picture in pictures for line in (picture, "")),
    ])  # fmt: skip


if __name__ == "__main__":
    write()
