"""What README and docs show works: commands compose, links lead somewhere, choices exist."""

import collections
import itertools
import pathlib
import re
import shlex

import pytest

from assembly.parts import build_part, fill_slots
from commands.console import command_line

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "quantizers.md").read_text()
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))}
COMMANDS = [
    shlex.split(line.split("  #")[0])
    for page, text in PAGES.items()
    for line in re.findall(r"^python .*$", text, re.MULTILINE)
    if page.name != "extending.md"  # tests/test_extending.py runs it.
]


def test_is_short():
    assert len(README.splitlines()) < 200


def choices_of(group):
    return {path.stem for path in (ROOT / "configs" / group).glob("*.yaml")}


def choices_of_readme():
    """(groups, choices, those marked as the default) of each row of the table of choices."""
    table = README.split("| group | choices |\n|---|---|\n")[1].split("\n\n")[0]
    for row in table.splitlines():
        groups, choices = row.strip("|").split(" | ")
        defaults = re.findall(r"`(\w+)` \(default", choices)
        yield re.findall(r"`(\w+)`", groups), re.findall(r"`(\w+)`", choices), defaults


def test_the_table_of_choices_names_every_choice_and_nothing_else(compose):
    named = collections.defaultdict(set)
    for groups, choices, defaults in choices_of_readme():
        known = set().union(*map(choices_of, groups))
        assert set(choices) <= known, f"{groups}: there is no {set(choices) - known}"
        for group in groups:
            named[group] |= set(choices) & choices_of(group)
        for default in defaults:
            assert compose(small=False)[groups[0]] == compose(f"{groups[0]}={default}")[groups[0]]
    for group in ("data", "distortion", "entropy", "model", "optimizer", "quantizer", "rate"):
        assert named[group] == choices_of(group), group


def test_links_lead_somewhere():
    for page, text in PAGES.items():
        for target, heading in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
            if target.startswith("http"):
                continue
            found = page.parent / target if target else page
            assert found.exists(), f"{page.name}: {target}"
            assert not heading or heading in headings(found), f"{page.name}: {target}#{heading}"


def headings(page):
    """Anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", PAGES[page.resolve()], re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def test_the_guide_names_every_quantizer():
    for path in (ROOT / "configs" / "quantizer").glob("*.yaml"):
        assert f"| `{path.stem}` |" in GUIDE, path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_compose(words, compose):
    import hydra

    script, arguments = words[1], words[2:]
    assert (ROOT / script).is_file()
    if script == "train.py" and arguments != ["--help"]:
        for job in jobs(arguments[1:]) if arguments[:1] == ["-m"] else [arguments]:
            config = fill_slots(compose(*job))
            assert callable(build_part(config.quantizer))
    elif script == "evaluate.py":
        with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
            config = hydra.compose("evaluate", overrides=arguments)
        assert config.run or config.runs or config.pretrained


def test_console_commands_parse():
    lines = re.findall(r"^rtc .*$", "\n".join(PAGES.values()), re.MULTILINE)
    assert len(lines) >= 4
    for line in lines:
        command_line().parse_args(shlex.split(line.split("  #")[0])[1:])


def jobs(arguments):
    """The overrides of each job of a sweep."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    choices = []
    for override in OverridesParser.create().parse_overrides(arguments):
        key, whole = override.get_key_element(), override.input_line
        swept = override.is_sweep_override()
        choices.append(
            [f"{key}={v}" for v in override.sweep_string_iterator()] if swept else [whole]
        )
    return itertools.product(*choices)
