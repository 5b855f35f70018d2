from django.db import migrations, models

# What the callers of ended replies wrote in their parameters stands in the sealed trace; row-level security holds for owners too.
FORGET_WORDS = """
DO $$ DECLARE tenant uuid; BEGIN
  FOR tenant IN SELECT id FROM tenants_tenant LOOP
    PERFORM set_config('app.tenant_id', tenant::text, true);
    UPDATE conversations_reply SET parameters = parameters - ARRAY['instructions', 'json_schema', 'stop']
      WHERE status IN ('done', 'failed') AND parameters <> '{}';
  END LOOP;
  PERFORM set_config('app.tenant_id', '', true);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0006_api_conversations'),
        ('tracing', '0009_retention_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='chainhead',
            name='anchored',
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='chainhead',
            name='anchor_line',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='keyevent',
            name='kind',
            field=models.CharField(choices=[('rotation_begun', 'rotation begun'), ('rotated', 'rotated'), ('checkpoint', 'checkpoint'), ('api_key_created', 'API key created'), ('api_key_revoked', 'API key revoked'), ('state_noted', 'state noted')], max_length=16),
        ),
        migrations.RunSQL(FORGET_WORDS, migrations.RunSQL.noop),
    ]
