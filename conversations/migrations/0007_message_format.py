from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0006_api_conversations")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="format",
            field=models.CharField(
                choices=[("plain", "Plain text"), ("markdown", "Markdown")], default="plain", max_length=8
            ),
        ),
    ]
