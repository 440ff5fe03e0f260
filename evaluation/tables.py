"""A report's tables as plain text, for a terminal and for readers who are new to the field."""

from __future__ import annotations

import textwrap
from typing import List, Mapping, Optional, Sequence

import numpy as np

from evaluation.media import Medium, Row
from evaluation.metrics.metric import Metric, is_installed

_NAME = 24  # characters
_WIDTH = 100


def comparison_table(
    medium: Medium,
    name: str,
    rows: Sequence[Row],
    classical: Mapping[str, Sequence[Optional[Row]]],
) -> str:
    """Each file coded by the learned codec and by classical ones near its rate; means of all.

    The lines of files show as many metrics and codecs as fit, the means show all.

    Args:
        medium: what the files are.
        name: the learned codec.
        rows: its measured files.
        classical: name of a classical codec -> its match for each row, in the order of ``rows``;
            None for a file that it cannot code.

    Returns:
        Text, without a newline at the end.
    """
    blocks = [
        _file_lines(medium, name, rows, classical),
        _mean_lines(medium, {name: rows, **classical}),
        [*_legend(medium, classical), *_remarks(medium, rows, classical)],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def gap_table(medium: Medium, rows: Sequence[Row]) -> str:
    """The train-test gap of the quantizer: means of rate and quality in training and afterwards.

    Returns:
        Three lines, one each for a fixed length code and for side information if there is such,
        and the medium's remarks; without a newline at the end.
    """
    rate, metric, digits = medium.rate, medium.metrics[0], medium.rate_digits + 1

    def line(title, digits, quantities, remark=""):
        cells = (
            _number(medium.mean(key, rows), width, digits) if key else " " * width
            for key, width in zip(quantities, (16, 12, 12))
        )
        return f"{title:<{_NAME}}" + "".join(cells) + remark

    lines = [
        f"{'train-test gap':<{_NAME}}{'training value':>16}{'rounded':>12}{'coded':>12}",
        line(f"rate ({rate})", digits, [f"{rate}-training", f"{rate}-rounded", rate]),
        line(metric.axis, metric.digits, [f"{metric.key}-training", metric.key, metric.key]),
    ]
    if not np.isnan(medium.mean(f"{rate}-fixed-length", rows)):
        fixed = ["", "", f"{rate}-fixed-length"]
        lines.append(line(f"fixed length ({rate})", digits, fixed))
    side = medium.mean(f"{rate}-side", rows) if medium.refines else 0.0
    if side > 0:
        share = f"  {side / medium.mean(f'{rate}-rounded', rows):.1%} of the rounded bits"
        lines.append(line(f"side information ({rate})", digits, ["", f"{rate}-side"], share))
    return "\n".join([*lines, *medium.remarks(rows)])


def _file_lines(medium, name, rows, classical) -> List[str]:
    metrics = [
        each
        for each in medium.metrics
        if each.in_file_lines and any(_has(row, each) for row in rows)
    ]

    def width():  # of one codec
        return 2 + _rate_width(medium) + sum(metric.width for metric in metrics)

    # The learned codec and one classical codec fit in any case.
    while len(metrics) > 1 and _NAME + 2 * width() > _WIDTH:
        metrics.pop()
    columns = [rows, *classical.values()][: (_WIDTH - _NAME) // width()]
    titles = [name, *(f"{codec}, nearest rate" for codec in classical)]
    titles = [f"  {_shortened(title, width() - 2):^{width() - 2}}" for title in titles]
    rule = "-" * (_NAME + width() * len(columns))
    lines = [
        " " * _NAME + "".join(titles[: len(columns)]),
        f"{'file':<{_NAME}}" + len(columns) * f"  {_heading(medium, metrics)}",
        rule,
    ]
    for items in zip(*columns):
        numbers = "".join(f"  {_numbers(medium, metrics, item)}" for item in items)
        lines.append(f"{_shortened(items[0]['file']):<{_NAME}}{numbers}")
    return [*lines, rule]


def _mean_lines(medium, codecs) -> List[str]:
    rows = next(iter(codecs.values()))
    with_file = any(_has_container(medium, items) for items in codecs.values())
    title = f"mean of {len(rows)} file{'s' * (len(rows) != 1)}"
    heading = _heading(medium, medium.metrics, f"{'file':>8}" if with_file else "")
    lines = [f"{title:<{_NAME}}  {heading}"]
    for codec, items in codecs.items():
        if None in items:  # A mean over other files would compare with nothing.
            empty = _numbers(medium, medium.metrics, None, f"{'-':>8}" if with_file else "")
            lines.append(f"{_shortened(codec):<{_NAME}}  {empty}")
            continue
        means = {each.column: medium.mean(each.key, items) for each in medium.metrics}
        means[medium.rate] = medium.mean(medium.rate, items)
        whole = np.mean([_whole_rate(medium, item) for item in items])
        file = _number(whole, 8, medium.rate_digits) if with_file else ""
        numbers = _numbers(medium, medium.metrics, means, file)
        lines.append(f"{_shortened(codec):<{_NAME}}  {numbers}")
    return lines


def _legend(medium, classical) -> List[str]:
    texts = [f"{medium.rate}: {medium.rate_definition}; lower is smaller."]
    for metric in medium.metrics:
        name = "" if metric.definition.startswith(metric.name) else f"{metric.name}: "
        better = "higher" if metric.higher_is_better else "lower"
        texts.append(f"{name}{metric.definition}; {better} is better.")
    if classical:
        texts.append(f"{', '.join(classical)}: the setting whose rate is nearest for each file.")
    if any(_has_container(medium, matches) for matches in classical.values()):
        texts.append(
            f'Their {medium.rate} counts the packets of audio alone, "file" the container too.'
        )
    return [line for text in texts for line in textwrap.wrap(text, _WIDTH)]


def _remarks(medium, rows, classical) -> List[str]:
    lines = []
    for metric in medium.metrics:
        missing = sum(not _has(row, metric) for row in rows)
        if metric.package and not is_installed(metric.package):
            install = f"pip install -e '.[{metric.package}]'"
            lines.append(
                f"{metric.name}: the package {metric.package} is not installed ({install})."
            )
        elif missing and metric.partial:
            lines.append(
                f"{metric.name}: no number for {missing} of {len(rows)} files ({metric.partial})."
            )
    for codec, matches in classical.items():
        failed = [row["file"] for match, row in zip(matches, rows) if match is None]
        if failed:
            lines.append(
                f"{codec} cannot code {len(failed)} of {len(rows)} files ({_shortened(failed[0])}"
                f"{', ...' * (len(failed) > 1)}): it has no mean and no curve."
            )
        far = sum(
            abs(match[medium.rate] / row[medium.rate] - 1) > 0.1
            for match, row in zip(matches, rows)
            if match is not None
        )
        if far:
            lines.append(
                f"{codec} has no setting within 10 % of the rate of {far} of {len(rows)} files: "
                f"compare its {medium.rate} too."
            )
    return lines


def _has(row: Row, metric: Metric) -> bool:
    return not np.isnan(row[metric.column])


def _whole_rate(medium: Medium, item: Row) -> float:
    """Rate of the file with its container."""
    return item.get(f"{medium.rate}_file", item[medium.rate])


def _has_container(medium: Medium, items: Sequence[Row]) -> bool:
    known = (item for item in items if item is not None)
    return any(_whole_rate(medium, item) != item[medium.rate] for item in known)


def _rate_width(medium: Medium) -> int:
    return medium.rate_digits + 5


def _heading(medium, metrics, after_rate="") -> str:
    names = "".join(f"{metric.name:>{metric.width}}" for metric in metrics)
    return f"{medium.rate:>{_rate_width(medium)}}{after_rate}{names}"


def _numbers(medium, metrics, item, after_rate="") -> str:
    def value(column):
        return np.nan if item is None else item[column]

    rate = _number(value(medium.rate), _rate_width(medium), medium.rate_digits)
    values = "".join(_number(value(each.column), each.width, each.digits) for each in metrics)
    return f"{rate}{after_rate}{values}"


def _number(value: float, width: int, digits: int) -> str:
    return f"{'-' if np.isnan(value) else f'{value:.{digits}f}':>{width}}"


def _shortened(text: str, width: int = _NAME) -> str:
    """Shortens in the middle: names in one folder differ at their ends."""
    if len(text) <= width:
        return text
    keep = width - 3
    return f"{text[: keep // 2]}...{text[len(text) - (keep - keep // 2) :]}"
