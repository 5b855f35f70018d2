"""Run every command of ours once in this process, with whatever its parser asks for; prints what became of each as JSON.

Not a test: `test_services_away.py` starts it with addresses at which nobody answers.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from argparse import Action
from pathlib import Path
from typing import Any

from django.core.management import get_commands, load_command_class

from helpdesk.command_line import main

SQUAD = {
    "data": [{"title": "t", "paragraphs": [{"context": "c", "qas": [{"question": "q", "answers": [{"text": "c"}]}]}]}]
}
# They need neither, bring their own, or load the embedding model first.
WITHOUT_SERVICES = {"prepare_model", "demo_addresses", "up", "evaluate_retrieval", "evaluate_gate"}
GIVEN = {
    "path": "folder",
    "--role": "viewer",
    "--prompts": "1",
    "--answers": "1",
    "--metrics": "1",
    "prefix": "abcd1234",
}


def arguments_of(name: str, app: str, folder: Path) -> list[str]:
    """Words for all that the command must be given."""
    parser = load_command_class(app, name).create_parser("manage.py", name)
    words: list[str] = []
    for action in parser._actions:
        if not action.required:
            continue
        option = action.option_strings[:1]
        words += [*option, _value(action, option[0] if option else action.dest, folder)]
    return words


def _value(action: Action, name: str, folder: Path) -> str:
    if name in GIVEN:
        return str(folder) if GIVEN[name] == "folder" else GIVEN[name]
    if action.choices:
        return str(next(iter(action.choices)))
    if name in {"--squad", "--labels", "file", "--questions"}:
        return str(folder / "squad.json")
    return {"tenant": "some-company", "visitor": "00000000-0000-4000-8000-000000000001"}.get(
        name, "some@company.example"
    )


def run(name: str, words: list[str]) -> dict[str, Any]:
    """Exit status and what was printed; `raised` is the traceback of what came through."""
    out, err, raised, code = io.StringIO(), io.StringIO(), "", 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["manage.py", name, *words])
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
            if isinstance(ending.code, str):
                err.write(f"{ending.code}\n")
        except BaseException:
            raised = traceback.format_exc()
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "raised": raised}


if __name__ == "__main__":
    import django

    place = Path(sys.argv[1])
    (place / "squad.json").write_text(json.dumps(SQUAD), encoding="utf-8")
    (place / "article.md").write_text("# Title\nText.", encoding="utf-8")
    django.setup()
    commands = {
        name: app
        for name, app in get_commands().items()
        if isinstance(app, str) and app in sys.argv[2:] and name not in WITHOUT_SERVICES
    }
    json.dump({name: run(name, arguments_of(name, app, place)) for name, app in commands.items()}, sys.__stdout__)
