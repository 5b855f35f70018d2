from django.apps import AppConfig


class FactsConfig(AppConfig):
    name = "helpdesk.facts"
    label = "facts"
