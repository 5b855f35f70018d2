"""Which assistant wrote the text, in which version and variant, and what for. Records of older formats name none of it."""

import django.db.models.deletion
from django.db import migrations, models

from helpdesk.tenants.isolation import TenantForeignKey


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0009_what_a_reply_is_for'),
        ('tracing', '0011_fixed_texts'),
    ]

    operations = [
        migrations.AddField(
            model_name='trace',
            name='purpose',
            field=models.CharField(choices=[('answer', 'Answer'), ('draft', 'Draft'), ('summary', 'Summary'), ('translation', 'Translation'), ('test', 'Test')], default='answer', max_length=12),
        ),
        migrations.AddField(
            model_name='trace',
            name='assistant',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='+', to='conversations.assistant'),
        ),
        migrations.AddField(
            model_name='trace',
            name='assistant_version',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='trace',
            name='variant',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name='trace',
            name='channel',
            field=models.CharField(blank=True, choices=[('widget', 'Website'), ('api', 'API'), ('batch', 'Batch job'), ('shell', 'Shell')], max_length=16),
        ),
        TenantForeignKey("trace", "assistant"),
    ]
