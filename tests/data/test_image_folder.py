"""Which files a folder gives, under which names, in which split."""

import os
import re
import shutil

import pytest
from PIL import Image

from data import ImageFolder


def save(folder, *names):
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3 + number, 2)).save(path)


def names(source, split):
    return [image.name for image in source.images(split)]


def test_finds_images_recursively_whatever_their_case(tmp_path):
    save(tmp_path, "b.PNG", "a.jpg", "deep/er/c.JpEg", "deep/d.webp")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._a.jpg").write_text("what another system leaves beside a file")
    save(tmp_path, ".thumbnails/a.png")
    source = ImageFolder(root=str(tmp_path))
    assert names(source, "all") == ["a.jpg", "b.PNG", "deep/d.webp", "deep/er/c.JpEg"]
    assert source.name == tmp_path.name
    assert source.evaluation_split == "all"


def test_tells_its_files_from_others(tmp_path):
    save(tmp_path / "train", "a.png", "b.png", "c.png")
    save(tmp_path / "validation", "d.png")
    save(tmp_path / "test", "e.png")
    roots = {f"{split}_root": str(tmp_path / split) for split in ("validation", "test")}

    def files():
        return ImageFolder(root=str(tmp_path / "train"), **roots).files

    first = files()
    assert first.startswith("3 train and 1 validation files")
    save(tmp_path / "test", "f.png")
    assert files() == first, "what is tested on takes no part in training"
    other = tmp_path / "train" / "a.png"
    content = other.read_bytes()
    other.write_bytes(content + b" ")
    assert files() != first, "another size"
    other.write_bytes(content)
    assert files() == first
    other.rename(other.with_name("aa.png"))
    assert files() != first, "another name"
    other.with_name("aa.png").rename(other)
    save(tmp_path / "validation", "g.png")
    assert files() != first and files().startswith("3 train and 2 validation files")


def test_several_roots_keep_names_unique(tmp_path):
    save(tmp_path, "x/same.png", "y/same.png", "y/other.png")
    source = ImageFolder(root=[str(tmp_path / "x"), str(tmp_path / "y")])
    assert names(source, "all") == ["x/same.png", "y/other.png", "y/same.png"]
    assert source.name == "x+y"


def test_a_root_within_a_root_adds_no_image_twice(tmp_path):
    save(tmp_path, "x/a.png", "b.png")
    source = ImageFolder(root=[str(tmp_path), str(tmp_path / "x")])
    assert names(source, "all") == ["b.png", "x/a.png"]


def test_splits_follow_the_names_not_the_place_or_the_company(tmp_path):
    save(tmp_path / "one", *[f"{number}.png" for number in range(100)])
    before = ImageFolder(root=str(tmp_path / "one"))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    save(tmp_path / "two", *[f"new{number}.png" for number in range(50)])
    after = ImageFolder(root=str(tmp_path / "two"))
    for split in ("train", "validation", "test"):
        kept = [name for name in names(after, split) if not name.startswith("new")]
        assert kept == names(before, split)
    assert 3 <= len(names(before, "test")) <= 20
    assert 3 <= len(names(before, "validation")) <= 20


def test_a_file_and_links_to_it_are_in_one_split(tmp_path):
    save(tmp_path, *[f"{number}.png" for number in range(40)])
    before = ImageFolder(root=str(tmp_path))
    splits = ("train", "validation", "test")
    for number in range(40):
        (tmp_path / f"best{number}.png").symlink_to(f"{number}.png")
    after = ImageFolder(root=str(tmp_path))
    assert [names(after, split) for split in splits] == [names(before, split) for split in splits]
    assert len(names(after, "all")) == 80


def test_fractions_of_zero_leave_everything_to_train(tmp_path):
    save(tmp_path, *[f"{number}.png" for number in range(20)])
    source = ImageFolder(root=str(tmp_path), validation_fraction=0, test_fraction=0.0)
    assert len(names(source, "train")) == 20
    assert names(source, "test") == names(source, "validation") == []


@pytest.mark.parametrize(
    ("count", "least"),
    [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (5, (1, 1, 1))],
)
def test_small_folders_train_first_then_test_then_validate(tmp_path, count, least):
    save(tmp_path, *[f"{number}.png" for number in range(count)])
    source = ImageFolder(root=str(tmp_path))
    sizes = [len(names(source, split)) for split in ("train", "validation", "test")]
    assert sum(sizes) == count
    assert all(size >= floor for size, floor in zip(sizes, least)), sizes


def test_own_folders_for_validation_and_test(tmp_path):
    save(tmp_path, *[f"train/{number}.png" for number in range(9)], "val/a.png", "test/b.png")
    source = ImageFolder(
        root=str(tmp_path / "train"),
        validation_root=str(tmp_path / "val"),
        test_root=[str(tmp_path / "test")],
    )
    assert len(names(source, "train")) == len(names(source, "all")) == 9
    assert names(source, "validation") == ["a.png"]
    assert names(source, "test") == ["b.png"]


def test_a_held_out_folder_within_the_root_is_not_trained_on(tmp_path):
    save(tmp_path, *[f"{number}.png" for number in range(9)], "val/a.png")
    source = ImageFolder(root=str(tmp_path), validation_root=str(tmp_path / "val"), test_fraction=0)
    assert len(names(source, "train")) == 9
    assert len(names(source, "all")) == 10


def test_validation_and_test_may_not_share_images(tmp_path):
    save(tmp_path, "a.png", "held/b.png")
    held = str(tmp_path / "held")
    with pytest.raises(ValueError, match=r"validation_root and test_root share images.*b\.png"):
        ImageFolder(root=str(tmp_path), validation_root=held, test_root=held)


def test_nothing_left_to_train_on_is_an_error(tmp_path):
    save(tmp_path, "a.png")
    source = ImageFolder(root=str(tmp_path), test_root=str(tmp_path))
    assert names(source, "all") == ["a.png"]
    assert "0 train" in source.describe()
    with pytest.raises(ValueError, match="no image is left to train on"):
        source.training_batches(batch_size=1, seed=0)


def test_a_missing_folder_is_named(tmp_path):
    save(tmp_path, "a.png")
    with pytest.raises(FileNotFoundError, match=r"root='.*gone' is not an existing folder"):
        ImageFolder(root=str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError, match="validation_root='/nowhere' is not"):
        ImageFolder(root=str(tmp_path), validation_root="/nowhere")


def test_a_folder_without_images_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match=rf"{tmp_path} holds no image \(\.jpeg, \.jpg, \.png"):
        ImageFolder(root=str(tmp_path))
    for nothing in ([], None):
        with pytest.raises(ValueError, match=r"root=(\[\]|None) must name at least one folder"):
            ImageFolder(root=nothing)


@pytest.mark.parametrize("argument", ["validation_fraction", "test_fraction"])
@pytest.mark.parametrize("value", [-0.1, 1.0, "half"])
def test_a_fraction_out_of_range_is_refused(tmp_path, argument, value):
    save(tmp_path, "a.png")
    with pytest.raises(ValueError, match=f"{argument}={value!r} must be at least 0 and below 1"):
        ImageFolder(root=str(tmp_path), **{argument: value})


def test_fractions_must_leave_something(tmp_path):
    save(tmp_path, "a.png")
    with pytest.raises(ValueError, match=r"must add up to less than 1"):
        ImageFolder(root=str(tmp_path), validation_fraction=0.5, test_fraction=0.5)


def test_a_home_folder_and_a_trailing_slash(tmp_path, monkeypatch):
    save(tmp_path, "pictures/a.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ImageFolder(root="~/pictures" + os.sep).name == "pictures"


def test_results_on_a_split_of_its_own_carry_its_folders_name(tmp_path):
    save(tmp_path / "train", "a.png", "b.png")
    save(tmp_path / "kodak", "c.png")
    source = ImageFolder(root=str(tmp_path / "train"), test_root=str(tmp_path / "kodak"))
    assert source.name == source.name_of("validation") == "train"
    assert source.name_of("test") == "kodak"


def test_names_that_are_not_utf_8_are_read_and_can_be_printed(tmp_path):
    root = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(root)
    save(tmp_path, "x.png")
    os.rename(tmp_path / "x.png", root + b"/\xff\xfe.png")
    source = ImageFolder(root=os.fsdecode(root))
    assert source.name == r"caf\xe9" and names(source, "all") == [r"\xff\xfe.png"]


def test_the_name_of_many_folders_is_a_name_of_a_file(tmp_path):
    save(tmp_path, *(f"photographs-{number}/x.png" for number in range(60)))
    roots = [str(tmp_path / f"photographs-{number}") for number in range(60)]
    many, fewer, two = (ImageFolder(root=roots[:count]).name for count in (60, 59, 2))
    assert two == "photographs-0+photographs-1" and many != fewer
    assert re.fullmatch(r"photographs-0\+.*\+59-[0-9a-f]{8}", many) and len(many) < 60
