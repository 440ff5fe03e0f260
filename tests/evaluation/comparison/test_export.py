"""Tables as Markdown, LaTeX and CSV."""

import csv
import io

from evaluation.comparison.export import csv_text, latex_table, latex_text, markdown_table

HEADER, ROWS = ["", "curve", "BD-rate (%)"], [["1", "a|b_c", "-1.50†"]]


def test_markdown_escapes_what_ends_a_cell():
    assert markdown_table(HEADER, ROWS).splitlines() == [
        "| | curve | BD-rate (%) |", "|---|---|---|", "| 1 | a\\|b_c | -1.50† |",
    ]  # fmt: skip


def test_latex_escapes_every_special_character():
    assert latex_text(r"a_b & 5% $#{}~^\ <1") == (
        r"a\_b \& 5\% \$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{} $<$1"
    )
    assert latex_text("-1.50† to +2 -x") == r"$-1.50$$^\dagger$ to $+2$ -x"
    lines = latex_table(HEADER, ROWS, caption="50 %").splitlines()
    assert lines[1:6] == [
        r"\caption{50 \%}", r"\begin{tabular}{llr}", r"\toprule", r" & curve & BD-rate (\%) \\",
        r"\midrule",
    ]  # fmt: skip


def test_csv_keeps_all_digits_and_splits_intervals():
    records = [{"name": "a,b", "interval_percent": [-1 / 3, None], "rates": [1, 2]}, {"p": 0.25}]
    (first, second) = csv.DictReader(io.StringIO(csv_text(records)))
    assert first["name"] == "a,b" and float(first["interval_percent_low"]) == -1 / 3
    assert first["interval_percent_high"] == "" and "rates" not in first
    assert (second["p"], second["name"]) == ("0.25", "")
