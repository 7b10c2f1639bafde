"""All entities. What must always hold of them is a constraint of the database."""

from unaji.web.casebook.models.account import ApiToken, PushSubscription, Reminder, User
from unaji.web.casebook.models.audit import AuditEvent, AuditHead
from unaji.web.casebook.models.beat import Beat
from unaji.web.casebook.models.consent import Consent, ConsentText
from unaji.web.casebook.models.diary import Episode, Exposure, Rating, Treatment
from unaji.web.casebook.models.imported import ImportBatch, SeriesFile
from unaji.web.casebook.models.intake import Intake, RedFlagScreen
from unaji.web.casebook.models.person import Person
from unaji.web.casebook.models.question import Answer, Question
from unaji.web.casebook.models.results import ErasureRequest, Explanation, ExportJob, Job, Trial

__all__ = [
    "Answer",
    "ApiToken",
    "AuditEvent",
    "AuditHead",
    "Beat",
    "Consent",
    "ConsentText",
    "Episode",
    "ErasureRequest",
    "Explanation",
    "ExportJob",
    "Exposure",
    "ImportBatch",
    "Intake",
    "Job",
    "Person",
    "PushSubscription",
    "Question",
    "Rating",
    "RedFlagScreen",
    "Reminder",
    "SeriesFile",
    "Treatment",
    "Trial",
    "User",
]
