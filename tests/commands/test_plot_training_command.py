"""scripts/plot_training.py: every run that is named is drawn, under a name of its own."""

import re

LOG = "step,loss,bpp,psnr\n10,{},1,20\n20,3,.5,25\n"


def write_run(folder, loss):
    folder.mkdir(parents=True)
    (folder / "training.csv").write_text(LOG.format(loss))


def test_runs_of_one_name_are_told_apart_by_their_folders(warm, tmp_path):
    for number, folder in enumerate(("a/runs/first", "b/runs/first", "b/runs/second")):
        write_run(tmp_path / folder, 5 + number)
    output = tmp_path / "figures"
    done = warm("scripts/plot_training.py", f"{tmp_path}/*/runs/*", "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    written = re.findall(r"<!-- (.*?) -->", (output / "training.svg").read_text())
    assert written[-3:] == ["a/runs/first", "b/runs/first", "b/runs/second"]
    done = warm("scripts/plot_training.py", f"{tmp_path}/b/runs/*", "--output", output)
    written = re.findall(r"<!-- (.*?) -->", (output / "training.svg").read_text())
    assert written[-2:] == ["first", "second"], "no longer than needed"
