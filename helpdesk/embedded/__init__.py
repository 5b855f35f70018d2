"""PostgreSQL and Valkey from wheels, and the supervisor behind `manage.py up`.

Nothing here but the command reads Django's settings, so that tests and tools can start the services on their own.
"""
