"""The base of every row in a tenant's chain, and the chain's end."""

from __future__ import annotations

from django.db import models

from helpdesk.tenants.models import TenantModel


class ChainedModel(TenantModel):
    """A row of the tenant's chain; only `append_to_chain` stores new ones.

    `sequence` counts from 1 over all chained tables of a tenant; `chain` is an HMAC over the row and the link before
    it. A row is never changed afterwards, but for a sealed section whose digest is linked: it may be blanked.
    """

    sequence = models.PositiveBigIntegerField()
    chain = models.BinaryField()

    class Meta(TenantModel.Meta):
        abstract = True
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence"], name="%(class)s_sequence_unique")]


class ChainHead(TenantModel):
    """The end of a tenant's chain; its lock puts the tenant's chained rows in order.

    `mac` authenticates `sequence` and `chain`, so that cutting off the newest rows needs more than an UPDATE. The last
    anchor outside the database (`tracing.anchors`) was of the sequence `anchored` and stands in line `anchor_line`.
    """

    sequence = models.PositiveBigIntegerField(default=0)
    chain = models.BinaryField(default=bytes)
    mac = models.BinaryField(default=bytes)
    anchored = models.PositiveBigIntegerField(null=True)
    anchor_line = models.PositiveBigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_chain_head_per_tenant")]

    def __str__(self) -> str:
        return f"#{self.sequence}"
