"""What the report on a person's records says, Japanese and English side by side."""

from __future__ import annotations

from collections.abc import Mapping

from unaji.quantities import EXPOSURES, QUANTITIES, RATINGS
from unaji.records.inventory import Name
from unaji.records.reasons import say_source
from unaji.records.suspicions import Suspicion
from unaji.report.words import plain

TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("記録のたな卸し", "What your records hold"),
    "kind": ("記録のたな卸し", "Records"),
    "simulated": ("シミュレーション", "simulated"),
    "lead": (
        "{first}〜{last}({days}日)に、{streams}種類の記録があります。",
        "From {first} to {last} ({days} days) there are {streams} kinds of records.",
    ),
    "fact_episodes": ("うなじの熱さの記録", "episodes logged"),
    "fact_days": ("何かの記録がある日", "days with any record"),
    "fact_doubts": ("確かめたいこと", "things to check"),
    "of_days": ("{n} / {days}日", "{n} of {days} days"),
    "cover_question": ("いつの記録があるか", "When there are records"),
    "cover_heading": ("{name}が、いちばん多くの日にあります", "Most days: {name}"),
    "body": ("からだの記録", "Body"),
    "around": ("まわりの記録", "Surroundings"),
    "diary": ("日記・治療", "Diary and treatment"),
    "cover_note": (
        "一こまは{bin}。濃いほど、その日の長い時間に記録があります。薄い地は記録なし。日記は、書いた日を濃く示します。",
        "One cell is {bin}. The darker, the more of the day is covered; the pale ground is nothing. Of a diary, days "
        "with an entry are dark.",
    ),
    "one_day": ("1日", "one day"),
    "days_bin": ("{n}日", "{n} days"),
    "aria": ("{name}: {days}", "{name}: {days}"),
    "table": ("数字の表で見る", "See the numbers"),
    "quantity": ("記録", "record"),
    "source": ("どこから", "from"),
    "rows": ("件数", "rows"),
    "days": ("ある日", "days"),
    "period": ("期間", "period"),
    "values": ("値(5%・中央・95%)", "values (5 %, median, 95 %)"),
    "doubts_question": ("おかしく見えるところ", "What looks wrong"),
    "doubts_none": ("おかしく見えるところはありません", "Nothing looks wrong"),
    "doubts_some": ("確かめたいことが{n}つあります", "Things to check: {n}"),
    "doubts_note": (
        "記録は何も変えていません。ちがっていたら、もとの書き出しや時計の設定を確かめてください。",
        "Nothing was changed. Where it is wrong, look at the export or the clock's settings.",
    ),
    "unit_between": (
        "{quantity}: {a}の値(中央{value})は、{b}の値(中央{usual} {own})を{unit}で書いたものに見えます。",
        "{quantity}: the values of {a} (median {value}) look like those of {b} (median {usual} {own}) written "
        "in {unit}.",
    ),
    "unit_changed": (
        "{quantity}({a}): {month}から、単位が変わったように見えます"
        "(中央が{usual}から{value}へ;{own}と{unit}の取りちがえか)。",
        "{quantity} ({a}): from {month} on the unit seems to change (median {usual}, then {value}; {own} taken "
        "for {unit}?).",
    ),
    "beats_and_rate": (
        "心拍の間隔({a})からは毎分{implied}拍、心拍数({b})は同じ時間に毎分{told}拍です。どちらかがちがいます。",
        "The beats of {a} say {implied} a minute, the heart rate of {b} says {told} in the same hours. One is wrong.",
    ),
    "pressures": (
        "現地気圧({a}、{station} hPa)が海面気圧({b}、{sea} hPa)より高くなっています。取りちがえていませんか。",
        "Station pressure ({a}, {station} hPa) is above sea-level pressure ({b}, {sea} hPa). Were the two mixed up?",
    ),
    "clock": (
        "{a}の心拍は、{minutes}分{late}ずらすと{b}と合います。時計か時間帯がちがっていませんか。",
        "The heart rate of {a} agrees with that of {b} when moved {minutes} min {late}. Was a clock or time zone "
        "wrong?",
    ),
    "earlier": ("早く", "earlier"),
    "later": ("遅く", "later"),
    "night_by_day": (
        "心臓がいちばん静かなのは{hour}時ごろです({a})。昼に眠る生活でなければ、時間帯の設定がちがうかもしれません。",
        "The heart is quietest about {hour}:00 ({a}). Unless you sleep in the daytime, the time zone may be wrong.",
    ),
    "same_twice": (
        "{quantity}: {a}の{percent}%は{b}と同じ時刻・同じ値です。一つの記録が二つの道で来たようです。"
        "二重には数えません。",
        "{quantity}: {percent} % of {a} has the same time and value as {b}: one recording that came by two roads. It "
        "is not counted twice.",
    ),
    "beats_overlap": (
        "心拍の間隔({a})の{percent}%が、前の拍からの時間より長くなっています。二つの記録が混じっていませんか。",
        "{percent} % of the intervals of {a} are longer than the time since the beat before. Are two recordings mixed?",
    ),
    "gaps_question": ("記録のないところ", "Where there is nothing"),
    "gaps_none": ("1日をこえて途切れた記録はありません", "No record pauses for longer than a day"),
    "gaps_some": ("いちばん長い途切れは{days}日です", "The longest silence is {days} days"),
    "gap": ("{from_}〜{to}({days}日)", "{from_} to {to} ({days} days)"),
    "overlaps_question": ("重なるところ", "Where two devices recorded the same"),
    "overlaps_none": ("同じものを同時に測った機器はありません", "No two devices measured the same at the same time"),
    "overlaps_some": ("重なるところでは、どれか一つを使います", "Where two overlap, one is taken"),
    "overlap": ("{taken}を使います({other}と{time}重なります)", "{taken} is taken (shares {time} with {other})"),
    "hours": ("{n}時間", "{n} h"),
    "minutes": ("{n}分", "{n} min"),
    "rejected_question": ("使えなかった行", "Rows that could not be used"),
    "rejected_none": ("使えなかった行はありません", "Every row could be used"),
    "rejected_some": ("{n}行が使えませんでした", "Rows that could not be used: {n}"),
    "import": ("取り込み{n}({when}、{importers})", "import {n} ({when}, {importers})"),
    "new_rows": ("{n}行を加えました", "added {n} rows"),
    "more_reasons": ("ほかに{n}の理由", "{n} more reasons"),
    "own_files": ("フォルダーの中のファイル", "files in the folder"),
    "no_imports": ("取り込みはまだありません", "nothing was imported yet"),
    "made_by": ("unaji {version}。記録はこの機械から出ていません。", "unaji {version}. No record left this machine."),
    "not_a_diagnosis": ("これは診断ではありません。", "This is not a diagnosis."),
    "legend": (
        "  一文字は{bin}。空白 なし  . 25%未満  : 50%未満  + 75%未満  # 75%以上",
        "  one letter is {bin}; blank: nothing  . under 25 %  : under 50 %  + under 75 %  # 75 % or more",
    ),
    "folder": ("このフォルダー", "this folder"),
    "site_wrist": ("手首", "wrist"),
    "site_finger": ("指", "finger"),
    "site_near_body": ("からだの近く", "near the body"),
    "site_outdoor": ("屋外", "outdoors"),
    "role_ecg": ("心電計", "ECG"),
    "role_strap": ("胸ベルト", "chest strap"),
    "role_monitor": ("医療用モニター", "clinical monitor"),
    "role_ring": ("指輪", "ring"),
    "role_watch": ("腕時計", "watch"),
    "role_phone": ("スマートフォン", "phone"),
    "role_logger": ("記録計", "logger"),
    "role_station": ("観測所", "station"),
    "role_model": ("計算値", "model"),
    "role_merged": ("合成", "merged"),
    "role_manual": ("手入力", "typed in"),
    "rri_ms": ("心拍の間隔", "beat intervals"),
    "sleep": ("睡眠", "sleep"),
    "exercise": ("運動", "exercise"),
    "neck_heat": ("うなじの熱さ", "nape heat"),
    "observed": ("日記をつけていた時間", "time under observation"),
    "barometer_moved": ("気圧計の移設・交換", "barometer moved or replaced"),
    "acupuncture": ("鍼", "acupuncture"),
    "moxibustion": ("灸", "moxibustion"),
    "massage": ("マッサージ", "massage"),
    "stretching": ("ストレッチ", "stretching"),
}


def say(key: str, language: str, **values: object) -> str:
    """Return a text with its placeholders filled."""
    return TEXTS[key][language == "en"].format(**values)


def name_of(quantity: str, language: str) -> str:
    """Return what a quantity, rating, exposure or treatment is called; its own name where unaji has none."""
    if quantity in TEXTS:
        return say(quantity, language)
    for known in (QUANTITIES, RATINGS, EXPOSURES):
        if quantity in known:
            words = known[quantity].ja if language == "ja" else known[quantity].en
            return words.partition(" (where")[0]  # a hint for those who write tables
    return quantity


def source_of(name: Name, language: str) -> str:
    """Return where rows are from: "Garmin Connect, watch (3)"."""
    source = say("folder", language) if name.source == "folder" else say_source(name.source, language)
    known = [key for key in (f"role_{name.role}", f"site_{name.site}") if key in TEXTS]
    return " ".join([source, *(say(key, language) for key in known)]) + (f" ({name.number})" if name.number else "")


def sentence(doubt: Suspicion, language: str) -> str:
    """Say what looks wrong."""
    values: dict[str, object] = {key: plain(v) if isinstance(v, float) else v for key, v in doubt.values.items()}
    if "share" in doubt.values:
        values["percent"] = round(100 * float(doubt.values["share"]))
    if "minutes" in doubt.values:
        values["minutes"] = round(float(doubt.values["minutes"]))
        values["late"] = say("earlier" if doubt.values["late"] else "later", language)
    sources = [say_source(source, language) for source in doubt.sources]
    return say(doubt.doubt, language, a=sources[0], b=sources[-1], quantity=name_of(doubt.quantity, language), **values)
