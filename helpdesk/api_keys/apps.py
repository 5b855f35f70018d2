from django.apps import AppConfig


class ApiKeysConfig(AppConfig):
    name = "helpdesk.api_keys"
    label = "api_keys"
