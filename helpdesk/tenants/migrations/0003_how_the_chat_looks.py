from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0002_slug_message'),
    ]

    operations = [
        migrations.AddField(
            model_name='tenant',
            name='accent',
            field=models.CharField(blank=True, max_length=7),
        ),
        migrations.AddField(
            model_name='tenant',
            name='welcome',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='tenant',
            name='widget_version',
            field=models.PositiveIntegerField(default=1),
        ),
    ]
