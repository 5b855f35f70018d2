from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "helpdesk.api"
    label = "api"

    def ready(self) -> None:
        # drf-spectacular finds its extensions by their being imported.
        from helpdesk.api import schema  # noqa: F401
