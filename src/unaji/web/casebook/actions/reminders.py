"""Remind a person to write: when they want it, on the ways they chose, once a day at most, and with nothing of health.

Who has written today is not reminded. What could not be sent is not sent later: a reminder of yesterday helps nobody.
"""

from __future__ import annotations

import json
import logging
from datetime import date, datetime, time, timedelta
from smtplib import SMTPException
from time import monotonic
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from unaji.records.timeline import Zones
from unaji.web.casebook.actions.consents import consented
from unaji.web.casebook.audit import record
from unaji.web.casebook.models import (
    Episode,
    Exposure,
    Person,
    PushSubscription,
    Rating,
    Reminder,
    Treatment,
    User,
)
from unaji.web.casebook.models.consent import Purpose
from unaji.web.casebook.models.diary import Entry
from unaji.web.casebook.push import Browser, FailedError, GoneError, RefusedError, notify
from unaji.web.words import catalogue

logger = logging.getLogger(__name__)

OPENS = "/evening"
SETTINGS = "/mine/reminders"
NOT_AFTER = timedelta(hours=2)
"""How much later than the chosen time a reminder may still come, where the clock stood still."""
MOST_BROWSERS = 10
LONGEST_LOOK_S = 30.0
"""How long one look may take, since jobs wait for the clock too; what is left over is sent with the next look."""
WRITTEN: tuple[type[Entry], ...] = (Episode, Rating, Exposure, Treatment)


def set_reminder(
    person: Person, *, by: User, local_time: time, by_mail: bool, by_push: bool, now: datetime | None = None
) -> Reminder:
    """Choose when and how to be reminded; a time that is over today begins tomorrow."""
    local = (now or timezone.now()).astimezone(ZoneInfo(person.timezone))
    over = local.date() if local.time() >= local_time else None
    chosen = {"local_time": local_time, "by_mail": by_mail, "by_push": by_push, "sent_on": over}
    with transaction.atomic():
        reminder, is_new = Reminder.objects.update_or_create(person=person, defaults=chosen)
        record("create" if is_new else "change", reminder, by=by, person=person.pk)
        return reminder


def stop_reminder(person: Person, *, by: User) -> None:
    """Do without reminders, and forget the browsers that were to be notified."""
    with transaction.atomic():
        for row in (*Reminder.objects.filter(person=person), *PushSubscription.objects.filter(person=person)):
            record("withdraw", row, by=by, person=person.pk)
            row.delete()


def add_browser(person: Person, browser: Browser, *, by: User) -> PushSubscription:
    """Keep where a browser is notified; it is one person's, the last who asked for it there."""
    with transaction.atomic():
        keys = {"person": person, "p256dh": browser.p256dh, "auth": browser.auth, "failed_at": None}
        kept, is_new = PushSubscription.objects.update_or_create(endpoint=browser.endpoint, defaults=keys)
        if is_new:
            record("create", kept, by=by, person=person.pk)
        for old in PushSubscription.objects.filter(person=person).order_by("-made_at")[MOST_BROWSERS:]:
            record("withdraw", old, by=None, person=person.pk)
            old.delete()
        return kept


def send_due(now: datetime | None = None) -> int:
    """Send the reminders that are due; return how many people were reminded."""
    now, began, number = now or timezone.now(), monotonic(), 0
    for reminder in Reminder.objects.filter(Q(by_mail=True) | Q(by_push=True)).select_related("person__user"):
        day = _due_on(reminder, now)
        if day is None or not _claimed(reminder, day):
            continue
        person = reminder.person
        if not consented(person, Purpose.CONTACT) or person.simulated or wrote_on(person, day):
            continue
        number += _sent(reminder, now)
        if monotonic() - began > LONGEST_LOOK_S:
            break
    return number


def wrote_on(person: Person, day: date) -> bool:
    """Say whether a person wrote anything on a day of their calendar, about whatever time."""
    zones = Zones((person.timezone,))
    first, last = (zones.to_utc(datetime.combine(one, time())) for one in (day, day + timedelta(days=1)))
    return any(
        model._default_manager.filter(
            person=person, withdrawn_at__isnull=True, recorded_at__gte=first, recorded_at__lt=last
        ).exists()
        for model in WRITTEN
    )


def _due_on(reminder: Reminder, now: datetime) -> date | None:
    """Return the local day for which a reminder is due now; None where it is not.

    Readings of the wall clock are compared, so that a time which the change to summer time leaves out comes right
    after it, and one that comes twice in autumn is used once.
    """
    local = now.astimezone(ZoneInfo(reminder.person.timezone)).replace(tzinfo=None)
    at = datetime.combine(local.date(), reminder.local_time)
    in_time = at <= local <= at + NOT_AFTER
    return local.date() if in_time and (reminder.sent_on is None or reminder.sent_on < local.date()) else None


def _claimed(reminder: Reminder, day: date) -> bool:
    """Take a day for oneself, so that two clocks do not both send; where nothing has to be sent it is done too."""
    open_ = Reminder.objects.filter(Q(sent_on__isnull=True) | Q(sent_on__lt=day), pk=reminder.pk)
    return bool(open_.update(sent_on=day))


def _sent(reminder: Reminder, now: datetime) -> bool:
    """Send on each way that was chosen; say whether it went out on one of them."""
    mailed = reminder.by_mail and _mailed(reminder.person.user)
    pushed = [_pushed(one, now) for one in _browsers(reminder)]
    return mailed or any(pushed)


def _browsers(reminder: Reminder) -> list[PushSubscription]:
    return list(PushSubscription.objects.filter(person=reminder.person)) if reminder.by_push else []


def _mailed(user: User) -> bool:
    say = catalogue(user.language or "ja")
    text = say("reminder.mail", link=f"{settings.ORIGIN}{OPENS}", settings=f"{settings.ORIGIN}{SETTINGS}")
    headers = {"Auto-Submitted": "auto-generated", "List-Unsubscribe": f"<{settings.ORIGIN}{SETTINGS}>"}
    try:
        return bool(EmailMessage(say("reminder.new"), text, to=[user.email], headers=headers).send())
    except (OSError, SMTPException) as error:
        logger.warning("a reminder could not be mailed: %s", type(error).__name__)
        return False


def _pushed(subscription: PushSubscription, now: datetime) -> bool:
    language = subscription.person.user.language or "ja"
    said = {"title": "unaji", "body": catalogue(language)("reminder.new"), "to": OPENS, "lang": language}
    try:
        browser = Browser(subscription.endpoint, subscription.p256dh, subscription.auth)
        notify(browser, json.dumps(said, ensure_ascii=False).encode(), now=now, topic="evening", keep_for=NOT_AFTER)
    except GoneError:
        subscription.delete()
        return False
    except (FailedError, RefusedError) as error:
        PushSubscription.objects.filter(pk=subscription.pk).update(failed_at=now)
        logger.warning("browser %s could not be notified: %s", subscription.pk, error)
        return False
    return True
