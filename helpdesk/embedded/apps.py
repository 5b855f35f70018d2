from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    name = "helpdesk.embedded"
    label = "embedded"
