"""What a tenant knows: articles with versions, and the chunks that retrieval searches."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pgvector.django import VectorField

from helpdesk.tenants.models import Language, TenantModel

EMBEDDING_DIMENSIONS = 384


class Category(TenantModel):
    """A shelf of articles."""

    name = models.CharField(max_length=120)

    class Meta(TenantModel.Meta):
        ordering = ["name"]
        verbose_name_plural = "categories"
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="category_name_unique")]

    def __str__(self) -> str:
        return self.name


class ArticleStatus(models.TextChoices):
    """Only published articles are searched."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    ARCHIVED = "archived", _("Archived")


class Article(TenantModel):
    """An article in one language. Its text lives in versions; `published_version` is what customers get.

    One that a file brought is known by `source`, the name of the imported folder, and `path`, the file's place in it;
    both are empty where a person wrote it. `slug` is a readable handle.

    Two articles of one `pair` are the same one in two languages. `reviewed_at` is when somebody said that the text needs no
    change for what changed in the other language.
    """

    source = models.CharField(max_length=60, blank=True, default="")
    path = models.CharField(max_length=500, blank=True, default="")
    slug = models.CharField(max_length=160)
    language = models.CharField(max_length=2, choices=Language)
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="articles")
    status = models.CharField(max_length=9, choices=ArticleStatus, default=ArticleStatus.DRAFT)
    title = models.CharField(max_length=300)
    published_version = models.ForeignKey(
        "ArticleVersion", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    pair = models.UUIDField(null=True, editable=False)
    reviewed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "pair", "language"], name="one_article_of_a_pair_per_language"),
            models.UniqueConstraint(fields=["tenant", "language", "slug"], name="article_slug_unique"),
            models.UniqueConstraint(
                fields=["tenant", "source", "path"], condition=~models.Q(path=""), name="article_file_unique"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "status", "-updated_at"], name="articles_by_status")]

    def __str__(self) -> str:
        return self.title


class ArticleVersion(TenantModel):
    """One saved text of an article; never changed afterwards."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    body = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="article_version_unique")]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"


class ArticleChangeKind(models.TextChoices):
    """What was done with an article, besides saving a text."""

    PUBLISHED = "published", _("Published")
    ARCHIVED = "archived", _("Archived")
    RESTORED = "restored", _("Unarchived")


class ArticleChange(TenantModel):
    """Who published or archived an article, and which version; nobody where a command did."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=9, choices=ArticleChangeKind)
    number = models.PositiveIntegerField(null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["article", "-at"], name="changes_of_article")]

    def __str__(self) -> str:
        return f"{self.article_id} {self.kind}"


class Chunk(TenantModel):
    """A passage of a published version, at most 400 tokens.

    `heading` is its path of headings, `start` its offset in the body.

    `embedding` is null until the inference worker has computed it; the lexical vector is there at once.
    `sentences` holds [start, end, start of the quote, end of the quote, context] as offsets into `text`
    (`knowledge.chunking.chunks.Sentence`); `sentence_embeddings` a float16 matrix in the same order. `text_version` is that
    of the rules by which the article was cut.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="chunks")
    version = models.ForeignKey(ArticleVersion, on_delete=models.CASCADE, related_name="chunks")
    language = models.CharField(max_length=2, choices=Language)
    position = models.PositiveIntegerField()
    heading = models.CharField(max_length=500, blank=True)
    start = models.PositiveIntegerField(default=0)
    text = models.TextField()
    token_count = models.PositiveIntegerField(default=0)
    sentences = models.JSONField(default=list)
    text_version = models.PositiveSmallIntegerField(default=1)
    lexemes = SearchVectorField(null=True)
    embedding = VectorField(dimensions=EMBEDDING_DIMENSIONS, null=True)
    sentence_embeddings = models.BinaryField(null=True)
    embedded_with = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="chunk_position_unique")]
        indexes = [
            models.Index(fields=["tenant", "language"], name="chunks_by_language"),
            GinIndex(fields=["lexemes"], name="chunks_lexemes"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} #{self.position}"


class KnowledgeState(TenantModel):
    """The tenant's one row about its knowledge as a whole.

    `version` grows with every change of what a search can find, in the transaction of the change. `similarity` is how
    alike two questions must be to share an answer, by language, as `calibrate_cache` found it, with the embedding model
    that it holds for: {"model": name, "en": cosine or null, "zh": …}; null is never.
    """

    version = models.PositiveBigIntegerField(default=1)
    similarity = models.JSONField(default=dict, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_knowledge_state_per_tenant")]

    def __str__(self) -> str:
        return f"version {self.version}"
