"""The tables of `python -m bench.gpu`."""

from __future__ import annotations

from typing import Any

KINDS = {"product": "product", "bare_same_engine": "bare client", "bare": "bare engine"}
COLUMNS = (
    "tokens_per_second",
    "first_token_ms_p50",
    "first_token_ms_p95",
    "between_tokens_ms_p50",
    "between_tokens_ms_p95",
)
APART = (*KINDS, "checks", "name")


def print_tables(results: dict[str, Any]) -> None:
    """Rates, ratios, checks, and what else each piece told."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    rates = Table("piece", "", "streams", "tokens/s", "first ms p50", "p95", "between ms p50", "p95", title="Levels")
    for name, found in results.items():
        for kind, title in KINDS.items():
            for row in found.get(kind, []):
                rates.add_row(name, title, str(row["streams"]), *(str(row[column]) for column in COLUMNS))
        if naive := found.get("naive"):
            firsts = str(naive["first_token_ms_p50"])
            rates.add_row(name, f"batches of {naive['batch']}", "", str(naive["tokens_per_second"]), firsts)
    console.print(rates)
    for line in ratios(results):
        console.print(line)
    for name, found in results.items():
        console.print(f"\n[bold]{name}[/bold]: {found['ended']}", highlight=False)
        for check, said in found.get("checks", {}).items():
            console.print(f"  {check}: {said}", markup=False, highlight=False)
        for key, value in found.items():
            if key not in APART and key != "ended":
                console.print(f"  {key}: {str(value)[:300]}", markup=False, highlight=False)


def ratios(results: dict[str, Any]) -> list[str]:
    """Product over bare, by level: over a bare client of the same engine, and over the bare engine with vLLM's defaults."""
    lines = []
    for name, found in results.items():
        prefix = "large-" if name.startswith("large-") else ""
        other = {row["streams"]: row for row in results.get(f"{prefix}bare", {}).get("bare", [])}
        same = {row["streams"]: row for row in found.get("bare_same_engine", [])}
        cells = [
            f"{row['streams']}: {_over(row, same.get(row['streams']))} / {_over(row, other.get(row['streams']))}"
            for row in found.get("product", [])
        ]
        if cells:
            lines.append(f"{name}, product over bare (same engine / vLLM's defaults): {', '.join(cells)}")
    return lines


def _over(ours: dict[str, Any], theirs: dict[str, Any] | None) -> str:
    return f"{ours['tokens_per_second'] / theirs['tokens_per_second']:.2f}" if theirs else "-"
