from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0012_inbox_work")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="while_indexing",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
