from django.apps import AppConfig


class TracingConfig(AppConfig):
    name = "tracing"

    def ready(self) -> None:
        from helpdesk.api_keys.noting import keep_notes
        from tracing.api_key_notes import ChainedNotes

        keep_notes(ChainedNotes())
