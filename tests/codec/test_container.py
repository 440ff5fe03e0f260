"""The .rtc container: golden bytes, sizes, and the refusal of everything that is not whole."""

import random
import struct
import zlib

import pytest

from codec import container
from codec.container import CodedAudio, CodedImage, DamagedFile, ForeignFile, pack, unpack

FINGERPRINT = bytes(range(8))
PAYLOAD = b"range-coded symbols"


def test_golden_bytes_of_version_1():
    data = pack(CodedImage(height=512, width=768, payload=PAYLOAD), FINGERPRINT)
    body = b"RTC\x01" + FINGERPRINT + b"\x80\x04" + b"\x80\x06" + PAYLOAD
    assert data == body + struct.pack("<I", zlib.crc32(body))


def test_golden_bytes_of_audio():
    audio = CodedAudio(sample_rate=8000, length=300, channels=2, gain=-7, payload=PAYLOAD)
    data = pack(audio, FINGERPRINT)
    body = b"RTC\x81" + FINGERPRINT + b"\xc0\x3e" + b"\xac\x02" + b"\x02" + b"\xf9" + PAYLOAD
    assert data == body + struct.pack("<I", zlib.crc32(body))


@pytest.mark.parametrize(
    "audio", [(1, 1, 1, -128), (8000, 28_800_000, 1, 0), (2**20 - 1, 2**32 - 1, 255, 127)]
)
def test_round_trip_of_any_recording_within_its_header_limit(audio):
    coded = CodedAudio(*audio, payload=PAYLOAD)
    data = pack(coded, FINGERPRINT)
    assert unpack(data, FINGERPRINT, CodedAudio) == coded
    assert len(data) - len(PAYLOAD) <= container.AUDIO_HEADER_LIMIT
    with pytest.raises(ForeignFile, match="holds audio, but the model codes an image"):
        unpack(data, FINGERPRINT)


@pytest.mark.parametrize("numbers", [b"\x00\x05\x01\x00", b"\x05\x00\x01\x00", b"\x05\x05\x00\x00",
                                     b"\x05\x05\x01", b"\x05" + b"\xff" * 6])  # fmt: skip
def test_audio_that_no_packer_writes_is_refused_although_the_checksum_fits(numbers):
    body = b"RTC\x81" + FINGERPRINT + numbers
    body += b"" if len(numbers) == 3 else PAYLOAD
    with pytest.raises(DamagedFile):
        unpack(body + struct.pack("<I", zlib.crc32(body)), FINGERPRINT, CodedAudio)


@pytest.mark.parametrize(
    ("field", "value"), [("sample_rate", 0), ("length", 2**32), ("channels", 256)]
)
def test_audio_out_of_range_is_not_packed(field, value):
    audio = CodedAudio(8000, 5, 1, 0, b"")._replace(**{field: value})
    with pytest.raises(ValueError, match=f"{field}={value} must be 1 to"):
        pack(audio, FINGERPRINT)


@pytest.mark.parametrize("size", [(1, 1), (127, 128), (512, 768), (16384, 16384), (2**24 - 1, 16)])
def test_round_trip_of_any_size_within_the_header_limit(size):
    image = CodedImage(*size, payload=PAYLOAD)
    data = pack(image, FINGERPRINT)
    assert unpack(data, FINGERPRINT) == image
    assert len(data) - len(PAYLOAD) <= container.HEADER_LIMIT <= 32


def test_empty_payload():
    image = CodedImage(1, 1, b"")
    assert unpack(pack(image, FINGERPRINT), FINGERPRINT) == image


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda data: b"", ForeignFile, "empty"),
        (lambda data: b"\x89PNG" + data, ForeignFile, "Not an .rtc file"),
        (
            lambda data: data[:3] + b"\x03" + data[4:],
            ForeignFile,
            "format version 3; this reads 1 and 2",
        ),
        (lambda data: data[:5], DamagedFile, "Truncated .rtc file: 5 bytes"),
        (lambda data: data[:-1], DamagedFile, "checksum"),
        (lambda data: data + b"\0", DamagedFile, "checksum"),
        (lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:], DamagedFile, "checksum"),
    ],
)
def test_damage_is_named(damage, error, message):
    data = pack(CodedImage(512, 768, PAYLOAD), FINGERPRINT)
    with pytest.raises(error, match=message):
        unpack(damage(data), FINGERPRINT)


def test_another_models_file_is_refused_and_both_are_named():
    data = pack(CodedImage(512, 768, PAYLOAD), FINGERPRINT)
    with pytest.raises(ForeignFile, match="0001020304050607, this model's 6d6f64656c20627e"):
        unpack(data, b"model b~")


def test_every_single_bit_flip_and_every_truncation_is_refused():
    data = pack(CodedImage(512, 768, PAYLOAD), FINGERPRINT)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((DamagedFile, ForeignFile)):
            unpack(bytes(flipped), FINGERPRINT)
    for length in range(len(data)):
        with pytest.raises((DamagedFile, ForeignFile)):
            unpack(data[:length], FINGERPRINT)


def test_sizes_that_no_packer_writes_are_refused_although_the_checksum_fits():
    for sizes in (
        b"\x00\x05",
        b"\x05\x00",
        b"\xff\xff\xff\xff\x05",
        b"\xff\xff\x7f\xff\xff\x7f",
        b"\x85",
    ):
        body = b"RTC\x01" + FINGERPRINT + sizes
        body += b"" if sizes == b"\x85" else PAYLOAD
        body += b"\xff" * max(0, 16 - len(body))
        with pytest.raises(DamagedFile):
            unpack(body + struct.pack("<I", zlib.crc32(body)), FINGERPRINT)


def test_random_bytes_are_refused():
    rng = random.Random(0)
    for length in range(200):
        with pytest.raises((DamagedFile, ForeignFile)):
            unpack(b"RTC\x01" + rng.randbytes(length), FINGERPRINT)


@pytest.mark.parametrize(
    ("image", "fingerprint", "message"),
    [
        (CodedImage(0, 5, b""), FINGERPRINT, "height=0"),
        (CodedImage(5, 2**24, b""), FINGERPRINT, "width=16777216"),
        (CodedImage(2**15, 2**15, b""), FINGERPRINT, "up to 268435456 pixels"),
        (CodedImage(5, 5, b""), b"short", "must have 8 bytes"),
    ],
)
def test_packing_errors_name_the_argument(image, fingerprint, message):
    with pytest.raises(ValueError, match=message):
        pack(image, fingerprint)
