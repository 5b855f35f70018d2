"""Which assistant wrote a reply, in which version and variant, and what for; only answers are one to each question."""

import django.db.models.deletion
from django.db import migrations, models

from helpdesk.tenants.isolation import TenantForeignKey

# Until now a conversation's assistant wrote all of its replies; which version it had then nobody noted. Before the composite
# key, whose deferred checks would bar the statements after it; row-level security holds for owners too.
NAME_THE_ASSISTANT = """
DO $$ DECLARE tenant uuid; BEGIN
  FOR tenant IN SELECT id FROM tenants_tenant LOOP
    PERFORM set_config('app.tenant_id', tenant::text, true);
    UPDATE conversations_reply r SET assistant_id = c.assistant_id
      FROM conversations_conversation c WHERE c.id = r.conversation_id AND r.attempt > 0;
  END LOOP;
  PERFORM set_config('app.tenant_id', '', true);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0008_longer_channel_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='reply',
            name='purpose',
            field=models.CharField(choices=[('answer', 'Answer'), ('draft', 'Draft'), ('summary', 'Summary'), ('translation', 'Translation'), ('test', 'Test')], default='answer', max_length=12),
        ),
        migrations.AddField(
            model_name='reply',
            name='assistant',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='conversations.assistant'),
        ),
        migrations.AddField(
            model_name='reply',
            name='assistant_version',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='reply',
            name='variant',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name='reply',
            name='question',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='conversations.message'),
        ),
        migrations.AddConstraint(
            model_name='reply',
            constraint=models.UniqueConstraint(condition=models.Q(('purpose', 'answer')), fields=('question',), name='one_answer_to_each_question'),
        ),
        migrations.RunSQL(NAME_THE_ASSISTANT, migrations.RunSQL.noop),
        TenantForeignKey("reply", "assistant"),
    ]
