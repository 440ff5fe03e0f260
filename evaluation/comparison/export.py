"""Tables as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import html
import io
import pathlib
from typing import Any, Collection, Dict, Mapping, Sequence, Tuple

from evaluation.results import json_text

Table = Tuple[Sequence[str], Sequence[Sequence[str]]]
"""Header and rows."""

_SOMETIMES = (
    *("comparison.png", "comparison.svg", "report.html", "contrasts.csv", "files.csv"),
    *(f"{name}.{suffix}" for name in ("profile", "crops", "losses") for suffix in ("png", "svg")),
)
"""Files that some comparisons write and others do not."""

_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "\N{DAGGER}": r"$^\dagger$",
}


def documents(
    text: str,
    tables: Mapping[str, Table],
    document: Mapping[str, Any],
    files: Sequence[Mapping[str, Any]] = (),
) -> Dict[str, str]:
    """Name of a file -> its text.

    Args:
        text: tables and notes in Markdown.
        tables: caption -> table.
        document: for JSON; its lists ``curves`` and ``contrasts`` also become CSV.
        files: a record for each file measured.
    """
    captioned = [latex_table(*each, caption=caption) for caption, each in tables.items()]
    found = {
        # Names are whatever results files say, and Markdown may hold HTML, links and images.
        "comparison.md": html.escape(text, quote=False).replace("[", "\\["),
        "comparison.json": json_text(document),
        "comparison.csv": csv_text(document["curves"]),
        "comparison.tex": "\n\n".join(captioned),
    }
    if document["contrasts"]:
        found["contrasts.csv"] = csv_text(document["contrasts"])
    if files:
        found["files.csv"] = csv_text(files)
    return found


def remove_others(folder: pathlib.Path, written: Collection[str]) -> None:
    """Deletes what only an earlier comparison wrote: it does not belong to the new tables."""
    for name in _SOMETIMES:
        if name not in written and (folder / name).is_file():
            (folder / name).unlink()


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(cell.replace("|", "\\|") for cell in line) for line in (header, *rows)]
    lines = [f"| {line} |" if line[:1] != " " else f"|{line} |" for line in lines]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


def latex_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str) -> str:
    """A LaTeX table (package booktabs); first columns to the left, numbers to the right."""
    lines = [" & ".join(map(latex_text, line)) + r" \\" for line in (header, *rows)]
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{latex_text(caption)}}}",
            rf"\begin{{tabular}}{{ll{'r' * (len(header) - 2)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def latex_text(text: str) -> str:
    """Text with LaTeX's special characters escaped; a minus in front of a number is one."""
    words = []
    for word in text.split(" "):
        escaped = "".join(_LATEX.get(character, character) for character in word)
        signed = len(word) > 1 and word[0] in "+-" and word[1].isdigit()
        number = word.rstrip("\N{DAGGER}") if signed else ""
        words.append(escaped.replace(number, f"${number}$", 1) if number else escaped)
    return " ".join(words)


def csv_text(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as CSV with all digits; pairs become two columns, longer lists are left out."""
    flat = []
    for record in records:
        row = {}
        for key, value in record.items():
            if key.endswith(("interval", "interval_percent")):
                low, high = value or (None, None)
                row.update({f"{key}_low": low, f"{key}_high": high})
            elif not isinstance(value, (list, tuple, dict)):
                row[key] = value
        flat.append(row)
    file = io.StringIO()
    names = list(dict.fromkeys(key for row in flat for key in row))
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return file.getvalue()
