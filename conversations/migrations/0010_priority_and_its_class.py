"""A reply's priority is the number that orders it; the class that it begins with is called so."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0009_what_a_reply_is_for'),
    ]

    operations = [
        migrations.RenameField(model_name='reply', old_name='priority', new_name='priority_class'),
        migrations.RenameField(model_name='reply', old_name='rank', new_name='priority'),
    ]
