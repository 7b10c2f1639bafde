"""Which warning signs were answered with yes, and how soon do they need a doctor? By the claims and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from unaji.claims.model import Claims, RedFlag, Urgency, Words

MOST_URGENT_FIRST = (Urgency.EMERGENCY, Urgency.TODAY, Urgency.DAYS)


def check_complete(answers: Mapping[str, bool], claims: Claims) -> None:
    """Check that every warning sign of the claims was answered, and nothing else.

    Raises
    ------
    ValueError
        Naming the signs that are missing or not known: half an answered list finds half of what is there.
    """
    known = {flag.id for flag in claims.red_flags}
    missing, strange = known - answers.keys(), answers.keys() - known
    if missing:
        raise ValueError(f"not answered: {', '.join(sorted(missing))}")
    if strange:
        raise ValueError(f"the article {claims.id} asks of no such sign: {', '.join(sorted(strange))}")


def signs_of(answers: Mapping[str, bool], claims: Claims) -> tuple[RedFlag, ...]:
    """Return the signs that were answered with yes, the most urgent first, then in the order of the claims.

    Answers to signs that the claims no longer know are passed over.
    """
    yes = [flag for flag in claims.red_flags if answers.get(flag.id)]
    return tuple(sorted(yes, key=lambda flag: MOST_URGENT_FIRST.index(flag.urgency)))


def level_of(answers: Mapping[str, bool], claims: Claims) -> Urgency | None:
    """Return how soon a doctor is needed: the most urgent of the signs answered with yes wins.

    Returns
    -------
    Urgency or None
        None where no sign was answered with yes. That nothing was found this time promises nothing.

    Raises
    ------
    ValueError
        A sign was not answered, or is not one of the claims.
    """
    check_complete(answers, claims)
    signs = signs_of(answers, claims)
    return signs[0].urgency if signs else None


def rules_version(claims: Claims) -> str:
    """Return what tells one wording of the warning signs from another: 32 hex digits of a SHA-256.

    It changes with any question, advice or urgency, so that an answered list says which one it answered.
    """
    said = [claims.id, [_texts(flag) for flag in claims.red_flags]]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:32]


def _texts(flag: RedFlag) -> list[object]:
    helpline = [] if flag.helpline is None else [flag.helpline.number, *_both(flag.helpline.name)]
    return [flag.id, str(flag.urgency), _both(flag.question), _both(flag.say), _both(flag.tell), helpline]


def _both(words: Words | None) -> list[str]:
    return [] if words is None else [words.ja, words.en]
