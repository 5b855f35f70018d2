"""Tenants, and the base of every row that belongs to one."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.expressions import Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from helpdesk.tenants.scope import TenantScopeMismatch, current_tenant_id


class Language(models.TextChoices):
    """Languages that customers are served in."""

    ENGLISH = "en", _("English")
    CHINESE = "zh", _("Chinese")


SLUG = RegexValidator(
    r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$",
    _("Use 3 to 40 lowercase letters, digits and hyphens. Start with a letter and don't end with a hyphen."),
)


class Tenant(models.Model):
    """A company with a desk of its own. The only business table without a tenant column; it holds nothing private."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(max_length=40, unique=True, validators=[SLUG])
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    default_language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    contact_email = models.EmailField(blank=True)
    allowed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    # How the chat looks and greets: `#rrggbb` or the usual colour, and a text by language.
    accent = models.CharField(max_length=7, blank=True)
    welcome = models.JSONField(default=dict, blank=True)
    # Grows with every change on the page of the widget, so that two people do not undo each other's.
    widget_version = models.PositiveIntegerField(default=1)
    requires_second_step = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug

    def name_in(self, language: str) -> str:
        """The company's name as its customers of that language know it."""
        return self.name_zh if language == Language.CHINESE and self.name_zh else self.name

    @property
    def local_name(self) -> str:
        """The company's name in the language of the page."""
        return self.name_in((get_language() or "")[:2])


class CurrentTenant(Value):
    """The tenant in scope, looked up when the SQL is compiled, so that a queryset never outlives its scope."""

    def __init__(self) -> None:
        super().__init__(None, output_field=models.UUIDField())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        self.value = current_tenant_id()
        return super().as_sql(compiler, connection)


class TenantManager(models.Manager[Any]):
    """Every query is restricted to the tenant in scope; without a scope it raises TenantScopeMissing."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(tenant_id=CurrentTenant())


class TenantModel(models.Model):
    """Base of every tenant row. Its migration must carry `TenantIsolation`; a test checks that."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, default=current_tenant_id, editable=False, related_name="+"
    )

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.tenant_id != current_tenant_id():
            raise TenantScopeMismatch(f"A {self._meta.label} of another tenant cannot be saved in this scope.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self.tenant_id != current_tenant_id():
            raise TenantScopeMismatch(f"A {self._meta.label} of another tenant cannot be deleted in this scope.")
        return super().delete(*args, **kwargs)
