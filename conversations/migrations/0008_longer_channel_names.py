"""Room for the names of further channels. Without rewriting a row: PostgreSQL only forgets the shorter bound."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0007_message_format'),
    ]

    operations = [
        migrations.AlterField(
            model_name='conversation',
            name='channel',
            field=models.CharField(choices=[('widget', 'Website'), ('api', 'API'), ('batch', 'Batch job'), ('shell', 'Shell')], default='widget', max_length=16),
        ),
    ]
