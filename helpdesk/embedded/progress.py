"""One line for each step of a start: what happens now, and when it is done how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console
from rich.markup import escape

Update = Callable[[str], None]


class Steps:
    """Writes steps to a console: a spinner on a terminal, only finished lines anywhere else.

    A terminal that has gone away is no error: what it should have shown must not keep anything from being stopped.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Update]:
        """Show the step while the block runs; the yielded function tells what it is at."""
        begun = time.monotonic()
        status = self.console.status(escape(title))
        with suppress(OSError):
            status.start()
        try:
            yield lambda detail: status.update(f"{escape(title)} [dim]{escape(detail)}[/]")
        finally:
            with suppress(OSError):
                status.stop()
        self.say(f"[green]✓[/] {escape(title)} [dim]{time.monotonic() - begun:.1f} s[/]")

    def warn(self, text: str) -> None:
        """A line that somebody should read, with the time of day since it may come hours later."""
        self.say(f"[yellow]![/] {time.strftime('%H:%M:%S')} {escape(text)}")

    def fail(self, text: str) -> None:
        """Why it cannot go on."""
        self.say(f"[bold red]✗[/] {escape(text)}")

    def plain(self, text: str) -> None:
        """Lines of a log file or of another command, as they are."""
        with suppress(OSError):
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def say(self, markup: str) -> None:
        """One line of rich markup."""
        with suppress(OSError):
            self.console.print(markup, highlight=False, soft_wrap=True)
