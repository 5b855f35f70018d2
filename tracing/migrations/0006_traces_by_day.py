from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('conversations', '0005_feedback'),
        ('tracing', '0005_channels_and_answers_given_again'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='trace',
            index=models.Index(
                fields=['tenant', 'created_at'],
                include=['outcome', 'confidence_band', 'queue_ms', 'total_ms'],
                name='traces_by_day',
            ),
        ),
        RemoveIndexConcurrently(model_name='trace', name='traces_by_age'),
    ]
