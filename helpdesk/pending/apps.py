from django.apps import AppConfig


class PendingConfig(AppConfig):
    name = "helpdesk.pending"
    label = "pending"
