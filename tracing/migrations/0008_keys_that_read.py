import django.db.models.deletion
from django.db import migrations, models

from helpdesk.tenants.isolation import TenantForeignKey


class Migration(migrations.Migration):

    dependencies = [
        ('api_keys', '0001_initial'),
        ('tracing', '0007_the_model_alone'),
    ]

    operations = [
        migrations.AddField(
            model_name='traceaccess',
            name='api_key',
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='api_keys.apikey'),
        ),
        migrations.AddField(
            model_name='analysisjob',
            name='requested_by_key',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='api_keys.apikey'),
        ),
        TenantForeignKey("analysisjob", "requested_by_key"),
    ]
