"""Opus, Vorbis and MP3: real files, samples in their places, curves, nearest rates."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from evaluation.classical.audio_containers import mp3_has_tag, mp3_sizes, ogg_sizes
from evaluation.classical.audio_formats import MP3, OPUS, VORBIS
from evaluation.classical.audio_matches import audio_ladder, closest_to
from evaluation.metrics.audio import si_sdr

CODECS = pytest.mark.parametrize("codec", [OPUS, VORBIS, MP3], ids=lambda codec: codec.name)


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
    (data,) = codec.encode(sounds[1].samples, 16000, codec.highest).files
    assert data.startswith(start)
    info = soundfile.info(io.BytesIO(data))
    assert (info.subtype, info.samplerate, info.channels) == (subtype, 16000, 2)


@CODECS
@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000, 44100, 48000])
def test_samples_are_in_their_places(sounds, codec, sample_rate):
    """At the lowest rates as well, where MP3 has no tag and Opus codes speech."""
    import soxr

    speech = soxr.resample(sounds[0].samples, 8000, sample_rate)
    for quality in (codec.lowest, codec.highest):
        coded = codec.encode(speech, sample_rate, quality)
        decoded = codec.decode(coded, len(speech), sample_rate)
        assert decoded.shape == speech.shape
        assert abs(delay(speech[:, 0], decoded[:, 0])) <= 1e-4 * sample_rate
    assert si_sdr(speech, decoded) > 10


@CODECS
@pytest.mark.parametrize(("length", "channels"), [(1, 1), (2, 2), (100, 1), (3000, 6)])
def test_any_length_and_any_channels_come_back(codec, length, channels):
    noise = 0.1 * np.random.default_rng(0).standard_normal([length, channels]).astype(np.float32)
    coded = codec.encode(noise, 8000, codec.highest)
    assert len(coded.files) == -(-channels // 2)
    assert codec.decode(coded, length, 8000).shape == noise.shape


def test_rates_that_a_codec_does_not_have_are_resampled(sounds):
    speech = sounds[0].samples
    coded = OPUS.encode(speech, 11025, 64)
    assert coded.coded_rate == 12000
    assert OPUS.encode(speech, 96000, 64).coded_rate == 48000
    assert VORBIS.encode(speech, 6000, 50).coded_rate == 8000
    assert si_sdr(speech, OPUS.decode(coded, len(speech), 11025)) > 10


def test_sizes_of_ogg_files_add_up(sounds):
    """The set-up of libvorbis and the tags of Opus are the same at any length of the sound."""
    for codec in (OPUS, VORBIS):
        short, long = (
            codec.encode(np.tile(sounds[0].samples, (n, 1)), 8000, 50).files[0] for n in (1, 4)
        )
        for data in (short, long):
            assert sum(ogg_sizes(data)) == len(data)
        growth = ogg_sizes(long).container - ogg_sizes(short).container
        assert 0 < growth < 300, "page headers alone"
        assert ogg_sizes(long).packets > 3 * ogg_sizes(short).packets
        opus_or_vorbis = ogg_sizes(short).container
        assert (opus_or_vorbis > 2500) == (codec is VORBIS)


def test_a_page_that_is_computed_by_hand():
    def page(*packets):
        table, body = b"", b""
        for packet in packets:
            table += b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
            body += packet
        return b"OggS" + bytes(22) + bytes([len(table)]) + table + body

    head = page(b"OpusHead" + bytes(11)) + page(b"OpusTags" + bytes(300))
    sound = page(bytes(255), bytes(10))  # 255 bytes need a second, empty segment
    sizes = ogg_sizes(head + sound)
    assert sizes.packets == 265
    assert sizes.container == 3 * 27 + 1 + 2 + 3 + 19 + 308
    with pytest.raises(ValueError, match="ends 1 bytes early"):
        ogg_sizes((head + sound)[:-1])
    with pytest.raises(ValueError, match="no page at byte 0"):
        ogg_sizes(b"RIFF" + bytes(40))
    with pytest.raises(ValueError, match="neither an Opus nor a Vorbis stream"):
        ogg_sizes(page(b"fLaC"))


def test_the_tag_of_an_mp3_file_is_container(sounds):
    low = MP3.encode(sounds[0].samples, 8000, MP3.lowest).files[0]
    high = MP3.encode(sounds[0].samples, 8000, MP3.highest).files[0]
    assert not mp3_has_tag(low) and mp3_sizes(low) == (0, len(low))
    assert mp3_has_tag(high)
    # 64 kbit/s at 8 kHz: frames of 576 samples, 72 ms, 576 bytes.
    assert mp3_sizes(high) == (576, len(high) - 576)
    assert high[576:578] == high[:2]
    with pytest.raises(ValueError, match="not an MP3 file: it starts with b'OggS'"):
        mp3_has_tag(b"OggS")


@CODECS
def test_ladder_rises_with_quality(sounds, codec):
    qualities = (codec.lowest, codec.highest)
    curve = audio_ladder(codec, iter(sounds[:2]), dataset="sounds", qualities=qualities)
    assert curve.name == codec.name and curve.medium.name == "audio"
    assert curve.dataset.files == 2 and {len(each) for each in curve.points.values()} == {2}
    for key in ("kbps", "kbps-packets", "si-sdr", "stoi"):
        assert curve.points[key][0] < curve.points[key][1], key
    assert curve.points["log-mel"][0] > curve.points["log-mel"][1]
    assert np.all(np.array(curve.points["kbps-packets"]) <= curve.points["kbps"])
    whole = [
        8 * codec.encode(sound.samples, sound.sample_rate, codec.highest).file_bytes
        / len(sound.samples) * sound.sample_rate / 1000
        for sound in sounds[:2]
    ]  # fmt: skip
    assert curve.points["kbps"][1] == pytest.approx(np.mean(whole))


def test_ladder_needs_recordings():
    with pytest.raises(ValueError, match="at least one recording"):
        audio_ladder(OPUS, [], dataset="empty")


@CODECS
@pytest.mark.parametrize("wanted", [9.0, 20.0, 33.0])
def test_closest_file_of_all_qualities(sounds, codec, wanted):
    speech = sounds[0].samples
    match, decoded = closest_to(codec, speech, 8000, wanted)

    def rate(quality):
        return codec.encode(speech, 8000, quality).packet_bytes * 8 / 1.2 / 1000

    qualities = range(codec.lowest, min(codec.highest, 101) + 1, 5)
    assert abs(match.kbps - wanted) <= min(abs(rate(each) - wanted) for each in qualities) + 0.3
    assert (
        match.kbps == pytest.approx(rate(match.quality), rel=0.01) and match.kbps_file >= match.kbps
    )
    assert match.si_sdr == si_sdr(speech, decoded)


@CODECS
def test_rates_out_of_reach_give_the_end_of_the_range(sounds, codec):
    for wanted, quality in ((1e-3, codec.lowest), (1e4, codec.highest)):
        match, decoded = closest_to(codec, sounds[2].samples, 8000, wanted)
        assert match.quality == quality and decoded.shape == sounds[2].samples.shape


@pytest.mark.parametrize("wanted", [0.0, -1.0, float("nan")])
def test_a_rate_must_be_positive(sounds, wanted):
    with pytest.raises(ValueError, match="wanted_kbps must be positive, got"):
        closest_to(OPUS, sounds[2].samples, 8000, wanted)
