"""A fixed text is a style of its own, and claims no confidence."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tracing', '0010_anchors_and_state'),
    ]

    operations = [
        migrations.AlterField(
            model_name='trace',
            name='confidence_band',
            field=models.CharField(blank=True, choices=[('low', 'Low confidence'), ('medium', 'Medium confidence'), ('high', 'High confidence')], max_length=8),
        ),
        migrations.AlterField(
            model_name='trace',
            name='style',
            field=models.CharField(choices=[('automatic', 'Automatic'), ('quote', 'Quote the articles'), ('generate', 'Write freely, with citations'), ('free', 'The model alone, without articles'), ('fixed', 'Standard reply')], max_length=10),
        ),
    ]
