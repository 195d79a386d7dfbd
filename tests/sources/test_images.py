"""Still images of phones, cameras and printers, and folders of them."""

import builtins
import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidgan.errors import InputError
from vidgan.media.geometry import target_size
from vidgan.media.trim import parse_time
from vidgan.sources import default_suffix, images_in, is_still, open_source
from vidgan.sources.header import size_of
from vidgan.sources.icc import Profile, ProfileError
from vidgan.sources.image import read_image
from vidgan.sources.orientation import EXIF

Image = pytest.importorskip("PIL.Image")
ImageCms = pytest.importorskip("PIL.ImageCms")

FAULTS = Path(__file__).parents[3] / "shared" / "faults"


def noise(width: int = 48, height: int = 32, channels: int = 3) -> NDArray[np.uint8]:
    small = np.random.default_rng(1).integers(0, 255, (height // 8, width // 8, channels), np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def translucent() -> NDArray[np.uint8]:
    pixels = noise(channels=4)
    pixels[..., 3] = np.where(pixels[..., 3] > 120, 255, 90)
    return pixels


def save(path: Path, pixels: NDArray[np.uint8], **options: Any) -> Path:
    options |= {"lossless": True} if path.suffix == ".webp" else {}
    options |= {"quality": 100, "subsampling": 0} if path.suffix == ".jpg" else {}
    Image.fromarray(pixels).save(path, **options)
    return path


def exif(orientation: int) -> Any:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_is_turned_with_its_image(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = save(tmp_path / f"a{suffix}", translucent(), exif=exif(orientation))
    with open_source(path) as source:
        assert source.info.alpha
        (frame,) = source
    wanted = EXIF[orientation].apply(translucent())
    assert frame.alpha is not None and np.array_equal(frame.alpha, wanted[..., 3])
    # libtiff hands out colors multiplied by alpha, in bytes.
    tolerance = 3 if suffix == ".tif" else 0
    assert np.abs(frame.pixels.astype(int) - wanted[..., :3]).max() <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".jpg"])
def test_images_are_turned_as_exif_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = save(tmp_path / f"a{suffix}", noise(), exif=exif(orientation))
    assert np.abs(read_image(path).pixels.astype(int) - EXIF[orientation].apply(noise())).max() <= 6


@pytest.mark.parametrize("name", ["alpha_or3.png", "alpha_or6.png"])
def test_alpha_that_was_not_turned(name: str) -> None:
    if not (FAULTS / name).exists():
        pytest.skip("needs shared/faults")
    image = read_image(FAULTS / name)
    with Image.open(FAULTS / name) as stored:
        stored_alpha = np.asarray(stored.convert("RGBA"))[..., 3]
    assert image.alpha is not None
    assert np.array_equal(image.alpha, EXIF[int(name[8])].apply(stored_alpha))


def matrix_profile(
    name: str, primaries: list[tuple[float, float]], gamma: float, *, curve: str = "curv"
) -> bytes:
    """An ICC profile of a display with a white of D65, of three colorants and one curve."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([0.3127 / 0.329, 1, (1 - 0.3127 - 0.329) / 0.329])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.9642, 1, 0.8249])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ white)) @ bradford
    colorants = adapt @ xyz @ np.diag(np.linalg.solve(xyz, white))

    def number(value: float) -> int:
        return round(value * 65536)

    if curve == "para":
        parameters = 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045
        tone = struct.pack(">4sIHH5i", b"para", 0, 3, 0, *map(number, parameters))
    else:
        tone = struct.pack(">4sIIHH", b"curv", 0, 1, round(gamma * 256), 0)
    text = name.encode("utf-16-be")
    tags = {
        b"desc": struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(text), 28) + text,
        b"wtpt": struct.pack(">4sI3i", b"XYZ ", 0, *map(number, d50)),
        **{
            channel + b"XYZ": struct.pack(">4sI3i", b"XYZ ", 0, *map(number, colorants[:, index]))
            for index, channel in enumerate((b"r", b"g", b"b"))
        },
        **{channel + b"TRC": tone for channel in (b"r", b"g", b"b")},
    }
    table, body, offset = b"", b"", 132 + 12 * len(tags)
    for tag, data in tags.items():
        data += bytes(-len(data) % 4)
        table += tag + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = bytearray(128)
    header[8:12], header[12:24], header[36:40] = b"\x04\x40\0\0", b"mntrRGB XYZ ", b"acsp"
    header[68:80] = struct.pack(">3i", *map(number, d50))
    header[0:4] = struct.pack(">I", offset + len(body))
    return bytes(header) + struct.pack(">I", len(tags)) + table + body


P3 = matrix_profile("Display P3", [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)], 2.2, curve="para")
ADOBE_RGB = matrix_profile("Adobe RGB", [(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], 563 / 256)
SRGB = matrix_profile("sRGB", [(0.64, 0.33), (0.3, 0.6), (0.15, 0.06)], 2.2, curve="para")


def by_littlecms(pixels: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(Image.fromarray(pixels), source, target, outputMode="RGB")
    return np.asarray(converted, np.uint8)


@pytest.mark.parametrize("profile", [P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_colors_are_converted_to_srgb(tmp_path: Path, suffix: str, profile: bytes) -> None:
    path = save(tmp_path / f"a{suffix}", noise(), icc_profile=profile, exif=exif(6))
    with Image.open(path) as stored:
        stored_pixels = np.asarray(stored.convert("RGB"), np.uint8)
    turned = (
        stored_pixels if stored_pixels.shape[0] > stored_pixels.shape[1] else EXIF[6].apply(stored_pixels)
    )
    with open_source(path) as source:
        (frame,) = source
        assert f"converted from '{Profile(profile).name}' to sRGB" in source.warnings[0]
    wanted = by_littlecms(turned, profile)
    assert np.abs(frame.pixels.astype(int) - wanted).max() <= (8 if suffix == ".jpg" else 1)
    assert np.abs(wanted.astype(int) - turned).max() > 15, "the profile changes something"


def test_sixteen_bits_have_their_profile_too(tmp_path: Path) -> None:
    wide = cv2.cvtColor(noise(), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "plain.png"), wide)
    plain = (tmp_path / "plain.png").read_bytes()
    chunk = b"iCCP" + b"P3\0\0" + zlib.compress(P3)
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "p3.png").write_bytes(plain[:33] + chunk + plain[33:])
    image = read_image(tmp_path / "p3.png")
    assert np.abs(image.pixels.astype(int) - by_littlecms(noise(), P3)).max() <= 1


def test_a_profile_of_srgb_changes_nothing(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", noise(), icc_profile=SRGB)
    image = read_image(path)
    assert np.array_equal(image.pixels, noise()) and not image.remarks


def test_a_damaged_profile_is_said_and_costs_no_image(tmp_path: Path) -> None:
    for profile in (b"nonsense" * 20, P3[:300], P3.replace(b"para", b"nope")):
        image = read_image(save(tmp_path / "a.jpg", noise(), icc_profile=profile))
        assert image.pixels.shape == (32, 48, 3)
        assert "profile was not applied" in image.remarks[0]


def test_label_maps_keep_their_colors(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", noise(), icc_profile=P3)
    assert np.array_equal(read_image(path, to_srgb=False).pixels, noise())


def test_gray_images_have_profiles_too() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[np.newaxis, :, np.newaxis], 3, axis=2)
    gray = P3.replace(b"RGB XYZ ", b"GRAYXYZ ").replace(b"rTRC", b"kTRC")
    assert np.abs(Profile(gray).to_srgb(ramp).astype(int) - ramp).max() <= 1
    with pytest.raises(ProfileError):
        Profile(P3.replace(b"RGB XYZ ", b"Lab XYZ ")).to_srgb(ramp)


CMYK_PROFILES = list(Path("/usr/share/color/icc").rglob("*cmyk*.icc"))


@pytest.mark.parametrize("with_pillow", [True, False])
def test_images_for_print(tmp_path: Path, with_pillow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not CMYK_PROFILES:
        pytest.skip("needs an ICC profile for print, such as Ghostscript's")
    profile = CMYK_PROFILES[0].read_bytes()
    path = tmp_path / "a.jpg"
    Image.fromarray(noise()).convert("CMYK").save(path, icc_profile=profile, quality=100)
    if not with_pillow:
        _forbid(monkeypatch, "PIL")
    image = read_image(path)
    if not with_pillow:
        assert "vidgan[images]" in image.remarks[0]
        return
    with Image.open(path) as stored:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        wanted = ImageCms.profileToProfile(stored, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert np.array_equal(image.pixels, np.asarray(wanted))


def _forbid(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    original = builtins.__import__

    def importing(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] in packages:
            raise ImportError(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", importing)


def test_heic_of_tiles_is_one_image() -> None:
    path = FAULTS / "tiled.heic"
    if not path.exists():
        pytest.skip("needs shared/faults")
    pytest.importorskip("pillow_heif")
    assert size_of(path.read_bytes()) == (1000, 512)
    assert is_still(path) and default_suffix(path) == ".png"
    with open_source(path) as source:
        (frame,) = source
        assert frame.size == (1000, 512) and source.info.frame_rate is None


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_heic_and_avif_with_profile_alpha_and_orientation(tmp_path: Path, suffix: str) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    path = tmp_path / f"a{suffix}"
    try:
        # HEIC is turned by a property of its own, which Pillow writes for AVIF alone; its EXIF is for information.
        turn = {"exif": exif(6)} if suffix == ".avif" else {}
        Image.fromarray(translucent()).save(path, quality=100, icc_profile=P3, **turn)
    except (KeyError, OSError, ValueError):
        pytest.skip("this Pillow does not write it")
    image = read_image(path)
    turned = EXIF[6 if turn else 1].apply(translucent())
    assert image.pixels.shape == turned[..., :3].shape and image.alpha is not None
    assert np.abs(image.alpha.astype(int) - turned[..., 3]).mean() < 4
    wanted = by_littlecms(np.ascontiguousarray(turned[..., :3]), P3)
    assert np.abs(image.pixels.astype(int) - wanted).mean() < 12
    assert "Display P3" in image.remarks[0]


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    path = save(tmp_path / "a.heic", noise())
    # Whatever the name is.
    path.rename(tmp_path / "b.mov")
    _forbid(monkeypatch, "PIL", "pillow_heif")
    with pytest.raises(InputError, match=r"pip install 'vidgan\[images\]'"):
        open_source(tmp_path / "b.mov")


def test_pages_of_a_tiff_are_said(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise()) for _ in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with open_source(tmp_path / "a.tif") as source:
        assert len(list(source)) == 1
        assert source.warnings == [f"{tmp_path / 'a.tif'}: has 3 pages; only the first one was taken"]


def folder_of(folder: Path, names: list[str], sizes: list[tuple[int, int]] | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    for name, size in zip(names, sizes or [(48, 32)] * len(names), strict=True):
        save(folder / name, noise(*size))
    return folder


def test_photos_are_no_frames(tmp_path: Path) -> None:
    words = r"these look like photos, not frames: vidgan batch .*/"
    mixed = folder_of(tmp_path / "mixed", ["1.png", "2.png"], [(48, 32), (64, 32)])
    with pytest.raises(InputError, match=f"1.png is 48x32, 2.png is 64x32; {words}"):
        open_source(mixed)
    unnumbered = folder_of(tmp_path / "beach", ["beach.png", "me.jpg"])
    with pytest.raises(InputError, match=f"beach.png has no number in its name; {words}"):
        open_source(unnumbered)
    # Turned by EXIF, one that is stored alike has another shape.
    turned = folder_of(tmp_path / "turned", ["1.png"])
    save(turned / "2.png", noise(), exif=exif(6))
    with open_source(turned) as source, pytest.raises(InputError, match=f"2.png is 32x48; {words}"):
        list(source)


def test_remarks_of_many_frames_are_one(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", noise(), icc_profile=P3)
    with open_source(tmp_path) as source:
        assert len(list(source)) == 3
        assert source.warnings == [
            f"{tmp_path} (3 images): its colors were converted from 'Display P3' to sRGB"
        ]


def test_natural_order(tmp_path: Path) -> None:
    names = ["f10.png", "f9.png", "f²1.png", "f٣.png", "F1.png", "f1a2.png", "f1a10.png"]
    folder_of(tmp_path, names)
    found = [path.name for path in images_in(tmp_path)]
    assert found.index("f9.png") < found.index("f10.png")
    assert found.index("f1a2.png") < found.index("f1a10.png")
    assert sorted(found) == sorted(names)


@pytest.mark.parametrize("text", ["²", "٣x٣", "1²", "Ⅷ", "१२"])
def test_digits_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="is neither a height"):
        target_size(100, 100, text)
    with pytest.raises(ValueError, match="is no time"):
        parse_time(text)
    with pytest.raises(ValueError, match="is no time"):
        parse_time("9" * 5000)
    assert parse_time("1:00:00.5") == Fraction(7201, 2)
