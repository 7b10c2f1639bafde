"""Addresses of the person's screens."""

from __future__ import annotations

from django.urls import path

from unaji.web.patient import data, evening, intake, mine, offline, reminders, tokens, trials, views, what_if, why

app_name = "patient"

urlpatterns = [
    path("now", views.now, name="now"),
    path("now/log", views.log, name="log"),
    path("now/nothing", views.nothing, name="nothing"),
    path("now/earlier", views.earlier, name="earlier"),
    path("episodes/<uuid:pk>", views.episode, name="episode"),
    path("episodes/<uuid:pk>/withdraw", views.withdraw_episode, name="withdraw_episode"),
    path("today", views.today, name="today"),
    path("entries/<slug:kind>/<uuid:pk>/withdraw", views.withdraw_entry, name="withdraw"),
    path("add", views.add, name="add"),
    path("more", views.more, name="more"),
    path("welcome", views.welcome, name="welcome"),
    path("check", intake.check, name="check"),
    path("red-flag/<uuid:pk>", intake.red_flag, name="red_flag"),
    path("intake", intake.intake, name="intake"),
    path("first-picture", intake.picture, name="first_picture"),
    path("app.webmanifest", views.manifest, name="manifest"),
    path("data", data.data, name="data"),
    path("data/upload", data.upload, name="upload"),
    path("data/<uuid:pk>/save", data.save, name="save"),
    path("data/<uuid:pk>/drop", data.drop, name="drop"),
    path("jobs/<uuid:pk>", data.job, name="job"),
    path("jobs/<uuid:pk>/stop", data.stop_job, name="stop_job"),
    path("jobs/<uuid:pk>/retry", data.retry_job, name="retry_job"),
    path("why", why.why, name="why"),
    path("why/ask", why.ask, name="ask_why"),
    path("why/report", why.report, name="report"),
    path("why/report.pdf", why.paper, name="paper"),
    path("what-if", what_if.what_if_screen, name="what_if"),
    path("course", why.course, name="course"),
    path("trials", trials.trials, name="trials"),
    path("trials/new", trials.new, name="new_trial"),
    path("trials/unsafe", trials.unsafe, name="unsafe"),
    path("trials/<uuid:pk>", trials.trial, name="trial"),
    path("trials/<uuid:pk>/end", trials.end, name="end_trial"),
    path("trials/<uuid:pk>/ask", trials.ask, name="ask_trial"),
    path("trials/<uuid:pk>/plan.toml", trials.plan_file, name="trial_plan"),
    path("mine", mine.mine, name="mine"),
    path("mine/consent", mine.change_consent, name="change_consent"),
    path("mine/export", mine.export, name="export"),
    path("mine/export/<uuid:pk>", mine.fetch, name="fetch_export"),
    path("mine/erase", mine.erase, name="erase"),
    path("evening", evening.evening, name="evening"),
    path("mine/reminders", reminders.reminders, name="reminders"),
    path("mine/reminders/stop", reminders.stop, name="stop_reminders"),
    path("mine/push", reminders.subscribe, name="subscribe"),
    path("mine/tokens", tokens.tokens, name="tokens"),
    path("mine/tokens/<uuid:pk>/revoke", tokens.revoke, name="revoke_token"),
    path("sw.js", offline.worker, name="worker"),
    path("now/shell", offline.shell, name="shell"),
    path("now/sync", offline.sync, name="sync"),
]
