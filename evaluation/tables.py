"""A report's tables as plain text, for a terminal and for readers who are new to the field."""

from __future__ import annotations

import textwrap
from typing import List, Mapping, Sequence

import numpy as np

from evaluation.media import Medium, Row
from evaluation.metrics.metric import is_installed

_NAME_WIDTH = 24
_WIDTH = 100


def comparison_table(
    medium: Medium, name: str, rows: Sequence[Row], classical: Mapping[str, Sequence[Row]]
) -> str:
    """Each file coded by the learned codec and by classical ones near its rate; means of all.

    The lines of files show as many metrics and codecs as fit, the means show all.

    Args:
        medium: what the files are.
        name: the learned codec.
        rows: its measured files.
        classical: name of a classical codec -> its match for each row, in the order of ``rows``.

    Returns:
        Text, without a newline at the end.

    Raises:
        ValueError: a list of matches is not as long as ``rows``.
    """
    for codec, matches in classical.items():
        if len(matches) != len(rows):
            raise ValueError(
                f"classical['{codec}'] must have one match a row ({len(rows)}), got {len(matches)}"
            )
    return "\n".join(
        [
            *_file_lines(medium, name, rows, classical),
            "",
            *_mean_lines(medium, {name: rows, **classical}),
            "",
            *_legend(medium, classical),
            *_remarks(medium, rows, classical),
        ]
    )


def gap_table(medium: Medium, rows: Sequence[Row]) -> str:
    """The train-test gap of the quantizer: means of rate and quality in training and afterwards.

    Returns:
        Three lines, one each for a fixed length code and for side information if there is such,
        and the medium's remarks; without a newline at the end.
    """
    rate, metric, digits = medium.rate, medium.metrics[0], medium.rate_digits + 1

    def line(title, values, digits, remark=""):
        cells = zip(values, (16, 12, 12))
        numbers = (" " * w if value is None else _number(value, w, digits) for value, w in cells)
        return f"{title:<{_NAME_WIDTH}}" + "".join(numbers) + remark

    def mean(quantity):
        return medium.mean(quantity, rows)

    rates = [mean(f"{rate}-training"), mean(f"{rate}-rounded"), mean(rate)]
    quality = mean(metric.key)
    lines = [
        f"{'train-test gap':<{_NAME_WIDTH}}{'training value':>16}{'rounded':>12}{'coded':>12}",
        line(f"rate ({rate})", rates, digits),
        line(metric.axis, [mean(f"{metric.key}-training"), quality, quality], metric.digits),
    ]
    fixed = mean(f"{rate}-fixed-length")
    if not np.isnan(fixed):
        lines.append(line(f"fixed length ({rate})", [None, None, fixed], digits))
    side = mean(f"{rate}-side") if medium.refines else 0.0
    if side > 0:
        share = f"  {side / rates[1]:.1%} of the rounded bits"
        lines.append(line(f"side information ({rate})", [None, side], digits, share))
    return "\n".join([*lines, *medium.remarks(rows)])


def _file_lines(medium, name, rows, classical) -> List[str]:
    metrics = [each for each in medium.metrics if any(_has(row, each) for row in rows)]
    # The learned codec and one classical codec fit in any case.
    while len(metrics) > 1 and _NAME_WIDTH + 2 * _width(medium, metrics) > _WIDTH:
        metrics.pop()
    width = _width(medium, metrics)
    shown = {name: rows, **classical}
    shown = dict(list(shown.items())[: (_WIDTH - _NAME_WIDTH) // width])
    rule = "-" * (_NAME_WIDTH + width * len(shown))
    titles = [name, *(f"{codec}, nearest rate" for codec in classical)][: len(shown)]
    titles = [f"  {_shortened(title, width - 2):^{width - 2}}" for title in titles]
    lines = [
        " " * _NAME_WIDTH + "".join(titles),
        f"{'file':<{_NAME_WIDTH}}" + len(shown) * f"  {_heading(medium, metrics)}",
        rule,
    ]
    for items in zip(*shown.values()):
        numbers = "".join(f"  {_numbers(medium, metrics, item)}" for item in items)
        lines.append(f"{_shortened(items[0]['file']):<{_NAME_WIDTH}}{numbers}")
    return [*lines, rule]


def _mean_lines(medium, codecs) -> List[str]:
    whole = f"{medium.rate}_file"
    with_file = any(_has_container(medium, items) for items in codecs.values())
    rows = next(iter(codecs.values()))
    title = f"mean of {len(rows)} file{'s' * (len(rows) != 1)}"
    file = f"{'file':>8}" if with_file else ""
    lines = [f"{title:<{_NAME_WIDTH}}  {_heading(medium, medium.metrics, file)}"]
    for codec, items in codecs.items():
        rate = float(np.mean([item[medium.rate] for item in items]))
        if with_file:
            size = np.mean([item.get(whole, item[medium.rate]) for item in items])
            file = f"{size:>8.{medium.rate_digits}f}"
        means = {each.column: medium.mean(each.key, items) for each in medium.metrics}
        numbers = _numbers(medium, medium.metrics, {medium.rate: rate, **means}, file)
        lines.append(f"{_shortened(codec):<{_NAME_WIDTH}}  {numbers}")
    return lines


def _legend(medium, classical) -> List[str]:
    texts = [f"{medium.rate}: {medium.rate_definition}; lower is smaller."]
    for metric in medium.metrics:
        name = "" if metric.definition.startswith(metric.name) else f"{metric.name}: "
        better = "higher" if metric.higher_is_better else "lower"
        texts.append(f"{name}{metric.definition}; {better} is better.")
    if classical:
        names = ", ".join(classical)
        texts.append(f"{names}: the setting whose rate is nearest for each file.")
        if any(_has_container(medium, matches) for matches in classical.values()):
            texts.append(
                f'Their {medium.rate} counts the packets of audio alone, "file" the container too.'
            )
    return [line for text in texts for line in textwrap.wrap(text, _WIDTH)]


def _remarks(medium, rows, classical) -> List[str]:
    lines = []
    for metric in medium.metrics:
        if metric.package and not is_installed(metric.package):
            lines.append(
                f"{metric.name}: the package {metric.package} is not installed "
                f"(pip install -e '.[{metric.package}]')."
            )
            continue
        missing = sum(not _has(row, metric) for row in rows)
        if missing and metric.partial:
            lines.append(
                f"{metric.name}: no number for {missing} of {len(rows)} files ({metric.partial})."
            )
    for codec, matches in classical.items():
        rates = [(match[medium.rate], row[medium.rate]) for match, row in zip(matches, rows)]
        far = sum(abs(near / rate - 1) > 0.1 for near, rate in rates)
        if far:
            lines.append(
                f"{codec} has no setting within 10 % of the rate of {far} of {len(rows)} files: "
                f"compare its {medium.rate} too."
            )
    return lines


def _has_container(medium, items) -> bool:
    """Whether whole files are larger than their packets."""
    whole = f"{medium.rate}_file"
    return any(item.get(whole, item[medium.rate]) != item[medium.rate] for item in items)


def _has(row, metric) -> bool:
    return not np.isnan(row[metric.column])


def _width(medium, metrics) -> int:
    """Columns of one codec."""
    return 2 + _rate_width(medium) + sum(metric.width for metric in metrics)


def _rate_width(medium) -> int:
    return medium.rate_digits + 5


def _heading(medium, metrics, after_rate="") -> str:
    names = "".join(f"{metric.name:>{metric.width}}" for metric in metrics)
    return f"{medium.rate:>{_rate_width(medium)}}{after_rate}{names}"


def _numbers(medium, metrics, item, after_rate="") -> str:
    values = "".join(_number(item[each.column], each.width, each.digits) for each in metrics)
    rate = _number(item[medium.rate], _rate_width(medium), medium.rate_digits)
    return f"{rate}{after_rate}{values}"


def _number(value: float, width: int, digits: int) -> str:
    return f"{'-' if np.isnan(value) else f'{value:.{digits}f}':>{width}}"


def _shortened(text: str, width: int = _NAME_WIDTH) -> str:
    """Shortens in the middle: names in one folder differ at their ends."""
    if len(text) <= width:
        return text
    keep = width - 3
    return f"{text[: keep // 2]}...{text[len(text) - (keep - keep // 2) :]}"
