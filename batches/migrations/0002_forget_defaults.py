from django.db import migrations

# What ended batches were to be asked with; row-level security holds for owners too.
FORGET_DEFAULTS = """
DO $$ DECLARE tenant uuid; BEGIN
  FOR tenant IN SELECT id FROM tenants_tenant LOOP
    PERFORM set_config('app.tenant_id', tenant::text, true);
    UPDATE batches_batch SET defaults = '{}' WHERE state IN ('done', 'cancelled') AND defaults <> '{}';
  END LOOP;
  PERFORM set_config('app.tenant_id', '', true);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('batches', '0001_initial'),
    ]

    operations = [
        migrations.RunSQL(FORGET_DEFAULTS, migrations.RunSQL.noop),
    ]
