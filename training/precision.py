"""Which number format the transforms compute in while training."""

from __future__ import annotations

from processor.instruction_sets import instruction_sets

PRECISIONS = ("auto", "float32", "bfloat16")


def resolve_precision(precision: str) -> str:
    """``auto`` becomes bfloat16 where the machine multiplies it natively, else float32."""
    if precision != "auto":
        return precision
    return "bfloat16" if _has_native_bfloat16() else "float32"


def _has_native_bfloat16() -> bool:
    import tensorflow as tf  # Here, because commands read settings before they set the process.

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    # Emulated bfloat16 is slower than float32, so only instruction sets count.
    return not instruction_sets().isdisjoint({"avx512_bf16", "amx_bf16"})
