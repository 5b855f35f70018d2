"""Passages know the rules that they were cut by, so that those of older rules are found and written again."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('knowledge', '0003_article_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='chunk',
            name='text_version',
            field=models.PositiveSmallIntegerField(default=1),
        ),
    ]
