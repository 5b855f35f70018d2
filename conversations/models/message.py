"""The entries of a transcript."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models.assistant import AnswerStyle
from conversations.models.conversation import Author, Conversation
from helpdesk.tenants.models import Language, TenantModel


class Outcome(models.TextChoices):
    """How an AI message came about; empty for everybody else's."""

    ANSWERED = "answered", _("Answered")
    REFUSED = "refused", _("Not in the articles")
    STOPPED = "stopped", _("Stopped")


class AnswerKind(models.TextChoices):
    """What kind of answer an AI message is, by the rules of `tracing.factors`; empty for small talk and everybody else's."""

    DIRECT = "direct", _("Direct answer")
    PARTIAL = "partial", _("Partial answer")
    CLARIFYING = "clarifying", _("Asks to clarify")
    REFUSAL = "refusal", _("Declined")
    HAND_OFF = "hand_off", _("Handed to a person")


class TextFormat(models.TextChoices):
    """How a message is to be read: sign by sign, or as the Markdown that models write by themselves."""

    PLAIN = "plain", _("Plain text")
    MARKDOWN = "markdown", _("Markdown")


def format_of(style: str) -> TextFormat:
    """The format of an answer of this style: quoted sentences are somebody's words and stay as they are."""
    return TextFormat.MARKDOWN if style in {AnswerStyle.GENERATE, AnswerStyle.FREE} else TextFormat.PLAIN


class CacheKind(models.TextChoices):
    """Whose question an answer was first written for: the same one, or one that only says it in other words."""

    EXACT = "exact", _("Same question")
    SEMANTIC = "semantic", _("Similar question")


class Message(TenantModel):
    """One entry of the transcript. `position` counts from 1 within the conversation.

    `cache` says that an AI answer was not written for this question but taken from the cache; empty otherwise.
    `while_indexing`: some of the company's articles were not searched yet when an AI answer was written, so that it may have
    missed the best of them.
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
    kind = models.CharField(max_length=10, choices=AnswerKind, blank=True, default="", db_default="")
    confidence_band = models.CharField(max_length=8, blank=True)
    while_indexing = models.BooleanField(default=False, db_default=False)
    seconds = models.FloatField(null=True, blank=True)
    cache = models.CharField(max_length=8, choices=CacheKind, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "position"], name="message_position_unique"),
            models.UniqueConstraint(fields=["conversation", "client_id"], name="message_client_id_unique"),
        ]
        indexes = [models.Index(fields=["tenant", "created_at"], name="messages_by_time")]

    def __str__(self) -> str:
        return f"{self.author} {self.position}"

    @property
    def quoted_language(self) -> str:
        """The language of the body where it is an article's own words in another language than the customer's, else ""."""
        languages = {source["language"] for source in self.sources}
        is_answer = self.outcome != Outcome.REFUSED and self.kind != AnswerKind.CLARIFYING
        is_quote = is_answer and self.format == TextFormat.PLAIN
        is_foreign = is_quote and len(languages) == 1 and self.language not in languages
        return languages.pop() if is_foreign else ""

    @property
    def translation(self) -> str:
        """What it quotes in another language, in the customer's own, where the engine translated it; else ""."""
        translated = [source.get("translation", "") for source in self.sources]
        return "\n".join(translated) if self.quoted_language and all(translated) else ""

    @property
    def claims_confidence(self) -> bool:
        """Whether it says how sure it is: a refusal, a question back and a fixed text have nothing to be sure of."""
        return claims_confidence(self.outcome, self.kind)


def claims_confidence(outcome: str, kind: str) -> bool:
    """Whether a band of confidence is shown beside an answer of this outcome and kind."""
    is_answer = kind not in {AnswerKind.REFUSAL, AnswerKind.CLARIFYING, AnswerKind.HAND_OFF}
    return is_answer and outcome != Outcome.REFUSED
