"""Every kind of file that read_image promises to read; written by Pillow, or by hand."""

import io
import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from signals.image_files import LOSSLESS_IMAGES, encode_image, read_image, read_image_size

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

RAMP = np.arange(0, 240, dtype=np.uint8).reshape(12, 20)
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1)


def chunk(kind, content, checksum=None):
    checksum = zlib.crc32(kind + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(size, depth, colour_type, rows, extra=b""):
    """A PNG of packed rows, with chunks before its pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def png16(samples, extra=b""):
    """A 16-bit PNG of uint16 ``[height, width, channels]``: Pillow does not write colour ones."""
    height, width, channels = samples.shape
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = [row.astype(">u2").tobytes() for row in samples]
    return png((width, height), 16, colour_type, rows, extra)


def on_white(pixels, alpha):
    """The definition of compositing, in floating point."""
    alpha = alpha[..., np.newaxis] / 255
    return pixels * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".PNG"])
def test_lossless_colour_is_read_as_written(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    options = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(COLOURS).save(path, **options)
    pixels = read_image(path)
    assert pixels.dtype == np.uint8 and pixels.flags.writeable
    np.testing.assert_array_equal(pixels, COLOURS)
    np.testing.assert_array_equal(read_image(str(path)), COLOURS)


@pytest.mark.parametrize("options", [{"quality": 95}, {"quality": 95, "progressive": True}])
def test_jpeg(tmp_path, options):
    Image.new("RGB", (33, 17), (200, 100, 50)).save(tmp_path / "image.jpg", **options)
    pixels = read_image(tmp_path / "image.jpg")
    assert pixels.shape == (17, 33, 3)
    assert np.abs(pixels.astype(int) - [200, 100, 50]).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_gray_fills_three_channels(tmp_path, suffix):
    path = tmp_path / f"gray{suffix}"
    Image.new("L", (16, 16), 77).save(path)
    assert (np.abs(read_image(path).astype(int) - 77) <= 1).all()
    assert read_image(path).shape == (16, 16, 3)


def test_one_bit_is_black_or_white(tmp_path):
    Image.fromarray(RAMP > 100).save(tmp_path / "bits.png")
    assert Image.open(tmp_path / "bits.png").mode == "1"
    expected = np.where(RAMP > 100, 255, 0)[..., np.newaxis]
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png"), expected + 0 * COLOURS)


def test_palette(tmp_path):
    image = Image.fromarray(COLOURS).quantize(16)
    image.save(tmp_path / "palette.png")
    assert Image.open(tmp_path / "palette.png").mode == "P"
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), image.convert("RGB"))


@pytest.mark.parametrize("transparency", [1, bytes([255, 51, 0])], ids=["index", "alphas"])
def test_palette_with_transparency_is_composited_over_white(tmp_path, transparency):
    indices = np.array([[0, 1, 2]], np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "palette.png", transparency=transparency)
    alpha = {0: 255, 1: 0, 2: 255} if transparency == 1 else {0: 255, 1: 51, 2: 0}
    palette = np.array([[[10, 20, 30], [40, 50, 60], [70, 80, 90]]])
    expected = on_white(palette, np.vectorize(alpha.get)(indices))
    assert np.abs(read_image(tmp_path / "palette.png") - expected).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_alpha_is_composited_over_white(tmp_path, suffix):
    alpha = RAMP[::-1, ::-1]
    rgba = np.dstack([COLOURS, alpha])
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    Image.fromarray(rgba).save(tmp_path / f"alpha{suffix}", **options)
    expected = on_white(COLOURS, alpha)
    assert np.abs(read_image(tmp_path / f"alpha{suffix}") - expected).max() <= 1


def test_gray_with_alpha_is_composited_over_white(tmp_path):
    alpha = RAMP[::-1]
    Image.fromarray(np.dstack([RAMP, alpha]), "LA").save(tmp_path / "la.png")
    expected = on_white(np.dstack([RAMP] * 3), alpha)
    assert np.abs(read_image(tmp_path / "la.png") - expected).max() <= 1


@pytest.mark.parametrize(("mode", "colour", "key"), [("L", 9, 9), ("RGB", (9, 8, 7), (9, 8, 7))])
def test_a_transparent_colour_becomes_white(tmp_path, mode, colour, key):
    Image.new(mode, (4, 4), colour).save(tmp_path / "key.png", transparency=key)
    assert (read_image(tmp_path / "key.png") == 255).all()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("key", [0, 1])
def test_a_transparent_gray_becomes_white_at_every_depth(tmp_path, depth, key):
    row = np.packbits([int(bit) for level in range(8) for bit in f"{level % 2**depth:0{depth}b}"])
    extra = chunk(b"tRNS", struct.pack(">H", key))
    (tmp_path / "key.png").write_bytes(png((8, 1), depth, 0, [row.tobytes()], extra))
    levels = np.arange(8) % 2**depth
    expected = np.where(levels == key, 255, levels * (255 // (2**depth - 1)))
    np.testing.assert_array_equal(read_image(tmp_path / "key.png")[0, :, 1], expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_of_16_bits_changes_no_pixel(tmp_path, channels):
    samples = np.array([[0x1234], [0x3412], [0x3400]] * channels, np.uint16)
    samples = samples.reshape(1, 3, channels, order="F")
    extra = chunk(b"tRNS", struct.pack(f">{channels}H", *[0x1234] * channels))
    (tmp_path / "deep.png").write_bytes(png16(samples, extra))
    np.testing.assert_array_equal(
        read_image(tmp_path / "deep.png"), samples // 256 + 0 * COLOURS[:1, :3]
    )


def test_16_bit_gray_is_scaled_not_clipped(tmp_path):
    samples = np.linspace(0, 65535, 240).astype(np.uint16).reshape(12, 20)
    Image.fromarray(samples).save(tmp_path / "deep.png")
    pixels = read_image(tmp_path / "deep.png")
    assert np.abs(pixels - samples[..., np.newaxis] / 257).max() <= 1
    assert pixels.min() == 0 and pixels.max() == 255


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_samples_keep_their_high_byte(tmp_path, channels):
    samples = np.random.default_rng(1).integers(0, 2**16, (6, 7, channels), np.uint16)
    (tmp_path / "deep.png").write_bytes(png16(samples))
    np.testing.assert_array_equal(
        read_image(tmp_path / "deep.png"), samples // 256 + 0 * COLOURS[:6, :7]
    )


@pytest.mark.parametrize("channels", [2, 4])
def test_16_bit_samples_with_alpha_are_composited_over_white(tmp_path, channels):
    samples = np.random.default_rng(2).integers(0, 2**16, (6, 7, channels), np.uint16)
    (tmp_path / "deep.png").write_bytes(png16(samples))
    expected = on_white(samples[..., :-1] / 257, samples[..., -1] / 257)
    assert np.abs(read_image(tmp_path / "deep.png") - expected).max() <= 2


def test_cmyk_jpeg(tmp_path):
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan: red
    cmyk.save(tmp_path / "cmyk.jpg", quality=95)
    assert Image.open(tmp_path / "cmyk.jpg").mode == "CMYK"
    pixels = read_image(tmp_path / "cmyk.jpg").astype(int)
    assert np.abs(pixels - [255, 0, 0]).max() <= 8


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_orientation_is_applied(tmp_path, suffix):
    pixels = np.zeros((16, 48, 3), np.uint8)
    pixels[:, :16] = 250  # bright at the left; orientation 6 turns it to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / f"turned{suffix}", exif=exif)
    turned = read_image(tmp_path / f"turned{suffix}")
    assert turned.shape == (48, 16, 3)
    assert turned[:16].mean() > 240 and turned[16:].mean() < 10
    assert read_image_size(tmp_path / f"turned{suffix}") == (16, 48)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_one_pixel(tmp_path, suffix):
    Image.new("RGB", (1, 1), (128, 128, 128)).save(tmp_path / f"dot{suffix}")
    assert read_image(tmp_path / f"dot{suffix}").shape == (1, 1, 3)


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime")]
    frames[0].save(tmp_path / "move.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert (read_image(tmp_path / "move.webp") == [255, 0, 0]).all()


@pytest.mark.parametrize("suffix", LOSSLESS_IMAGES)
def test_written_pixels_are_read_back(suffix):
    encoded = encode_image(COLOURS, suffix)
    np.testing.assert_array_equal(Image.open(io.BytesIO(encoded)), COLOURS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no image file .*gone\.png"):
        read_image(tmp_path / "gone.png")


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read_image(tmp_path)


@pytest.mark.parametrize("content", [b"hello", b"\x89PNG\r\n\x1a\n", b"II*\0" + bytes(60)])
def test_no_image_is_named(tmp_path, content):
    (tmp_path / "odd.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"odd\.png (is not a PNG, JPEG or WebP image|cannot be)"):
        read_image(tmp_path / "odd.png")


def test_an_empty_file_is_called_so(tmp_path):
    (tmp_path / "none.png").write_bytes(b"")
    for read in (read_image, read_image_size):
        with pytest.raises(ValueError, match=r"none\.png is empty\."):
            read(tmp_path / "none.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_truncated_file_is_named(tmp_path, suffix, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"cut\{suffix} (cannot be decoded|is not a)") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_flipped_bits_never_raise_anything_else(tmp_path):
    """Damage is either not seen by the format or named; no decoder's own error gets out."""
    generator = np.random.default_rng(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    refused = 0
    for suffix in (".png", ".jpg", ".webp"):
        buffer = io.BytesIO()
        kind = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP"}[suffix]
        Image.fromarray(COLOURS).save(buffer, kind, exif=exif)
        for _ in range(60):
            content = bytearray(buffer.getvalue())
            content[generator.integers(len(content))] ^= 1 << int(generator.integers(8))
            (tmp_path / f"hit{suffix}").write_bytes(content)
            try:
                assert read_image(tmp_path / f"hit{suffix}").dtype == np.uint8
            except ValueError as error:
                refused += 1
                assert f"hit{suffix}" in str(error)
    assert refused > 20


def test_an_image_of_too_many_pixels_is_refused_by_its_header(tmp_path):
    def header_only(side):
        content = bytearray(png16(np.zeros((1, 1, 3), np.uint16)))
        content[16:24] = struct.pack(">II", side, side)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        return bytes(content)

    for side in (11_586, 40_000):  # above the limit here; above Pillow's own too
        (tmp_path / "bomb.png").write_bytes(header_only(side))
        with pytest.raises(ValueError, match=r"bomb\.png has more than the 134217728 pixels"):
            read_image(tmp_path / "bomb.png")
    (tmp_path / "large.png").write_bytes(header_only(11_585))
    assert read_image_size(tmp_path / "large.png") == (11_585, 11_585)


def test_an_image_beyond_memory_is_called_so(tmp_path, monkeypatch):
    def fail(_):
        raise MemoryError  # Pillow's says nothing.

    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr("signals.image_files._as_rgb", fail)
    with pytest.raises(ValueError, match=r"a\.png cannot be decoded: out of memory\.$"):
        read_image(tmp_path / "a.png")


def test_commands_read_what_may_be_read_without_warnings(tmp_path):
    Image.new("1", (10_000, 9_000)).save(tmp_path / "large.png")  # Pillow warns of 90 megapixels.
    Image.new("RGB", (8, 8)).save(tmp_path / "odd.jpg")
    content = (tmp_path / "odd.jpg").read_bytes()
    segment = b"\xff\xe2\0\x0aMPF\0II*\0"
    (tmp_path / "odd.jpg").write_bytes(content[:2] + segment + content[2:])
    command = (
        "import sys; from processor.process import set_process; set_process();"
        "from signals.image_files import read_image_size; [*map(read_image_size, sys.argv[1:])]"
    )
    paths = [str(tmp_path / name) for name in ("large.png", "odd.jpg")]
    # A process of its own: pytest has filters of its own.
    done = subprocess.run(
        [sys.executable, "-c", command, *paths], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


LARGE = zlib.compress(bytes(3_000_000))
"""More than Pillow accepts in a chunk of metadata."""

ODD_CHUNKS = {
    "profile": chunk(b"iCCP", b"x\0\0" + LARGE),
    "broken profile": chunk(b"iCCP", b"x\0\0" + LARGE[:50]),
    "text": chunk(b"zTXt", b"Comment\0\0" + LARGE),
    "many texts": chunk(b"tEXt", b"Comment\0" + b"x" * 1_000_000) * 70,
    "wrong checksum": chunk(b"tEXt", b"Comment\0x", checksum=1),
    "EXIF of a wrong checksum": chunk(b"eXIf", b"II*\0\x08\0\0\0", checksum=1),
    "empty": chunk(b"pHYs", b"") + chunk(b"iTXt", b"") + chunk(b"gAMA", b"") + chunk(b"cHRM", b""),
    "unknown": chunk(b"xyZz", bytes(99)),
}


@pytest.mark.parametrize("odd", ODD_CHUNKS)
@pytest.mark.parametrize("place", ["before", "after"])
def test_chunks_beside_the_pixels_never_make_them_unreadable(tmp_path, odd, place):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOURS).save(buffer, "PNG", exif=exif)
    content = buffer.getvalue()
    at = content.index(b"IDAT") - 4 if place == "before" else len(content) - 12
    path = tmp_path / "odd.png"
    path.write_bytes(content[:at] + ODD_CHUNKS[odd] + content[at:])
    np.testing.assert_array_equal(read_image(path), np.rot90(COLOURS, -1))
    assert read_image_size(path) == (12, 20)


def entry(tag, kind, count, value):
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")


ODD_TAGS = {
    "rational over zero": (entry(0x11A, 10, 1, struct.pack("<I", 38)), struct.pack("<ii", -1, 0)),
    "number as text": (entry(0x13C, 12, 1, struct.pack("<I", 4)), b""),
    "outside": (entry(0x131, 2, 99, struct.pack("<I", 2**31)), b""),
    "unknown type": (entry(0x9999, 77, 1, b""), b""),
    "pointer to itself": (entry(0x8769, 4, 1, struct.pack("<I", 8)), b""),
    "bytes": (entry(0x10F, 2, 4, b"\xff\xfe\xff\0"), b""),
}


@pytest.mark.parametrize("odd", ODD_TAGS)
def test_the_orientation_is_read_whatever_is_wrong_with_other_tags(tmp_path, odd):
    tag, data = ODD_TAGS[odd]
    directory = struct.pack("<H", 2) + entry(0x112, 3, 1, struct.pack("<H", 6)) + tag + bytes(4)
    path = tmp_path / "odd.jpg"
    exif = b"Exif\0\0II*\0\x08\0\0\0" + directory + data
    Image.fromarray(COLOURS).save(path, exif=exif, quality=100, subsampling=0)
    assert np.abs(read_image(path) - np.rot90(COLOURS, -1).astype(int)).max() < 12


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE])
def test_segments_beside_the_pixels_never_make_them_unreadable(tmp_path, marker):
    path = tmp_path / "odd.jpg"
    Image.fromarray(COLOURS).save(path)
    expected, content = read_image(path), path.read_bytes()
    contents = (
        b"",
        b"Exif\0\0",
        b"ICC_PROFILE\0\xff\0",
        b"MPF\0II*\0",
        b"Photoshop 3.0\0" + 9 * b"8BIM",
    )
    for inside in contents:
        segment = bytes([0xFF, marker]) + struct.pack(">H", 2 + len(inside)) + inside
        path.write_bytes(content[:2] + segment + content[2:])
        np.testing.assert_array_equal(read_image(path), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_turns_as_pillow_does(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLOURS).save(tmp_path / "turned.png", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(tmp_path / "turned.png"))
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png"), expected)
