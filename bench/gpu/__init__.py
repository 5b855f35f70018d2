"""The engine on a GPU, in about five minutes: `python -m bench.gpu` (see __main__.py)."""
