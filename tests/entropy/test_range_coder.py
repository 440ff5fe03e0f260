"""The range coder's limits: symbols, strings that end too early, and the fewest bytes."""

import numpy as np
import pytest
import tensorflow as tf

from entropy.range_coder import (
    LARGEST_SYMBOL,
    SLACK_BYTES,
    DamagedData,
    Tables,
    fewest_bytes,
    lookup_rows,
)
from processor.stack import range_coder

ESCAPED = [np.array([0.45, 0.45]), np.array([0.9, 0.05])]
TABLES = Tables(tf.constant(lookup_rows(ESCAPED, 16, overflow=True)), tf.constant([-1, 0]))


def escape_code(zeros, ones_after):
    """A string whose only symbol is an escape with an Elias gamma code of so many zeros."""
    # Without the sign of escapes these are symbols of their own; the last table is of single bits.
    lookup = np.append(np.abs(TABLES.lookup), [1, 0, 1, 2]).astype(np.int32)
    bits = [0, *[0] * zeros, 1, *[ones_after] * zeros]
    handle = range_coder.create_range_encoder([], tf.constant(lookup))
    tables = tf.constant([0, *[2] * len(bits)])
    handle = range_coder.entropy_encode_index(handle, tables, tf.constant([2, *bits]))
    return range_coder.entropy_encode_finalize(handle).numpy()


@pytest.mark.parametrize("zeros", [*range(24, 35), 62, 63, 64, 1000])
@pytest.mark.parametrize("ones_after", [0, 1])
def test_no_escape_holds_a_symbol_that_encoders_do_not_write(zeros, ones_after):
    """TFC's encoder hangs at 2**30, and wraps around beyond 32 bits."""
    data = escape_code(zeros, ones_after)
    try:
        symbols = TABLES.decoder(data, 1)(tf.constant([0]))
    except DamagedData:
        return
    assert abs(int(symbols[0])) <= LARGEST_SYMBOL
    assert TABLES.encode([(tf.constant([0]), symbols)]) != data


def test_the_largest_symbols_decode():
    tables = tf.constant([0, 1, 0, 1])
    symbols = tf.constant([LARGEST_SYMBOL, -LARGEST_SYMBOL, 0, LARGEST_SYMBOL])
    data = TABLES.encode([(tables, symbols)])
    np.testing.assert_array_equal(TABLES.decoder(data, 4)(tables), symbols)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_string_that_ends_where_an_escape_begins_does_not_hang(count):
    """The decoder reads zeros beyond the end, and the escape's code ends with its first one."""
    lookup = TABLES.lookup.numpy()
    start = int(lookup[3]) << 16  # Of the first table's escape, in a window of 32 bits.
    assert lookup[3] < 2**16 == lookup[4]
    tables = tf.zeros([count], tf.int32)
    with pytest.raises(DamagedData):
        decoded = TABLES.decoder(start.to_bytes(4, "big"), count)(tables)
        assert TABLES.encode([(tables, decoded)]) != start.to_bytes(4, "big")
        raise DamagedData


@pytest.mark.parametrize(("count", "zeros"), [(8, 92), (8, 99), (8, 101), (40, 116), (40, 125)])
def test_long_codes_near_the_end_do_not_hang(count, zeros):
    """Escapes of 9 bytes each, so that one begins behind 3 bytes for every symbol."""
    lookup = lookup_rows([[1 - 2**-16]], 16, overflow=True)
    tables = Tables(tf.constant(lookup), tf.zeros([1], tf.int32))
    data, rows = b"\xff\xff" + bytes(zeros) + b"\1", tf.zeros([count], tf.int32)
    assert tables.encode([(rows, tables.decoder(data, count)(rows))]) != data


def test_the_least_bits_are_below_the_bits_of_every_symbol():
    rng = np.random.default_rng(0)
    masses = [rng.dirichlet(np.full(size, 0.05)) for size in (2, 3, 40, 2, 300)]
    masses[3] = np.array([1.0, 0.0])
    for precision, overflow in ((16, True), (16, False), (12, False), (9, True)):
        lookup = tf.constant(lookup_rows(masses, precision, overflow=overflow))
        least = Tables(lookup, tf.zeros([5], tf.int32)).least_bits() / 2**16
        ends = [*(np.flatnonzero(lookup.numpy() == 0)[1:] - 1), len(lookup)]
        begins = np.flatnonzero(lookup.numpy() == 0)
        for begin, end, bound in zip(begins, ends, least):
            likeliest = np.diff(lookup.numpy()[begin:end]).max() / 2**precision
            assert bound == 1 - likeliest <= max(-np.log2(likeliest), 0)


@pytest.mark.parametrize(("symbols", "overflow"), [(16, False), (15, True)])
def test_tables_hold_as_many_symbols_as_the_precision_tells_apart(symbols, overflow):
    assert len(lookup_rows([np.full(symbols, 1 / 16)], 4, overflow=overflow)) == 18
    with pytest.raises(ValueError, match=r"^range_coder_precision=4 .* 16 symbols, .* has 17\.$"):
        lookup_rows([np.full(symbols + 1, 1 / 17)], 4, overflow=overflow)


@pytest.mark.parametrize("likeliest", [0.3, 0.9, 0.9999])
def test_no_string_is_shorter_than_its_fewest_bytes(likeliest):
    masses = [(1 - likeliest) / 2, likeliest, (1 - likeliest) / 2]
    tables = Tables(tf.constant(lookup_rows([masses], 16, overflow=False)), tf.zeros([1], tf.int32))
    number = 300_000
    for symbol in range(3):
        rows = tf.zeros([number], tf.int32)
        data = tables.encode([(rows, tf.fill([number], symbol))])
        fewest = fewest_bytes(number * int(tables.least_bits()[0]))
        assert len(data) >= fewest >= number * (1 - max(masses)) / 8 - SLACK_BYTES - 2
