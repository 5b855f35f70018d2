"""People who sign in, and what they may do in which tenant."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.permissions import Role
from helpdesk.tenants.models import TenantManager, TenantModel
from helpdesk.users.email_addresses import canonical


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address, in its one spelling. Raises InvalidInput."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=canonical(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractUser):
    """A person, known by e-mail address; rights come from memberships only, never from a global flag."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120)

    # The only company that the session behind this object is for (helpdesk.users.company_sign_in); of no row.
    only_in: uuid.UUID | None = None

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Membership(TenantModel):
    """One person's role in one tenant, and when they were last at its desk."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField(auto_now_add=True)
    # To within minutes; nothing for who has not been here since it is kept.
    seen_at = models.DateTimeField(null=True)

    objects: ClassVar[TenantManager] = TenantManager()
    # Row-level security limits this one to the rows of the person named by `user_atomic`.
    across_tenants: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user_id} as {self.role}"


class SignIn(models.Model):
    """A session that a person began, so that they can see it and end it. It says which browser, and not from where."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    browser = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.user_id} since {self.started_at:%Y-%m-%d}"


class Invitation(TenantModel):
    """An offer to become a member, for whoever holds its link. `name` is what the person is called, as far as it is known.

    Only the SHA-256 of the link's token is kept. It is open until one of `accepted_at` and `revoked_at` is set, or it is too
    old; at most one for an address is open, since a new one ends the one before. What has ended forgets address and name.
    """

    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="one_open_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} as {self.role}"

    def is_open_at(self, moment: datetime) -> bool:
        """Whether its link still works."""
        return self.accepted_at is None and self.revoked_at is None and moment < self.expires_at
