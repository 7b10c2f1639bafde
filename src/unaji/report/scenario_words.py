"""What the page of a scenario says, Japanese and English side by side."""

from __future__ import annotations

from unaji.body.counterfactual import Attribution
from unaji.report.words import signed

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("うなじで何が起きるか:{title}", "What happens in your neck: {title}"),
    "kind": ("うなじで何が起きるか", "What happens in your neck"),
    "computed": ("計算の図", "computed"),
    "other_language": ("English below", "日本語は上"),
    "felt_fact": ("感じる熱さ(最大)", "felt heat, at most"),
    "nape_fact": ("うなじの皮膚の変化", "change of the nape's skin"),
    "core_fact": ("深部体温の変化", "change of core temperature"),
    "of_ten": ("{n} / 10", "{n} of 10"),
    "kelvin": ("{n}℃", "{n} K"),
    "section_inside": ("首の中", "Inside the neck"),
    "inside": (
        "うなじの皮膚は{before}℃から{peak}℃になります",
        "The nape's skin goes from {before} to {peak} °C",
    ),
    "inside_same": ("うなじの皮膚は{before}℃のままです", "The nape's skin stays at {before} °C"),
    "inside_note": (
        "左(上)は始まる前、右(下)は{moment}。点の大きさは血の流れ、朱の輪は感じた熱さです。",
        "Left (or above): before it begins; right (or below): {moment}. Dots show blood flow, the red ring felt heat.",
    ),
    "moment_felt": ("熱さをいちばん強く感じたとき({when})", "when most heat is felt ({when})"),
    "moment_nape": ("うなじの皮膚がいちばん変わったとき({when})", "when the nape's skin has changed most ({when})"),
    "after_minutes": ("始まってから{n}分後", "{n} min after it began"),
    "after_hours": ("始まってから{n}時間後", "{n} h after it began"),
    "after_days": ("始まってから{n}日後", "{n} days after it began"),
    "section_course": ("時間による変化", "Over time"),
    "course": ("感じる熱さは{when}に、10のうち{felt}まで上がります", "Felt heat rises to {felt} of 10, {when}"),
    "course_unfelt": ("熱さは、ほとんど感じられません", "Hardly any heat is felt"),
    "course_note": (
        "上の帯は、何があったか。感じる熱さの面は、五つの道すじの分け前です。",
        "The bars on top say what happened. The area under the felt heat is the shares of the five ways.",
    ),
    "course_note_unfelt": ("上の帯は、何があったか。", "The bars on top say what happened."),
    "section_shares": ("何が熱くしたか", "What made it hot"),
    "section_shares_cool": ("何が冷やしたか", "What cooled it"),
    "shares_first": ("いちばん大きいのは「{way}」", "The largest part is “{way}”"),
    "shares_two": ("大きいのは「{way}」と「{other}」", "The largest parts are “{way}” and “{other}”"),
    "shares_none": ("分けるほどの熱さも温まりもありません", "There is neither heat nor warming to share out"),
    "shares_note": (
        "同じ場面を、五つの道すじを入れたり外したりして32通り計算し、それぞれの分け前を出しました(シャープレイ値)。"
        "点線の棒は、弱める向き。段ごとに目盛りがちがいます。",
        "The same scene was computed 32 times, with and without each of five ways; these are their shares (Shapley "
        "values). A dashed bar takes away. Each panel has a scale of its own.",
    ),
    "felt_panel": ("感じる熱さ(0〜10、最大のとき)", "Felt heat (0–10, at its highest)"),
    "nape_panel": ("うなじの皮膚の変化(℃)", "Change of the nape's skin (K)"),
    "core_panel": ("深部体温の変化(℃)", "Change of core temperature (K)"),
    "sum_panel": ("熱さ×時間(時間)", "Felt heat × time (h)"),
    "way": ("道すじ", "way"),
    "total": ("合計", "total"),
    "table": ("数字の表で見る", "See the numbers"),
    "vascular": ("皮膚の血の流れ", "skin blood flow"),
    "heat_load": ("まわりの暑さ・服・運動", "surroundings, clothing and exertion"),
    "core": ("体温の上がり(発熱・時刻)", "body temperature (fever, time of day)"),
    "muscle": ("首の筋肉の働き", "work of the neck muscles"),
    "sensory": ("感じ方", "sensation"),
    "would_see": ("測ると、どう見えるか", "What sensors would see"),
    "nape_skin_temp_c": ("うなじの皮膚", "nape skin"),
    "finger_skin_temp_c": ("指先", "fingers"),
    "core_temp_c": ("深部体温", "core temperature"),
    "hr_bpm": ("心拍数", "heart rate"),
    "pressure_pain_threshold_kpa": ("押して痛む強さ", "pressure-pain threshold"),
    "emg_percent_mvc": ("首の筋電図", "neck muscle activity (EMG)"),
    "up": ("↑ 上がる", "↑ up"),
    "down": ("↓ 下がる", "↓ down"),
    "no": ("– 変わらない", "– no change"),
    "signs_note": (
        "家で使う測定器で分かる大きさの変化だけを、変化としています。",
        "Only what a sensor of everyday life would tell from its noise counts as a change.",
    ),
    "separates": (
        "「{first}」と「{second}」を見分けるなら、{measurement}を測るのがよいでしょう"
        "(熱さがいちばん強いとき、{first}なら{a}、{second}なら{b})。",
        "To tell “{first}” from “{second}”, measure: {measurement} (at the highest heat, {a} for the first, {b} for "
        "the second).",
    ),
    "separates_not": (
        "「{first}」と「{second}」は、手軽な測定を一度しただけでは見分けられません(いちばんましなのは{measurement})。",
        "No single simple reading tells “{first}” from “{second}” (the best of them: {measurement}).",
    ),
    "section_sure": ("どこまで確かか", "How sure is this?"),
    "sure": ("計算であり、測定ではありません", "This is computed, not measured"),
    "links": ("使ったつながりと、その裏づけ", "The links used, and how well they are proven"),
    "grade_A": ("A 多くの良い研究で確かめられている", "A well established"),
    "grade_B": ("B 研究はあるが、数や質が足りない", "B studied, not enough"),
    "grade_C": ("C 小さな研究や、しくみからの説明", "C small studies or mechanism"),
    "grade_D": ("D 体験談や推測にとどまる", "D anecdote or guess"),
    "hangs": ("結果をいちばん左右する数字", "The numbers on which the result hangs most"),
    "hangs_felt": (
        "確かでない数字を一つずつ範囲の端まで動かすと、感じる熱さの最大は、次のように変わります。",
        "Each uncertain number was moved to the ends of its range, one at a time. The highest felt heat then becomes:",
    ),
    "hangs_nape": (
        "確かでない数字を一つずつ範囲の端まで動かすと、うなじの皮膚の変化は、次のように変わります。",
        "Each uncertain number was moved to the ends of its range, one at a time. The change of the nape's skin then "
        "becomes:",
    ),
    "lean": (
        "{low}なら{at_low}、{high}なら{at_high}(計算では{value})",
        "{at_low} at {low}, {at_high} at {high} (computed with {value})",
    ),
    "mark_assumption": ("仮定", "assumption"),
    "mark_recalled": ("確認待ち", "to be checked"),
    "never_measured": (
        "ストレスや感情のときのうなじの皮膚の温度や血の流れは、調べたかぎり、まだ測られていません。",
        "Temperature and blood flow of the nape's skin under stress or emotion have, as far as was found, never been "
        "measured.",
    ),
    "sources": ("場面の出どころ", "Where the scene comes from"),
    "warning_lead": (
        "この場面では、深部体温が{n}℃まで上がります。実際に起きたときは、この計算より受診が先です。",
        "In this scene the core reaches {n} °C. If it happens to you, a doctor comes before this computation.",
    ),
    "warning": ("先に医師へ", "See a doctor first"),
    "not_a_diagnosis": (
        "これは計算です。測定でも診断でもありません。心配なときは医師に相談してください。",
        "This is computed; it is neither a measurement nor a diagnosis. If you are worried, ask a doctor.",
    ),
    "made_by": ("作成 unaji {version}", "Made by unaji {version}"),
}


def say(key: str, language: str, **values: object) -> str:
    """Return a text in "ja" or "en" with its placeholders filled; KeyError for one that is missing."""
    return TEXTS[key][language == "en"].format(**values)


def separation_sentence(found: Attribution, language: str) -> str:
    """Say what would tell the two leading ways apart; empty where there are not two."""
    best = found.separation()
    if best is None:
        return ""
    names = {"first": say(str(best.first), language), "second": say(str(best.second), language),
             "measurement": say(best.measurement, language)}  # fmt: skip
    if not best.is_enough:
        return say("separates_not", language, **names)
    kelvin = "℃" if language == "ja" else " K"
    unit = {"hr_bpm": " bpm", "pressure_pain_threshold_kpa": " kPa"}.get(best.measurement, kelvin)
    first, second = (signed(change, 1) + unit for change in (best.change_first, best.change_second))
    return say("separates", language, **names, a=first, b=second)
