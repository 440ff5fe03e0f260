"""Every kind of file that read_audio promises to read, written by libsndfile; and every refusal."""

import os
import struct
import sys
import threading

import numpy as np
import pytest
import soundfile

from signals.audio_files import (
    LOSSLESS_AUDIO,
    AudioSize,
    decode_audio,
    encode_audio,
    read_audio,
    read_audio_size,
)


def noise(samples, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels)).astype(np.float32)


@pytest.mark.parametrize(
    ("subtype", "step"),
    [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24)],
)
def test_integers_of_every_depth_are_scaled_to_one(tmp_path, subtype, step):
    written = noise(1000, 2)
    soundfile.write(tmp_path / "a.wav", written, 44100, subtype=subtype)
    samples, rate = read_audio(tmp_path / "a.wav")
    assert samples.dtype == np.float32 and rate == 44100
    assert np.abs(samples - written).max() <= step


def test_16_bits_are_over_32768_exactly(tmp_path):
    values = np.array([-32768, -1, 0, 1, 32767], np.int16)
    soundfile.write(tmp_path / "a.wav", values, 8000)
    samples, _ = read_audio(str(tmp_path / "a.wav"))
    np.testing.assert_array_equal(samples[:, 0], values / 32768)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_are_kept_also_beyond_full_scale(tmp_path, subtype):
    written = np.array([[0.25], [-1.75], [3.5]])
    soundfile.write(tmp_path / "a.wav", written, 8000, subtype=subtype)
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav")[0], written)


@pytest.mark.parametrize(
    ("rate", "channels"), [(8000, 1), (96000, 6), (192000, 2), (11025, 1), (1000, 1)]
)
def test_any_rate_and_any_channels(tmp_path, rate, channels):
    written = noise(300, channels)
    soundfile.write(tmp_path / "a.wav", written, rate, subtype="FLOAT")
    samples, found = read_audio(tmp_path / "a.wav")
    assert found == rate
    np.testing.assert_array_equal(samples, written)
    assert read_audio_size(tmp_path / "a.wav") == AudioSize(300, channels, rate)


@pytest.mark.parametrize(
    ("suffix", "container", "subtype"),
    [
        ("flac", "FLAC", "PCM_16"),
        ("ogg", "OGG", "VORBIS"),
        ("opus", "OGG", "OPUS"),
        ("mp3", "MP3", "MPEG_LAYER_III"),
    ],
)
def test_compressed_files_have_their_length_and_their_content(tmp_path, suffix, container, subtype):
    time = np.arange(24000) / 24000
    written = 0.5 * np.sin(2 * np.pi * 440 * time)[:, np.newaxis]
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, written, 24000, format=container, subtype=subtype)
    samples, rate = read_audio(path)
    assert samples.shape == (24000, 1) and rate == 24000
    middle = slice(4000, 20000)
    error = np.sqrt(np.mean((samples - written)[middle] ** 2))
    assert error < 0.03, error  # a shift by one sample alone gives 0.04


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_one_sample(tmp_path, suffix):
    soundfile.write(tmp_path / f"a.{suffix}", np.array([0.5]), 16000)
    assert read_audio(tmp_path / f"a.{suffix}")[0].shape == (1, 1)


def test_the_content_tells_the_format_not_the_name(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(10), 8000)
    (tmp_path / "a.wav").rename(tmp_path / "a.mp3")
    assert read_audio(tmp_path / "a.mp3")[0].shape == (10, 1)


def refused(path):
    with pytest.raises(ValueError) as caught:
        read_audio(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no audio file .*gone\.wav"):
        read_audio(tmp_path / "gone.wav")


def test_a_folder_is_no_recording(tmp_path):
    assert "cannot be read: Is a directory" in refused(tmp_path)


@pytest.mark.parametrize("suffix", ["wav", "mp3", "raw"])
def test_an_empty_file_is_named(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").touch()
    assert refused(tmp_path / f"a.{suffix}").endswith("is empty.")
    with pytest.raises(ValueError, match="record 7 is empty"):
        decode_audio(b"", name="record 7")


@pytest.mark.parametrize("suffix", ["wav", "ogg"])
def test_no_samples_are_refused(tmp_path, suffix):
    soundfile.write(tmp_path / f"a.{suffix}", np.zeros((0, 1)), 8000)
    assert refused(tmp_path / f"a.{suffix}").endswith("has no samples.")


def test_samples_that_are_not_finite_are_counted(tmp_path):
    values = np.array([0, np.nan, np.inf, -np.inf, 0.5])
    soundfile.write(tmp_path / "a.wav", values, 8000, subtype="FLOAT")
    assert refused(tmp_path / "a.wav").endswith("has 3 samples that are NaN or infinite.")


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac", "ogg", "opus", "raw"])
def test_a_renamed_text_file_is_no_audio(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").write_text("Nothing to be heard here.\n" * 300)
    assert "is not a WAV, FLAC, OGG or MP3 file" in refused(tmp_path / f"a.{suffix}")


def test_a_header_may_not_claim_any_size(tmp_path, monkeypatch):
    monkeypatch.setattr("signals.audio_files.MAX_SAMPLES", 99)
    soundfile.write(tmp_path / "a.wav", noise(50, 2), 8000)
    assert "has more than the 99 samples" in refused(tmp_path / "a.wav")


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_truncated_file_is_named(tmp_path, suffix, share):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, noise(96000), 24000)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path)


def test_flipped_bits_never_raise_anything_else(tmp_path):
    generator = np.random.default_rng(3)
    for suffix in ("wav", "flac", "ogg"):
        soundfile.write(tmp_path / f"good.{suffix}", noise(2000), 8000)
        for _ in range(40):
            content = bytearray((tmp_path / f"good.{suffix}").read_bytes())
            content[generator.integers(min(len(content), 200))] ^= 1 << int(generator.integers(8))
            try:
                samples, rate = decode_audio(bytes(content), name="hit")
                assert samples.size and rate
            except ValueError as error:
                assert "hit" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("suffix", LOSSLESS_AUDIO)
@pytest.mark.parametrize("channels", [1, 3])
def test_written_16_bit_samples_are_read_back(suffix, channels):
    levels = np.random.default_rng(4).integers(-(2**15), 2**15, (500, channels)).astype(np.int16)
    encoded = encode_audio(levels, 11025, suffix)
    samples, rate = decode_audio(encoded, name="written")
    assert rate == 11025
    np.testing.assert_array_equal(samples * 32768, levels)
    assert encode_audio(samples, 11025, suffix) == encoded


def test_channels_that_a_file_cannot_hold_are_an_error():
    with pytest.raises(ValueError, match=r"\.flac cannot hold 9 channels at 8000 Hz"):
        encode_audio(np.zeros((5, 9), np.int16), 8000, ".flac")


def piped(samples, whole, data, extra=b""):
    """A 16-bit WAV file at 8 kHz with these two sizes in its header."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    content = (samples * 32767).astype("<i2").tobytes()
    head = struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + form + extra
    return head + struct.pack("<4sI", b"data", data) + content


LARGEST = 2**32 - 1
TAG = struct.pack("<4sI4s4sI4s", b"LIST", 16, b"INFO", b"ISFT", 4, b"Lavf")


@pytest.mark.parametrize(
    ("whole", "data", "extra"),
    [
        (0, 0, b""),
        (LARGEST, 0, b""),
        (LARGEST, LARGEST, TAG),
        (0, 0, TAG),
        (2**31 - 1, 2**31 - 37, b""),
    ],
)
def test_a_wav_file_from_a_pipe_is_read_to_its_end(tmp_path, whole, data, extra):
    samples = noise(100_000)
    content = piped(samples[:, 0], whole, data, extra)
    (tmp_path / "a.wav").write_bytes(content)
    found, rate = read_audio(tmp_path / "a.wav")
    assert rate == 8000 and np.abs(found - samples).max() < 2**-14
    assert read_audio_size(tmp_path / "a.wav") == AudioSize(100_000, 1, 8000)
    np.testing.assert_array_equal(decode_audio(content, name="a")[0], found)


@pytest.mark.parametrize("stated", [0, LARGEST])
def test_a_wav_file_of_which_the_end_would_be_lost_is_refused(tmp_path, stated):
    with (tmp_path / "a.wav").open("wb") as file:
        file.write(piped(noise(10)[:, 0], stated, stated))
        file.truncate(2**32 + 8)  # All but the first block is a hole, which takes no space.
    for read in (read_audio, read_audio_size):
        with pytest.raises(ValueError, match=r"a\.wav is above 4 GiB"):
            read(tmp_path / "a.wav")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("suffix", ["wav", "flac"])
@pytest.mark.parametrize("states_sizes", [True, False])
def test_a_pipe_is_read_to_its_end(tmp_path, suffix, states_sizes):
    samples = np.round(noise(100_000) * 32767) / 32768
    if suffix == "flac" and not states_sizes:
        content = flac_from_a_pipe(tmp_path / "a.flac", samples)
    else:
        content = encode_audio(samples, 8000, f".{suffix}")
        if not states_sizes:
            content = content[:4] + bytes(4) + content[8:40] + bytes(4) + content[44:]
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[content])
    writer.start()
    found, rate = read_audio(tmp_path / "pipe")
    writer.join()
    assert rate == 8000
    np.testing.assert_array_equal(found, samples.astype(np.float32))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have only names of text")
def test_a_name_may_be_bytes_that_are_no_text(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav")
    with open(path, "wb") as file:
        file.write(encode_audio(noise(10), 8000, ".wav"))
    assert len(read_audio(os.fsdecode(path))[0]) == 10
    assert read_audio_size(os.fsdecode(path)).samples == 10


def test_an_empty_wav_file_stays_empty(tmp_path):
    for whole, content in ((36, noise(0)), (0, noise(0))):
        (tmp_path / "a.wav").write_bytes(piped(content[:, 0], whole, 0))
        with pytest.raises(ValueError, match=r"a\.wav has no samples"):
            read_audio(tmp_path / "a.wav")


def flac_from_a_pipe(path, samples):
    """A FLAC file whose writer could not go back to state the length, and its content."""
    soundfile.write(path, samples, 8000)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:42] = bytes(20)  # The 36 bits of the number of samples, and the checksum.
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_a_flac_file_from_a_pipe_is_read_to_its_end(tmp_path, channels):
    samples = np.round(noise(300_000 // channels, channels) * 32767) / 32768
    content = flac_from_a_pipe(tmp_path / "a.flac", samples)
    found, rate = read_audio(tmp_path / "a.flac")
    assert rate == 8000
    np.testing.assert_array_equal(found, samples.astype(np.float32))
    assert read_audio_size(tmp_path / "a.flac") == AudioSize(len(samples), channels, 8000)
    np.testing.assert_array_equal(decode_audio(content, name="a")[0], found)


def test_a_flac_file_of_unknown_length_may_not_go_on_for_ever(tmp_path, monkeypatch):
    flac_from_a_pipe(tmp_path / "a.flac", np.zeros((300_000, 2)))
    monkeypatch.setattr("signals.audio_files.MAX_SAMPLES", 2**19)
    for read in (read_audio, read_audio_size):
        with pytest.raises(ValueError, match=r"a\.flac has more than the 524288 samples"):
            read(tmp_path / "a.flac")


def test_a_flac_file_of_unknown_length_may_be_empty(tmp_path):
    content = flac_from_a_pipe(tmp_path / "a.flac", noise(4000))
    (tmp_path / "a.flac").write_bytes(content[:42])  # Its header alone.
    for read in (read_audio, read_audio_size):
        with pytest.raises(ValueError, match=r"a\.flac (has no samples|is not a)"):
            read(tmp_path / "a.flac")


@pytest.mark.parametrize("subtype", ["GSM610", "NMS_ADPCM_16", "G721_32", "IMA_ADPCM"])
def test_subtypes_that_cannot_seek_are_read(tmp_path, subtype):
    tone = 0.3 * np.sin(np.arange(16000) / 9)
    soundfile.write(tmp_path / "a.wav", tone, 8000, subtype=subtype)
    samples, rate = read_audio(tmp_path / "a.wav")
    assert rate == 8000 and 16000 <= len(samples) < 16400
    assert np.abs(samples[2000:14000, 0] - tone[2000:14000]).max() < 0.15


@pytest.mark.parametrize("rate", [1, 999, 192_001])
def test_rates_out_of_bounds_are_refused(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", noise(9), rate)
    with pytest.raises(ValueError, match=rf"has {rate} samples per second; .* 1000 to 192000"):
        read_audio_size(tmp_path / "a.wav")
