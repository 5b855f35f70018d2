import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import helpdesk.tenants.scope
import uuid
from django.db import migrations, models

from helpdesk.tenants.isolation import TenantIsolation


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0002_slug_message'),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE facts_fact_number", "DROP SEQUENCE facts_fact_number"),
        migrations.CreateModel(
            name='Fact',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(db_default=models.Func(models.Value('facts_fact_number'), function='nextval'), editable=False)),
                ('kind', models.CharField(max_length=40)),
                ('lane', models.UUIDField()),
                ('conversation_id', models.UUIDField(null=True)),
                ('subject_id', models.UUIDField(null=True)),
                ('actor', models.CharField(choices=[('user', 'User'), ('api_key', 'Api Key'), ('customer', 'Customer'), ('ai', 'Ai'), ('system', 'System')], max_length=8)),
                ('actor_id', models.CharField(blank=True, max_length=36)),
                ('data', models.JSONField(default=dict)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('owed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('tenant', models.ForeignKey(default=helpdesk.tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='Setback',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subscriber', models.CharField(max_length=40)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('error', models.CharField(max_length=80)),
                ('retry_at', models.DateTimeField()),
                ('parked_at', models.DateTimeField(null=True)),
                ('fact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='setbacks', to='facts.fact')),
                ('tenant', models.ForeignKey(default=helpdesk.tenants.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.AddIndex(
            model_name='fact',
            index=models.Index(condition=models.Q(('owed', []), _negated=True), fields=['tenant', 'lane', 'number'], name='facts_owed'),
        ),
        migrations.AddIndex(
            model_name='fact',
            index=models.Index(fields=['tenant', 'at'], name='facts_by_time'),
        ),
        migrations.AddConstraint(
            model_name='setback',
            constraint=models.UniqueConstraint(fields=('fact', 'subscriber'), name='one_setback_for_each_delivery'),
        ),
        TenantIsolation("Fact"),
        TenantIsolation("Setback"),
    ]
