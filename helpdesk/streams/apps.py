from django.apps import AppConfig


class StreamsConfig(AppConfig):
    name = "helpdesk.streams"
    label = "streams"
