"""The work of answering."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.assistant import Assistant
from conversations.models.conversation import Conversation
from conversations.models.message import Message
from helpdesk.tenants.models import TenantModel


class ReplyStatus(models.TextChoices):
    """The life of a reply: queued -> running -> done | failed; running -> queued once, after a lost worker."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class PriorityClass(models.IntegerChoices):
    """Whose answers go first, in the queue and in the engine's batches: a lower number is served earlier."""

    INTERACTIVE = 0, _("Customer")
    COPILOT = 20, _("Copilot")
    BATCH = 50, _("Batch job")


class ReplyPurpose(models.TextChoices):
    """What the text is for: an answer stands in the transcript, everything else is for the tenant's own people."""

    ANSWER = "answer", _("Answer")
    DRAFT = "draft", _("Draft")
    SUMMARY = "summary", _("Summary")
    TRANSLATION = "translation", _("Translation")
    TEST = "test", _("Test")


class Reply(TenantModel):
    """The work of writing one text about one message, mostly its answer. The row is the truth; queue and stream are disposable.

    `assistant` and `assistant_version` say whose settings the last attempt used: the claim reads them, so they are empty
    before, and a version that is empty behind it is older than these columns. `variant` names the setting that an
    experiment chose; empty without one.

    `parameters` are what this request asked for beside the assistant's own settings (see `conversations.parameters`); what
    the caller wrote in them goes when the reply ends.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="replies")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="replies")
    answer = models.OneToOneField(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="answer_to")
    purpose = models.CharField(max_length=12, choices=ReplyPurpose, default=ReplyPurpose.ANSWER)
    assistant = models.ForeignKey(
        Assistant, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    assistant_version = models.PositiveIntegerField(null=True, blank=True)
    variant = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=8, choices=ReplyStatus, default=ReplyStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested = models.BooleanField(default=False)
    priority_class = models.PositiveSmallIntegerField(choices=PriorityClass, default=PriorityClass.INTERACTIVE)
    # The class plus how many the tenant had in flight already: the order in the queue and in the engine's batches.
    priority = models.PositiveSmallIntegerField(default=0)
    parameters = models.JSONField(default=dict, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["question"], condition=models.Q(purpose=ReplyPurpose.ANSWER), name="one_answer_to_each_question"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "queued_at"],
                condition=models.Q(status__in=["queued", "running"]),
                name="replies_in_flight",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    @property
    def is_unhurried(self) -> bool:
        """Whether nobody sits and waits for it."""
        return self.priority_class >= PriorityClass.BATCH
