"""Random patches in tf.data, each a pure function of (seed, position).

Position ``p = step * batch_size + i`` is the ``i``-th patch of a step. With ``n`` training images
its epoch is ``p // n``; a permutation drawn for that epoch determines the image to cut it from, so
an epoch uses every image exactly once, whatever its size. Row, column and flip are drawn
statelessly from (seed, ``p``). No state passes from one patch to the next: a run that resumes at
step ``k`` computes its first batch at once. Only `from_stream` has to read up to its start.

Images smaller than a patch are reflected to its size. Audio is an image one row high with one
channel (`data.segments`): its patches are segments, and are not flipped.
"""

from __future__ import annotations

import atexit
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, NamedTuple, Sequence, Tuple

import numpy as np
import tensorflow as tf

from data.source import check_whole

# Bytes of encoded records that `streamed` holds to shuffle them.
_SHUFFLED_BYTES = 2**28


class DecodedImages(NamedTuple):
    """Images of different sizes, concatenated in one tensor that a graph can index."""

    pixels: tf.Tensor  # uint8, of audio float32: [pixels of all images, channels]
    starts: tf.Tensor  # int64 [images]: index of each image's first pixel
    heights: tf.Tensor  # int64 [images]
    widths: tf.Tensor  # int64 [images]


def reflected(pixels: np.ndarray, patch_size: int) -> np.ndarray:
    """Mirrors ``[height, width, 3]`` over its bottom and right edge until a patch fits.

    The edge pixel is repeated (symmetric), so that even one pixel fills a patch.
    """
    bottom, right = (max(0, patch_size - side) for side in pixels.shape[:2])
    return np.pad(pixels, ((0, bottom), (0, right), (0, 0)), mode="symmetric")


def decoded_bytes(sizes: Iterable[Tuple[int, int]], patch_size: int) -> int:
    """Memory for images of these heights and widths, reflected to the size of a patch."""
    return sum(3 * max(height, patch_size) * max(width, patch_size) for height, width in sizes)


def describe_sizes(sizes: Sequence[Tuple[int, int]], patch_size: int) -> str:
    """Log text: memory of images of these sizes, and how many are smaller than a patch."""
    small = sum(min(size) < patch_size for size in sizes)
    return (
        f"({decoded_bytes(sizes, patch_size) / 2**20:.0f} MiB), {small} of {len(sizes)} "
        f"reflected up to {patch_size}x{patch_size}"
    )


def decode_all(
    load: Callable[[int], np.ndarray], sizes: Sequence[Tuple[int, int]], patch_size: int
) -> DecodedImages:
    """Decodes all images into memory, in threads.

    Args:
        load: pixels of the image at an index, uint8 ``[height, width, 3]``.
        sizes: heights and widths of the images, in either order (a rotated image swaps them).
        patch_size: smaller images are reflected to this size.
    """
    padded = np.maximum(np.array(sizes, np.int64), patch_size)
    ends = np.cumsum(padded.prod(axis=1))
    starts = ends - padded.prod(axis=1)
    pixels = np.empty((ends[-1], 3), np.uint8)

    def fill(index: int) -> None:
        image = reflected(load(index), patch_size)
        padded[index] = image.shape[:2]
        pixels[starts[index] : ends[index]] = image.reshape(-1, 3)

    with ThreadPoolExecutor() as pool:
        for _ in pool.map(fill, range(len(padded))):
            pass
    with tf.device("CPU:0"):  # where tf.data runs, even if there is a GPU
        return DecodedImages(*map(tf.constant, (pixels, starts, padded[:, 0], padded[:, 1])))


class PatchSampler:
    """Cuts the patches of one training run from images in memory, in files, or in a stream."""

    def __init__(
        self,
        *,
        patch_shape: Tuple[int, int, int],
        batch_size: int,
        seed: int,
        first_step: int,
        dtype: tf.DType = tf.uint8,
        flips: bool = True,
    ):
        """Checks the arguments.

        Args:
            patch_shape: height, width and channels of a patch.
            batch_size: patches per batch.
            seed: of all random draws.
            first_step: step of the first batch.
            dtype: of the images; batches are always float32.
            flips: whether half of the patches are mirrored left to right.

        Raises:
            ValueError: an argument is out of range.
        """
        check_whole("batch_size", batch_size, minimum=1)
        check_whole("seed", seed, minimum=0)
        check_whole("first_step", first_step, minimum=0)
        self._patch_shape = patch_shape
        self._dtype = dtype
        self._flips = flips
        self._batch_size = batch_size
        self._seed = tf.constant(seed, tf.int64)
        self._first_position = first_step * batch_size

    @tf.autograph.experimental.do_not_convert
    def from_memory(self, images: DecodedImages) -> tf.data.Dataset:
        """Batches from decoded images, computed without Python."""
        down, across = (tf.range(side, dtype=tf.int64) for side in self._patch_shape[:2])
        count = len(images.starts)

        def patch_at(position: tf.Tensor) -> tf.Tensor:
            index = self._image_index(position, count)
            width = images.widths[index]
            row, column, flip = self._draw(position, images.heights[index], width)
            columns = column + tf.where(flip, across[::-1], across)
            rows = row + down
            corner = images.starts[index]
            return tf.gather(images.pixels, corner + rows[:, tf.newaxis] * width + columns)

        return self._batches(self._positions().map(patch_at, num_parallel_calls=tf.data.AUTOTUNE))

    @tf.autograph.experimental.do_not_convert
    def from_files(self, load: Callable[[int], np.ndarray], count: int) -> tf.data.Dataset:
        """Batches from images that are decoded at every use; the same ones as from memory.

        Args:
            load: the image at an index, ``[height, width, channels]``, no smaller than a patch.
            count: number of images.
        """
        decode = _PythonStage(lambda index: load(int(index)), self._dtype)

        def patch_at(position: tf.Tensor) -> tf.Tensor:
            return self._crop(position, decode(self._image_index(position, count)))

        return self._batches(self._positions().map(patch_at, num_parallel_calls=tf.data.AUTOTUNE))

    @tf.autograph.experimental.do_not_convert
    def from_stream(
        self,
        records: tf.data.Dataset,
        decode: Callable[[bytes], np.ndarray],
        *,
        count: int,
        record_bytes: float,
    ) -> tf.data.Dataset:
        """Batches from records that can only be read one after another.

        Records are shuffled within blocks of about 256 MiB, anew in each epoch; the blocks keep the
        order of the files, in which TFDS has already shuffled the examples. Starting in the middle
        of an epoch reads the records before that point and drops them undecoded.

        Args:
            records: encoded images, always in the same order.
            decode: encoded image to ``[height, width, channels]``, no smaller than a patch.
            count: number of records.
            record_bytes: their mean size.
        """
        block = max(1, min(count, int(_SHUFFLED_BYTES / max(1.0, record_bytes))))
        first_epoch, offset = divmod(self._first_position, count)

        def epoch_records(epoch: tf.Tensor) -> tf.data.Dataset:
            start = tf.where(epoch == first_epoch, tf.constant(offset, tf.int64), 0)

            def shuffled(index: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
                seed = tf.stack([self._seed, epoch * count + index])
                return tf.random.experimental.stateless_shuffle(encoded, seed, alg="philox")

            first_block = start // block
            blocks = records.skip(first_block * block).batch(block)
            blocks = blocks.enumerate(first_block).map(shuffled)
            return blocks.unbatch().skip(start % block)

        python_decode = _PythonStage(decode, self._dtype)

        def patch_of(position: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
            return self._crop(position, python_decode(encoded))

        stream = tf.data.Dataset.counter(first_epoch).flat_map(epoch_records)
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        patches = tf.data.Dataset.zip((self._positions(), stream.apply(endless)))
        return self._batches(patches.map(patch_of, num_parallel_calls=tf.data.AUTOTUNE))

    def _positions(self) -> tf.data.Dataset:
        return tf.data.Dataset.counter(self._first_position)

    def _image_index(self, position: tf.Tensor, count: int) -> tf.Tensor:
        seed = tf.stack([self._seed, position // count])
        last = tf.constant(count - 1, tf.int64)
        return tf.random.experimental.index_shuffle(position % count, seed, last)

    def _draw(
        self, position: tf.Tensor, height: tf.Tensor, width: tf.Tensor
    ) -> Tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Row and column of a patch's corner, and whether it is flipped."""
        seed = tf.stack([self._seed, position])
        bits = tf.random.stateless_uniform([3], seed, 0, 2**62, tf.int64, alg="philox")
        row = bits[0] % (height - self._patch_shape[0] + 1)
        column = bits[1] % (width - self._patch_shape[1] + 1)
        return row, column, tf.logical_and(self._flips, bits[2] % 2 == 1)

    def _crop(self, position: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """The patch of a position from a whole image, ``[height, width, channels]``."""
        shape = tf.shape(image, out_type=tf.int64)
        row, column, flip = self._draw(position, shape[0], shape[1])
        patch = tf.slice(image, tf.stack([row, column, 0]), self._patch_shape)
        return tf.cond(flip, lambda: patch[:, ::-1], lambda: patch)

    def _batches(self, patches: tf.data.Dataset) -> tf.data.Dataset:
        """Float32 batches in order, prefetched; cast last because uint8 copies faster."""
        patches = patches.map(lambda patch: tf.ensure_shape(patch, self._patch_shape))
        batches = patches.batch(self._batch_size, drop_remainder=True)
        batches = batches.map(lambda batch: tf.cast(batch, tf.float32))
        options = tf.data.Options()
        options.deterministic = True
        return batches.prefetch(tf.data.AUTOTUNE).with_options(options)


class _PythonStage:
    """A Python function from one tensor to an image, called by tf.data's threads.

    An endless, prefetching dataset still calls it while the interpreter exits. A thread that then
    requests the interpreter never returns, and the process waits for it forever. So at exit further
    calls fail at once, and the exit waits until the pipeline's buffers are full.
    """

    def __init__(self, function: Callable[..., np.ndarray], dtype: tf.DType):
        self._function = function
        self._dtype = dtype
        self._lock = threading.Lock()
        self._started = self._running = 0
        self._exiting = False
        atexit.register(self._drain)

    def __call__(self, value: tf.Tensor) -> tf.Tensor:
        # Declared stateless (it is): tf.data then runs it in parallel in deterministic mode too.
        image = tf.numpy_function(self._run, [value], self._dtype, stateful=False)
        image.set_shape([None, None, None])
        return image

    def _run(self, value: np.ndarray) -> np.ndarray:
        with self._lock:
            self._started += 1
            self._running += 1
        try:
            if self._exiting:
                raise RuntimeError("The interpreter exits.")
            return self._function(value)
        finally:
            with self._lock:
                self._running -= 1

    def _drain(self) -> None:
        self._exiting = True
        seen = -1
        while self._running or seen != self._started:
            seen = self._started
            time.sleep(0.05)
