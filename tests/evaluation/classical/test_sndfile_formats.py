"""Opus, Vorbis and MP3: real files, aligned samples, and what of them is container."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from evaluation.classical.mp3 import MP3, tag_bytes
from evaluation.classical.ogg import ogg_packet_bytes
from evaluation.classical.opus import OPUS
from evaluation.classical.vorbis import VORBIS
from evaluation.metrics.audio import si_sdr


def delay(original, decoded):
    """Samples by which the correlation is highest."""
    spectra = (np.fft.rfft(each, 2 * len(original)) for each in (decoded, original))
    correlation = np.fft.irfft(next(spectra) * np.conj(next(spectra)))
    at = int(np.argmax(correlation))
    return at if at < len(original) else at - 2 * len(original)


@pytest.mark.parametrize(
    ("codec", "subtype", "start"),
    [(OPUS, "OPUS", b"OggS"), (VORBIS, "VORBIS", b"OggS"), (MP3, "MPEG_LAYER_III", b"\xff")],
)
def test_files_are_whole_and_of_their_format(sounds, codec, subtype, start):
    (data,) = codec.encode(sounds[1], codec.highest).files
    assert data.startswith(start)
    info = soundfile.info(io.BytesIO(data))
    assert (info.subtype, info.samplerate, info.channels) == (subtype, 16000, 2)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000, 44100, 48000])
def test_samples_are_aligned(sounds, audio_codec, sample_rate):
    """At the lowest rates as well, where MP3 has no tag and Opus codes speech."""
    import soxr

    samples = soxr.resample(sounds[0].samples, 8000, sample_rate)
    speech = sounds[0]._replace(samples=samples, sample_rate=sample_rate)
    for setting in (audio_codec.lowest, audio_codec.highest):
        decoded = audio_codec.decode(audio_codec.encode(speech, setting).files, speech)
        assert decoded.shape == samples.shape
        assert abs(delay(samples[:, 0], decoded[:, 0])) <= 1e-4 * sample_rate
    assert si_sdr(samples, decoded) > 10


@pytest.mark.parametrize(("length", "channels"), [(1, 1), (2, 2), (100, 1), (3000, 6)])
def test_any_length_and_any_channels_come_back(sounds, audio_codec, length, channels):
    noise = 0.1 * np.random.default_rng(0).standard_normal([length, channels]).astype(np.float32)
    noise = sounds[0]._replace(samples=noise)
    coded = audio_codec.encode(noise, audio_codec.highest)
    assert len(coded.files) == -(-channels // 2)
    assert audio_codec.decode(coded.files, noise).shape == (length, channels)


def test_rates_that_a_codec_does_not_have_are_resampled(sounds):
    def coded_rate(codec, sample_rate):
        (data,) = codec.encode(sounds[0]._replace(sample_rate=sample_rate), 64).files
        return soundfile.info(io.BytesIO(data)).samplerate

    assert coded_rate(OPUS, 11025) == 12000
    assert coded_rate(OPUS, 96000) == 48000
    assert coded_rate(VORBIS, 6000) == 8000
    speech = sounds[0]._replace(sample_rate=11025)
    assert si_sdr(speech.samples, OPUS.decode(OPUS.encode(speech, 64).files, speech)) > 10


def test_the_container_of_ogg_files_hardly_grows(sounds):
    """The set-up of libvorbis and the tags of Opus are the same at any length of the audio."""
    for codec in (OPUS, VORBIS):
        container, packets = [], []
        for repetitions in (1, 4):
            tiled = sounds[0]._replace(samples=np.tile(sounds[0].samples, (repetitions, 1)))
            coded = codec.encode(tiled, 50)
            packets.append(coded.packet_bytes)
            container.append(coded.file_bytes - coded.packet_bytes)
        assert 0 < container[1] - container[0] < 300, "page headers alone"
        assert packets[1] > 3 * packets[0]
        assert (container[0] > 2500) == (codec is VORBIS)


def test_a_page_that_is_computed_by_hand():
    def page(*packets):
        table, body = b"", b""
        for packet in packets:
            table += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
            body += packet
        return b"OggS" + bytes(22) + bytes([len(table)]) + table + body

    head = page(b"OpusHead" + bytes(11)) + page(b"OpusTags" + bytes(300))
    sound = page(bytes(255), bytes(10))  # 255 bytes need a second, empty segment
    assert ogg_packet_bytes(head + sound) == 265
    assert len(head + sound) - 265 == 3 * 27 + 1 + 2 + 3 + 19 + 308
    with pytest.raises(ValueError, match="ends 1 bytes early"):
        ogg_packet_bytes((head + sound)[:-1])
    with pytest.raises(ValueError, match="no page at byte 0"):
        ogg_packet_bytes(b"RIFF" + bytes(40))
    with pytest.raises(ValueError, match="neither an Opus nor a Vorbis stream"):
        ogg_packet_bytes(page(b"fLaC"))


def test_the_tag_of_an_mp3_file_is_container(sounds):
    low, high = (MP3.encode(sounds[0], setting) for setting in (MP3.lowest, MP3.highest))
    assert tag_bytes(low.files[0]) == 0 and low.packet_bytes == low.file_bytes
    # 64 kbit/s at 8 kHz: frames of 576 samples, 72 ms, 576 bytes.
    assert tag_bytes(high.files[0]) == 576 and high.packet_bytes == high.file_bytes - 576
    assert high.files[0][576:578] == high.files[0][:2]
    with pytest.raises(ValueError, match="not an MP3 file: it starts with b'OggS'"):
        tag_bytes(b"OggS")
