"""`python -m bench.gpu.piece FILE`: one piece in a process of its own, which may be killed."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from bench.gpu.job import Job, Report, in_a_line


def main() -> None:
    """Run what the job's kind names; an error is written into the report."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    job = Job.read(Path(sys.argv[1]))
    report = Report(job)
    try:
        importlib.import_module(f"bench.gpu.{job.kind}").run(job, report)
    except BaseException as error:
        report.put(error=in_a_line(error), cause=in_a_line(error.__cause__) if error.__cause__ else "")
        raise


if __name__ == "__main__":
    main()
