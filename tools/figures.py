"""Put measured figures into README.md and docs/, from benchmarks/results and nowhere else.

A block between `<!-- results NAME: PATTERN; PATTERN -->` and `<!-- end -->` becomes tables of
the records of NAME.json whose "split: figure" matches a pattern; without patterns, of all.
Errors, whose figure is "answer/group/error", come side by side, an answer a column.

    python tools/figures.py           fill in
    python tools/figures.py --check   only say whether something is out of date
"""

from __future__ import annotations

import json
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
GROUPS = ("all", "firing", "silent")
ERRORS = {  # as docs/errors.md calls them
    "voltage_l2": "relative L2",
    "voltage_l4": "relative L4",
    "mean_subtracted_l2": "mean-subtracted L2",
    "spikecount_mean": "spikecount, mean",
    "count_right": "counts right",
    "missed_onsets": "onsets missed",
    "time_to_first_spike": "first spike",
    "false_spikes": "spikes when silent",
}
BLOCK = re.compile(r"(<!-- results (\w+)(?:: ([^>]*?))? -->\n).*?(<!-- end -->)", re.S)


def table(name: str, patterns: list[str]) -> str:
    """The chosen records of one results file as a Markdown table."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return f"*Not measured yet ({name}).*\n"
    records = json.loads(path.read_text())
    chosen = [
        r for r in records if not patterns or any(fnmatchcase(label(r), p) for p in patterns)
    ]
    if not chosen:
        raise SystemExit(f"{path.name} has no figure that matches {patterns}.")
    first = chosen[0]
    source = f"`{first['command']}`, {first['device']}, commit {first['commit']}, {first['date']}"
    grids, plain = sorted_out(chosen)
    parts = [side_by_side(*place, rows) for place, rows in grids.items()]
    if plain:
        named = ((cell(label(r)), number(r["value"]), r["unit"], r["n"] or "") for r in plain)
        rows = (f"{name} | {value} {unit} | {n}" for name, value, unit, n in named)
        lines = ["| figure | value | n |", "| --- | ---: | ---: |", *(f"| {x} |" for x in rows)]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, source]) + "\n"


def sorted_out(records: list[dict]) -> tuple[dict, list[dict]]:
    """Errors as {(split, group): {error: {answer: record}}}, and all other records."""
    grids: dict = {}
    plain = []
    for record in records:
        answer, _, rest = record["figure"].rpartition("/")[0].rpartition("/")
        if rest not in GROUPS:
            plain.append(record)
            continue
        rows = grids.setdefault((record["split"], rest), {})
        rows.setdefault(record["figure"].rpartition("/")[2], {})[answer] = record
    return grids, plain


def side_by_side(split: str, group: str, rows: dict[str, dict[str, dict]]) -> str:
    """One split and group: an error a row, an answer a column, with the traces it is over."""
    answers = list(dict.fromkeys(answer for row in rows.values() for answer in row))
    count = {a: next(row[a]["n"] for row in rows.values() if a in row) for a in answers}
    heads = [f"{answer} (n = {n})" if n else answer for answer, n in count.items()]
    lines = [
        f"*{split}, {group}*",
        "",
        "| error | " + " | ".join(heads) + " |",
        "| --- |" + " ---: |" * len(answers),
    ]
    for error, row in rows.items():
        unit = next(iter(row.values()))["unit"]
        cells = [number(row[a]["value"]) if a in row else "" for a in answers]
        name = ERRORS.get(error, error) + (f" [{unit}]" if unit else "")
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def label(record: dict) -> str:
    """What a pattern is matched with."""
    split = record.get("split")
    return f"{split}: {record['figure']}" if split else record["figure"]


def cell(text: str) -> str:
    """A text in a Markdown table, whose columns a bare stroke would break."""
    return text.replace("|", r"\|")


def number(value) -> str:
    """Three significant digits; text as it is."""
    return f"{value:.3g}" if isinstance(value, int | float) else str(value)


def filled(text: str) -> str:
    """A page with its blocks up to date."""

    def fill(block: re.Match) -> str:
        patterns = [p.strip() for p in (block[3] or "").split(";") if p.strip()]
        return block[1] + table(block[2], patterns) + block[4]

    return BLOCK.sub(fill, text)


def pages() -> list[Path]:
    """Pages that may quote figures."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def main(check: bool) -> int:
    stale = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = filled(text)
        if new != text:
            stale.append(page.name)
            if not check:
                page.write_text(new, encoding="utf-8")
    print(("out of date: " if check else "filled in: ") + (", ".join(stale) or "nothing"))
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
