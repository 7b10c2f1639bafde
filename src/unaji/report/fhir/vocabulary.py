"""The codes of our own: what each one means, in both languages."""

from __future__ import annotations

from unaji.claims.model import Words

KINDS = {
    "episode": Words("本人が記録した症状", "the symptom as the person logged it"),
    "rating": Words("本人がつけた気分・体調の点数", "a feeling as the person rated it"),
    "outcome": Words("質問票の点数", "score of a questionnaire"),
    "record": Words("記録のある期間", "the period on record"),
    "answer": Words("記録から言えること", "what the records say"),
    "assessment": Words("1回の症状についての計算", "what was computed for one episode"),
    "factor": Words("要因についての計算", "what was computed for one factor"),
    "pair": Words("見分けられない2つの要因", "two factors that cannot be told apart"),
    "treatment_effect": Words("施術の前後と、ほかの条件をそろえた比べ", "before and after sessions, all else the same"),
    "rating_course": Words("施術の前後の点数", "a rating before and after the sessions"),
}
"""What an Observation is: its category in ``urn:unaji:kind``."""

COMPUTED = Words("記録から計算した値で、測った値ではありません", "computed from the records, not measured")

PARTS = {
    "adjusted_ratio": Words(
        "条件をそろえた回数の比", "episodes with the sessions over those without, all else the same"
    ),
    "after_worst_fortnight": Words("最も悪い2週間のあとに始まった", "began after the worst fortnight"),
    "after": Words("後の平均", "mean after"),
    "background": Words("説明のつかない回の割合", "share of episodes nothing on record explains"),
    "before": Words("前の平均", "mean before"),
    "before_after_ratio": Words("前後の回数の比(そのまま)", "rate after over rate before, as counted"),
    "change": Words("前後の差", "change"),
    "days_after": Words("後の日数", "days after"),
    "days_before": Words("前の日数", "days before"),
    "echo": Words("前の回の続きの割合", "share of episodes that followed from earlier ones"),
    "enough": Words("記録は足りているか", "are there enough records"),
    "episodes": Words("記録した回数", "episodes logged"),
    "episodes_after": Words("後の回数", "episodes after"),
    "episodes_before": Words("前の回数", "episodes before"),
    "episodes_explained": Words("説明する回数", "episodes explained"),
    "expected_anyway": Words("何もしなくても見込まれた差", "change to expect anyway"),
    "fever": Words("発熱のときの回", "during a fever"),
    "grade": Words("一般の人での裏づけ(A〜D)", "evidence in people at large (A to D)"),
    "lag": Words("遅れ", "delay"),
    "named": Words("この回で名前を挙げられる要因", "factor that may be named for this episode"),
    "observed_days": Words("記録のある日数", "days on record"),
    "one_of": Words("どちらか一方の要因", "one of these factors"),
    "p_better": Words("よくなった見込み", "probability that it got better"),
    "p_cause": Words("要因として働いている見込み", "probability that the factor is at work"),
    "p_cause_mcse": Words("その計算の誤差", "computing error of it"),
    "p_mcse": Words("見込みの計算の誤差", "computing error of the probabilities"),
    "p_worse": Words("悪くなった見込み", "probability that it got worse"),
    "rate_ratio": Words("起こりやすさの比", "how much likelier"),
    "responded": Words("3割以上かつ1点以上よくなった", "better by 30 % and by one point"),
    "seed": Words("乱数の種", "seed of the random numbers"),
    "sessions": Words("施術の回数", "sessions"),
    "share": Words("全体に占める割合", "share of all episodes"),
    "shift_p": Words("日をずらした確かめ", "shifted-days check"),
    "treatment": Words("施術", "sessions of which kind"),
    "warmth": Words("本当に温まっていたか", "did the skin really warm"),
    "weeks": Words("記録の長さ(週)", "weeks on record"),
}
"""What a component is: its code in ``urn:unaji:part``."""

SYSTEMS = {
    "assessed": Words(
        "1回の症状について言えること: fever(発熱のときで、計算から除いた)、not_fitted(計算に入らなかった)、"
        "named(要因を挙げられる)、not_attributable(挙げられない)",
        "what is said of an episode: fever (left out of the comparison), not_fitted (took no part), named (a factor "
        "may be named), not_attributable (none may)",
    ),
    "enough": Words(
        "記録の量: conclude、rank、more、none",
        "amount of records: conclude, rank, more, none",
    ),
    "factor": Words("要因のid。`causes` の id と同じ", "id of a factor, as in `causes` of the JSON"),
    "grade": Words("裏づけの4段階 A〜D", "the four grades of evidence, A to D"),
    "kind": Words("Observation の種類(下の表)", "kind of an Observation (table below)"),
    "measured": Words(
        "その回の前後に測られたもの。`measured` の名前と同じ", "what was measured near it, as in `measured` of the JSON"
    ),
    "method": Words("computed: 計算による", "computed"),
    "outcome": Words("質問票", "questionnaire, `instrument` of `outcomes.csv`"),
    "part": Words("component の意味(下の表)", "meaning of a component (table below)"),
    "pathway": Words("熱さの道筋とその見込み", "way to the heat, and its probability"),
    "rating": Words("点数の名前(GLOSSARY)", "name of a rating, see the glossary"),
    "red-flag": Words("受診をすすめる印のid", "id of a warning sign, see the page on them"),
    "source": Words(
        "1回の症状のもと: 要因のid、background、echo", "source of an episode: id of a factor, background, echo"
    ),
    "symptom": Words("記事のid", "id of the article whose symptom it is"),
    "treatment": Words("`treatments.csv` の kind", "`kind` of `treatments.csv`"),
    "urgency": Words("emergency、today、days", "emergency, today, days"),
    "verdict": Words(
        "報告が要因について言うこと。cause は、報告が「ほぼ確か」と言うときだけ",
        "what the report says of a factor; cause only where the report says almost certain",
    ),
    "warmth": Words(
        "warm(温まっていた)、felt(熱く感じた)、around(まわりが暑かった)、unmeasured(分からない)",
        "warm, felt, around (warm surroundings), unmeasured",
    ),
}
"""Our code systems, after ``urn:unaji:``."""
