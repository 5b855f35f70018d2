from django.conf import settings
from django.db import migrations

# Tenants have facts of which no mark says when they are old: the tenants are looked at now, and once more when the youngest of these is old.
KIND = "old_facts"
NOTE_EVERYBODY = (
    "INSERT INTO pending_openwork (tenant_id, kind, due_at) "
    f"SELECT id, '{KIND}', now() + days * interval '1 day' FROM tenants_tenant, "
    f"unnest(ARRAY[0, {settings.FACT_DAYS + 1}]) AS days"
)


class Migration(migrations.Migration):
    dependencies = [("pending", "0001_initial")]

    operations = [migrations.RunSQL(NOTE_EVERYBODY, migrations.RunSQL.noop)]
