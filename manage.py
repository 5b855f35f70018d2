#!/usr/bin/env python3
"""Command line entry point."""

import sys

if __name__ == "__main__":
    from helpdesk.command_line import main

    main(sys.argv)
