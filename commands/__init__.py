"""Compress, decompress, info: each imports TensorFlow only when it needs a model."""
