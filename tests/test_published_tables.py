"""Tables of README and docs say what the committed results say.

The line above a table names its source, and each number is compared at the precision that the table
prints:

    <!-- results: results/kodak/conditional_models/{model}-{quantizer}.json -->
    <!-- compare: results/kodak/classical/*.json --anchor JPEG -->
    <!-- differences: HEADER = results/kodak/x-*.json --anchor mixed; HEADER = ... -->
    <!-- rank correlations: NAME = results/kodak/x-*.json --anchor mixed; NAME = ... -->
    <!-- no results: why there are none -->

In the first form braces hold headers of the columns that lead from a row to its file; an empty cell
repeats the one above it. The second form is a command line of ``scripts/compare.py``. The third has
one for each column, which shows the differences that it prints, the fourth one for each name of a
row or a column: a cell has the rank correlation of the two's differences, and the number of curves
that both have. The first two may end in ``; unchecked: HEADER; HEADER`` for columns that are in no
results file.
"""

import functools
import itertools
import json
import pathlib
import re
import shlex

import pytest
from scipy.stats import spearmanr

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MEASURED = re.compile(r"\b(bpp|kbps|PSNR|SI-SDR|BD-rate|loss|measured)\b")
SOURCE = re.compile(
    r"<!-- (results|compare|differences|rank correlations|no results): "
    r"(.*?)(?:; unchecked: (.*))? -->"
)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")

KEYS = {
    **{"bpp": "bpp", "kbps": "kbps", "psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"},
    **{"si-sdr": "si-sdr", "log-mel": "log-mel", "pesq nb": "pesq-nb", "pesq wb": "pesq-wb"},
    **{"stoi": "stoi", "y-psnr": "psnr-y", "loss": "loss"},
}
"""First words of a column's header -> key of the results."""

VARIANTS = {"estimated": "rounded", "rounded": "rounded", "fixed length": "fixed-length"}
"""Columns of another value of the rate -> what is appended to its key."""


def tables():
    """(page, source or None, header, rows) of each table; cells as they are written."""
    for page in PAGES:
        lines = page.read_text().splitlines()
        for number, line in enumerate(lines[1:], 1):
            if re.fullmatch(r"\|[-:| ]+\|", line) and lines[number - 1].startswith("|"):
                rows = []
                for row in lines[number + 1 :]:
                    if not row.startswith("|"):
                        break
                    rows.append(cells(row))
                above = next(text for text in reversed(lines[: number - 1]) if text)
                yield page, SOURCE.fullmatch(above), cells(lines[number - 1]), rows


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


TABLES = list(tables())
SOURCED = [table for table in TABLES if table[1] and table[1][1] != "no results"]


def name(table):
    page, _, header, _ = table
    return f"{page.name}: {' '.join(header)[:40]}"


def test_tables_of_measurements_name_their_results_or_why_there_are_none():
    nameless = [name(t) for t in TABLES if MEASURED.search(" ".join(t[2])) and t[1] is None]
    assert not nameless, f"a comment above must say where the numbers are from: {nameless}"
    sourced = {page.name for page, *_ in SOURCED}
    assert {"comparison.md", "audio_quantizers.md", "refinement.md", "models.md"} <= sourced


@pytest.mark.parametrize("table", SOURCED, ids=name)
def test_table_says_what_the_results_say(table, compared_rows):
    _, comment, header, rows = table
    kind, source, unchecked = comment.groups(default="")
    skipped = unchecked.split("; ")
    columns = [i for i, title in enumerate(header) if title not in skipped]
    if kind == "compare":
        compared = compared_rows(shlex.split(source))
        check_comparison(header, rows, columns, compared)
    elif kind == "differences":
        for title, arguments in (column.split(" = ") for column in source.split("; ")):
            compared = compared_rows(shlex.split(arguments))
            check_differences(title, rows, header.index(title), compared)
    elif kind == "rank correlations":
        pairs = (each.split(" = ") for each in source.split("; "))
        compared = {title: compared_rows(shlex.split(arguments)) for title, arguments in pairs}
        check_rank_correlations(header, rows, compared)
    else:
        check_results(header, rows, columns, source)


@pytest.fixture(scope="module")
def compared_rows(warm, tmp_path_factory):
    """What a row is of -> header -> cell of the tables that ``compare.py`` prints.

    Pages show some comparisons twice: one of the same files is made once.
    """

    @functools.cache
    def rows(*arguments):
        done = warm("scripts/compare.py", *arguments, "--output", tmp_path_factory.mktemp("x"))
        assert done.returncode == 0, done.stderr
        return rows_of(done.stdout)

    def expanded(argument):
        return sorted(map(str, ROOT.glob(argument))) if "*" in argument else [argument]

    return lambda arguments: rows(*itertools.chain.from_iterable(map(expanded, arguments)))


def rows_of(output):
    compared = {}
    # Blank lines divide its tables; rows of equal names add up, and each table has its columns.
    for block in output.split("\n\n"):
        if block.startswith("|"):
            header, _, *rows = map(cells, block.splitlines())
            for row in rows:
                known = dict(zip(header, row))
                compared.setdefault(key_of(known), {}).update(known)
    return compared


def key_of(row):
    """What a row is of: a curve, or a contrast and its measure, as ``-`` for all lmbda."""
    names = [row[title].strip("`") for title in ("curve", "codec", "contrast") if title in row]
    return (*names, row.get("measure", "-"))


def check_comparison(header, rows, columns, compared):
    names = ("curve", "codec", "contrast", "measure")
    for row in rows:
        known = compared[key_of(dict(zip(header, row)))]
        for column in columns:
            if header[column] not in names:
                where = f"{row[0]}: {header[column]}"
                check_cell(where, row[column], found(known, header[column]))


def check_differences(title, rows, column, compared):
    """Each curve has a row; a row without it has the cell "-"."""
    named = {(row[0].strip("`"), "-"): row[column] for row in rows}
    assert set(compared) <= set(named), f"{title}: rows lack {set(compared) - set(named)}"
    for key, cell in named.items():
        expected = compared[key]["difference (%)"] if key in compared else "-"
        check_cell(f"{title}: {key[0]}", cell, expected)


def check_rank_correlations(header, rows, compared):
    """A pair has one cell, that of the other order is empty."""
    for title, *texts in rows:
        for other, written in zip(header[1:], texts):
            if written:
                common = sorted(compared[title].keys() & compared[other].keys())
                both = [
                    [float(table[key]["difference (%)"]) for key in common]
                    for table in (compared[title], compared[other])
                ]
                correlation = f"{spearmanr(*both).statistic:.2f} ({len(common)})"
                check_cell(f"{title} and {other}", written, correlation)


def found(known, title):
    """The printed cell whose header begins that of the column, whatever spaces are in them."""
    plain = title.replace(" ", "")
    heads = {key.replace(" ", ""): cell for key, cell in known.items()}
    if plain in heads:
        return heads[plain]
    hits = [cell for head, cell in heads.items() if head and plain.startswith(head)]
    assert len(hits) == 1, f"compare.py prints no column {title!r}: it must be unchecked"
    return hits[0]


def check_results(header, rows, columns, source):
    leading = re.findall(r"{(\w+)}", source)
    keys = {}
    for row in rows:
        named = {title: row[header.index(title)].strip("`") for title in leading}
        keys.update({title: text for title, text in named.items() if text})
        path = ROOT / source.format(**keys)
        document = json.loads(path.read_text())
        results = document["results"]
        if "objective" in document["provenance"]:
            results["loss"] = [document["provenance"]["objective"]["loss"]]
        base = None
        for column in columns:
            if header[column] in leading:
                continue
            title = header[column].lower()
            named = [key for words, key in KEYS.items() if re.match(rf"{words}\b", title)]
            base = named[0] if named else base
            value = results[base][0] if named else derived(title, base, results)
            check_cell(f"{path.name}: {header[column]}", row[column], value)


def derived(title, base, results):
    """A column that says what it is of by following the column of ``base``."""
    rate = next(key for key in ("bpp", "kbps") if key in results)
    if title == "training value":
        return results[f"{base}-training"][0]
    if title.startswith("side information"):
        return results[f"{rate}-side"][0]
    if title == "share":
        return 100 * results[f"{rate}-side"][0] / results[f"{rate}-rounded"][0]
    assert title in VARIANTS, f"no results file has {title!r}: it must be unchecked"
    return results[f"{rate}-{VARIANTS[title]}"][0]


def check_cell(where, written, expected):
    """Equal words, and numbers equal at the precision of the less precise of the two.

    ``expected`` is a cell of another table, or a measured value: of that the cell may say the unit.
    """
    message = f"{where}: {written!r} should be {expected!r}"
    numbers = NUMBER.findall(written)
    if isinstance(expected, float):
        assert len(numbers) == 1, message
        assert abs(float(numbers[0]) - expected) <= half_unit(numbers[0]) + 1e-9, message
        return
    others = NUMBER.findall(expected)
    shapes = [NUMBER.sub("#", text).replace(" ", "").strip("`") for text in (written, expected)]
    assert shapes[0] == shapes[1], message
    for number, other in zip(numbers, others):
        slack = sum(half_unit(text) for text in (number, other) if "." in text)
        assert abs(float(number) - float(other)) <= slack + 1e-9, message


def half_unit(number):
    """Half of the last digit's unit."""
    return 0.5 * 10.0 ** -len(number.partition(".")[2])
