from django.apps import AppConfig


class TracingConfig(AppConfig):
    name = "tracing"

    def ready(self) -> None:
        from helpdesk.api_keys import noting as api_keys
        from helpdesk.users import noting as people
        from tracing.api_key_notes import ChainedNotes
        from tracing.people_notes import ChainedPeopleNotes

        api_keys.keep_notes(ChainedNotes())
        people.keep_notes(ChainedPeopleNotes())
