"""Answers chosen for a review, what reviewers said of them, and the company's rules for choosing."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.models import Label, Reply
from helpdesk.tenants.models import TenantModel

RANDOM_PERCENT, SECOND_PERCENT = 5, 20
CORRECTION_CHARACTERS, NOTE_CHARACTERS = 4000, 2000


class SampledFor(models.TextChoices):
    """Which rule chose an answer, the most telling first: the order of the queue."""

    THUMBS_DOWN = "thumbs_down", _("Thumbs down")
    HAND_OFF = "hand_off", _("Hand-off")
    LOW_CONFIDENCE = "low_confidence", _("Low confidence")
    LABEL = "label", _("Label")
    RANDOM = "random", _("Random sample")


# Disagreements come before everything that a rule chose.
RANK_OF_DISAGREEMENT = 0
RANKS: dict[str, int] = {str(value): rank for rank, value in enumerate(SampledFor.values, 1)}


class Verdict(models.TextChoices):
    """Whether the answer should have been given as it was."""

    GOOD = "good", _("Good")
    WRONG = "wrong", _("Wrong")


class Cause(models.TextChoices):
    """Why an answer is wrong: the first thing that went wrong on the way to it."""

    RETRIEVAL_MISSED = "retrieval_missed", _("The right article wasn't found")
    WRONG_PASSAGE = "wrong_passage", _("The wrong passage was used")
    OUTDATED_ARTICLE = "outdated_article", _("The article is outdated or wrong")
    MISREAD = "misread", _("The question or passage was misread")
    SHOULD_REFUSE = "should_refuse", _("Should have declined")
    SHOULD_ANSWER = "should_answer", _("Should have answered")
    TONE = "tone", _("Tone or wording")


class Round(models.IntegerChoices):
    """Who reviews: the second is blind to the first, the third sees both and settles a disagreement."""

    FIRST = 1, _("First review")
    SECOND = 2, _("Second review, blind")
    THIRD = 3, _("Disagreement")


class ReviewRules(TenantModel):
    """Which answers the company has reviewed. `sampled_until` is how far the answers were looked through."""

    is_on = models.BooleanField(default=False)
    on_thumbs_down = models.BooleanField(default=True)
    on_hand_off = models.BooleanField(default=True)
    on_low_confidence = models.BooleanField(default=True)
    label = models.ForeignKey(Label, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    random_percent = models.PositiveSmallIntegerField(default=RANDOM_PERCENT, validators=[MaxValueValidator(100)])
    second_percent = models.PositiveSmallIntegerField(default=SECOND_PERCENT, validators=[MaxValueValidator(100)])
    sampled_until = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_set_of_review_rules")]

    def __str__(self) -> str:
        return str(self.tenant_id)


class ReviewItem(TenantModel):
    """An answer that was chosen: once, whatever chose it and however often.

    `round` is the review that it waits for. `claimed_by` has it on their screen until `claimed_until`; nobody else is given it
    meanwhile. `verdict` and `cause` are what holds in the end, empty before `done_at`.
    """

    reply = models.OneToOneField(Reply, on_delete=models.CASCADE, related_name="review_item")
    sampled_for = models.CharField(max_length=16, choices=SampledFor)
    rank = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(choices=Round, default=Round.FIRST)
    needs_second = models.BooleanField(default=False)
    answered_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    cause = models.CharField(max_length=20, choices=Cause, blank=True)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(
                fields=["tenant", "rank", "answered_at"],
                condition=models.Q(done_at__isnull=True),
                name="review_queue",
            ),
            models.Index(
                fields=["tenant", "done_at"], condition=models.Q(done_at__isnull=False), name="reviews_done_by_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reply_id} {self.sampled_for}"


class Review(TenantModel):
    """What one person said of one answer. `correction` and `note` are their words: they go with the answer's."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="reviews")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    round = models.PositiveSmallIntegerField(choices=Round)
    verdict = models.CharField(max_length=8, choices=Verdict)
    cause = models.CharField(max_length=20, choices=Cause, blank=True)
    correction = models.TextField(blank=True)
    note = models.TextField(blank=True)
    seconds = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["round"]
        constraints = [
            models.UniqueConstraint(fields=["item", "round"], name="one_review_of_each_round"),
            models.UniqueConstraint(fields=["item", "user"], name="one_review_of_each_person"),
            models.CheckConstraint(
                condition=models.Q(verdict=Verdict.GOOD, cause="")
                | (models.Q(verdict=Verdict.WRONG) & ~models.Q(cause="")),
                name="a_wrong_answer_has_a_cause",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "created_at"], name="reviews_by_time")]

    def __str__(self) -> str:
        return f"{self.verdict} in round {self.round}"


class Skip(TenantModel):
    """That somebody passed an answer over: it is not put before them again."""

    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="skips")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["item", "user"], name="skipped_once")]

    def __str__(self) -> str:
        return f"{self.item_id} by {self.user_id}"
