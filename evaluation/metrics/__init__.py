"""Image and audio metrics. To add one, add a `Metric` to the ``METRICS`` of a file listed here."""

from typing import Dict

from evaluation.metrics import audio, image, speech
from evaluation.metrics.metric import Metric

METRICS: Dict[str, Metric] = {
    metric.key: metric for metric in (*image.METRICS, *audio.METRICS, *speech.METRICS)
}
"""Key -> metric. The first metric of a medium is the one compared by default."""
