"""Conversations between a customer, the assistant and the tenant's people."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.tenants.models import Language, TenantModel


class AnswerStyle(models.TextChoices):
    """How the assistant composes an answer. Automatic picks by what the loaded model can do."""

    AUTOMATIC = "automatic", _("Automatic")
    QUOTE = "quote", _("Quote the articles")
    GENERATE = "generate", _("Write freely, with citations")
    FREE = "free", _("The model alone, without articles")
    FIXED = "fixed", _("A fixed text")


# An assistant answers from articles; only a single request can ask for the model alone, and only small talk gets fixed texts.
ASSISTANT_STYLES = [
    (style.value, style.label) for style in AnswerStyle if style not in {AnswerStyle.FREE, AnswerStyle.FIXED}
]


def format_of(style: str) -> TextFormat:
    """The format of an answer of this style: quoted sentences are somebody's words and stay as they are."""
    return TextFormat.MARKDOWN if style in {AnswerStyle.GENERATE, AnswerStyle.FREE} else TextFormat.PLAIN


class Assistant(TenantModel):
    """The tenant's AI: how it answers and when it declines."""

    name = models.CharField(max_length=60)
    style = models.CharField(max_length=10, choices=ASSISTANT_STYLES, default=AnswerStyle.AUTOMATIC)
    instructions = models.TextField(blank=True, max_length=2000)
    temperature = models.FloatField(default=0.0, validators=[MinValueValidator(0), MaxValueValidator(2)])
    top_p = models.FloatField(default=1.0, validators=[MinValueValidator(0.01), MaxValueValidator(1)])
    max_tokens = models.PositiveIntegerField(default=256, validators=[MinValueValidator(16), MaxValueValidator(2048)])
    seed = models.PositiveIntegerField(null=True, blank=True, default=0)
    stop = models.JSONField(default=list, blank=True)
    # The name under which a worker serves it; empty means the desk's first model.
    model = models.CharField(max_length=60, blank=True)
    # Grows with every change that may alter answers, so that no cached answer outlives it.
    version = models.PositiveIntegerField(default=1)
    refusal_gate = models.JSONField(default=dict, blank=True)
    suggestions = models.JSONField(default=dict, blank=True)
    is_default = models.BooleanField(default=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_default=True), name="one_default_assistant_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Visitor(TenantModel):
    """A customer: an anonymous person on a tenant's website, known by a signed token, or whom a program speaks for.

    `reference` is what such a program calls the customer; it means nothing to the desk.
    """

    reference = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference"], condition=~models.Q(reference=""), name="visitor_reference_unique"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class ConversationStatus(models.TextChoices):
    """Who has to act."""

    AI = "ai", _("AI")
    WAITING = "waiting", _("Waiting for a person")
    PERSON = "person", _("With a person")
    CLOSED = "closed", _("Closed")


class Channel(models.TextChoices):
    """Where a conversation takes place."""

    WIDGET = "widget", _("Website")
    API = "api", _("API")
    BATCH = "batch", _("Batch job")
    SHELL = "shell", _("Shell")


class Author(models.TextChoices):
    """Who wrote a message."""

    CUSTOMER = "customer", _("Customer")
    AI = "ai", _("AI")
    PERSON = "person", _("Person")
    SYSTEM = "system", _("System")


class Conversation(TenantModel):
    """One thread with one visitor. A deleted one is an empty shell that the chain of traces still refers to."""

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="conversations")
    assistant = models.ForeignKey(Assistant, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=6, choices=Channel, default=Channel.WIDGET)
    status = models.CharField(max_length=8, choices=ConversationStatus, default=ConversationStatus.AI)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    waiting_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    last_author = models.CharField(max_length=8, choices=Author, default=Author.CUSTOMER)
    preview = models.CharField(max_length=160, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "status", "-last_message_at"], name="inbox_by_status"),
            models.Index(fields=["tenant", "-last_message_at"], name="inbox_by_time"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="conversations_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Outcome(models.TextChoices):
    """How an AI message came about; empty for everybody else's."""

    ANSWERED = "answered", _("Answered")
    REFUSED = "refused", _("Not in the articles")
    STOPPED = "stopped", _("Stopped")


class TextFormat(models.TextChoices):
    """How a message is to be read: sign by sign, or as the Markdown that models write by themselves."""

    PLAIN = "plain", _("Plain text")
    MARKDOWN = "markdown", _("Markdown")


class CacheKind(models.TextChoices):
    """Whose question an answer was first written for: the same one, or one that only says it in other words."""

    EXACT = "exact", _("Same question")
    SEMANTIC = "semantic", _("Similar question")


class Message(TenantModel):
    """One entry of the transcript. `position` counts from 1 within the conversation.

    `cache` says that an AI answer was not written for this question but given again; empty otherwise.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    position = models.PositiveIntegerField()
    author = models.CharField(max_length=8, choices=Author)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    client_id = models.UUIDField(null=True, blank=True)
    body = models.TextField()
    format = models.CharField(max_length=8, choices=TextFormat, default=TextFormat.PLAIN)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    sources = models.JSONField(default=list, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)
    confidence_band = models.CharField(max_length=8, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    cache = models.CharField(max_length=8, choices=CacheKind, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "position"], name="message_position_unique"),
            models.UniqueConstraint(fields=["conversation", "client_id"], name="message_client_id_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.author} {self.position}"


class ReplyStatus(models.TextChoices):
    """The life of a reply: queued -> running -> done | failed; running -> queued once, after a lost worker."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class ReplyPriority(models.IntegerChoices):
    """Whose answers go first, in the queue and in the engine's batches: a lower number is served earlier."""

    INTERACTIVE = 0, _("Customer")
    COPILOT = 20, _("Copilot")
    BATCH = 50, _("Batch job")


class Reply(TenantModel):
    """The work of answering one customer message. The row is the truth; the queue and the stream are disposable.

    `parameters` are what this request asked for beside the assistant's own settings (see `conversations.parameters`); what
    the caller wrote in them goes when the reply ends.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="replies")
    question = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="reply")
    answer = models.OneToOneField(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="answer_to")
    status = models.CharField(max_length=8, choices=ReplyStatus, default=ReplyStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested = models.BooleanField(default=False)
    priority = models.PositiveSmallIntegerField(choices=ReplyPriority, default=ReplyPriority.INTERACTIVE)
    # Priority plus how many the tenant had in flight already: the order in the queue and in the engine's batches.
    rank = models.PositiveSmallIntegerField(default=0)
    parameters = models.JSONField(default=dict, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
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
        return self.priority >= ReplyPriority.BATCH


class Rating(models.TextChoices):
    """Whether an answer helped."""

    UP = "up", _("Helped")
    DOWN = "down", _("Did not help")


class FeedbackReason(models.TextChoices):
    """What was wrong with an answer that did not help."""

    WRONG = "wrong", _("It is wrong")
    OUTDATED = "outdated", _("It is out of date")
    NOT_MY_QUESTION = "not_my_question", _("It is not what was asked")
    UNCLEAR = "unclear", _("It is hard to understand")
    OTHER = "other", _("Something else")


class Giver(models.TextChoices):
    """Who rates an answer."""

    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    API = "api", _("API")


class Feedback(TenantModel):
    """What somebody thought of one AI answer: one row for each kind of giver, which they may change.

    `comment` is what the giver wrote: retention and erasure blank it together with the question.
    """

    reply = models.ForeignKey(Reply, on_delete=models.CASCADE, related_name="feedback")
    given_by = models.CharField(max_length=8, choices=Giver)
    rating = models.CharField(max_length=4, choices=Rating)
    reason = models.CharField(max_length=16, choices=FeedbackReason, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["reply", "given_by"], name="one_feedback_of_each_giver")]
        indexes = [models.Index(fields=["tenant", "rating", "reply"], name="feedback_by_rating")]

    def __str__(self) -> str:
        return f"{self.rating} by {self.given_by}"
