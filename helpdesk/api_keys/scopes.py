"""What an API key may do. A key has the scopes that were chosen for it and no others."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """Named as `what:how`; none includes another."""

    CONVERSATIONS_READ = "conversations:read", _("Read conversations and messages")
    CONVERSATIONS_WRITE = "conversations:write", _("Start and delete conversations")
    ANSWERS_WRITE = "answers:write", _("Ask the assistant")
    KNOWLEDGE_READ = "knowledge:read", _("Read published articles")
    TRACES_READ = "traces:read", _("Read trace metrics")
    TRACES_CONTENT = "traces:content", _("Open sealed trace content, with a reason")
    TRACES_WRITE = "traces:write", _("Replay answers and give feedback")
    BATCHES_READ = "batches:read", _("Read batch jobs and their results")
    BATCHES_WRITE = "batches:write", _("Submit and cancel batch jobs")
    STATS_READ = "stats:read", _("Read statistics")
