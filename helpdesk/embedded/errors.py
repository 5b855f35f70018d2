"""The one error of this package: its text is a sentence for the person who typed the command."""


class CannotStart(Exception):
    """Something that the stack needs is missing; the message says what, and what to do."""
