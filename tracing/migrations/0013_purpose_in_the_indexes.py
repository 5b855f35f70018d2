from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('tracing', '0012_what_an_answer_was_for'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='trace',
            index=models.Index(
                fields=['tenant', 'created_at'],
                include=['purpose', 'outcome', 'confidence_band', 'queue_ms', 'total_ms'],
                name='traces_by_time',
            ),
        ),
        AddIndexConcurrently(
            model_name='trace',
            index=models.Index(
                fields=['tenant', 'purpose', 'sequence'],
                condition=~models.Q(purpose='answer'),
                name='traces_by_purpose',
            ),
        ),
        AddIndexConcurrently(
            model_name='trace',
            index=models.Index(
                fields=['tenant', 'created_at'],
                condition=~models.Q(cache=''),
                include=['purpose', 'cache', 'saved_tokens'],
                name='traces_cached',
            ),
        ),
        RemoveIndexConcurrently(model_name='trace', name='traces_by_day'),
        RemoveIndexConcurrently(model_name='trace', name='traces_given_again'),
    ]
