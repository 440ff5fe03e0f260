"""A damaged file, a bad curve and an unmeasured run cost their own places in a comparison alone."""

import json

import pytest

RATES, PSNR = [0.1, 0.2, 0.4, 0.8, 1.6], [26, 28.5, 31, 34, 37]
MS_SSIM = [0.9, 0.94, 0.97, 0.985, 0.995]


@pytest.fixture
def wrong(tmp_path):
    """``wrong("dup", bpp=...)``: a results file beside good ones; ``wrong("x", text=...)``."""

    def write(name, text=None, **changes):
        results = {"bpp": RATES, "psnr-rgb": PSNR, "ms-ssim-rgb": MS_SSIM}
        more = {key: changes.pop(key) for key in list(changes) if key in ("provenance", "dataset")}
        results.update({key.replace("_", "-"): value for key, value in changes.items()})
        document = {"name": name, "results": results, **more}
        path = tmp_path / "wrong" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else json.dumps(document).encode())
        return path

    return write


def page_of(folder):
    block = (folder / "report.html").read_text().split('id="data">')[1].split("</script>")[0]
    return json.loads(block)


def test_a_bad_curve_costs_its_own_place_alone(compared, wrong, tmp_path):
    """Seen one by one: each of them once stopped the comparison of all."""
    reasons = {
        wrong("nonmono", psnr_rgb=[26, 28.5, 31, 30.5, 37]): "goes from 31.000 dB",
        wrong("dup", bpp=[0.1, 0.2, 0.2, 0.8, 1.6]): "goes from 28.500 dB",
        wrong("flat", psnr_rgb=[26, 28.5, 31, 37, 37]): "goes from 37.000 dB",
        wrong("lists", ms_ssim_rgb=None): "results['ms-ssim-rgb'] must be a list",
        wrong("two", bpp=[1, 2], psnr_rgb=[30, 31], ms_ssim_rgb=[0.9, 0.91]): "'two' has 2 points",
        wrong("none", bpp=[], psnr_rgb=[], ms_ssim_rgb=[]): "at least one point, got none",
        wrong("null", psnr_rgb=[None] * 5): "'null' has no point with a finite psnr-rgb",
        wrong("zero", bpp=[0, *RATES[1:]]): "bpp must be a number above 0, got 0",
        wrong("huge", bpp=[*RATES[:4], 10**400]): "results['bpp'] must be a list of numbers",
        wrong("unrated", bpp=[None, *RATES[1:]]): "bpp must be a number above 0, got nan",
        wrong("text", b"not JSON"): "text.json is not a JSON results file",
        wrong("empty", b""): "empty.json is not a JSON results file",
        wrong("cut", b'{"name": "cut", "results": {"bpp": [0.1,'): "cut.json is not a JSON",
        wrong("deep", b"[" * 100_000): "deep.json is not a JSON results file",
        wrong("bytes", b"\xff\xfe\x00"): "bytes.json is not a JSON results file",
        wrong("list", b"[1, 2]"): "'results' must map quantities to lists",
    }  # fmt: skip
    anchor, good = wrong("anchor"), wrong("good", bpp=[0.9 * rate for rate in RATES])
    text = compared(*reasons, anchor, good, anchor="anchor")
    assert "| 1 | good | 5 | - | -10.00 |" in text and "| 2 | anchor |" in text
    refused = [line for line in text.splitlines() if "| not ranked |" in line]
    assert len(refused) == len(reasons) and len({line.count("|") for line in refused}) == 1
    for path, reason in reasons.items():
        assert sum(reason in line and path.stem in line for line in refused) == 1, reason
    document = json.loads((tmp_path / "o" / "comparison.json").read_text())
    assert len(document["not_ranked"]) == len(reasons)
    page = page_of(tmp_path / "o")
    rows = {row[0]["text"]: row[1]["text"] for row in page["ranking"]["rows"]}
    assert rows["dup"].startswith("not ranked: curve 'dup' goes from")
    drawn = {each["name"] for each in page["metrics"]["PSNR"]["curves"]}
    assert drawn == {"anchor", "good", "nonmono", "dup", "flat", "two"}
    with pytest.raises(ValueError, match="'dup' goes from"):
        compared(*reasons, anchor, anchor="dup")
    with pytest.raises(ValueError, match=r"one of the curves: .* Not read: .*\.json is not a"):
        compared(*sorted(reasons), anchor, anchor="empty")


def test_a_saturated_point_is_left_out_and_said(compared, wrong):
    files = wrong("anchor"), wrong("top", ms_ssim_rgb=[*MS_SSIM[:4], 1.0])
    said = "Points left out, because their MS-SSIM is not finite: top 1."
    text = compared(*files, anchor="anchor")
    assert "| top | 5 | - | +0.00† |" in text and said in text
    text = compared(*files, anchor="anchor", metric="ms-ssim-rgb")
    assert "| top | 4 | - | " in text and said in text
    beyond = wrong("beyond", ms_ssim_rgb=[0.9, 0.94, 0.97, 1.5, 1.0])
    text = compared(*files, beyond, anchor="anchor", metric="ms-ssim-rgb")
    assert "'beyond' has 3 points and 2 without a finite quality; BD-rate needs at least 4" in text


@pytest.mark.parametrize(
    "stated",
    [
        {"provenance": "measured by a colleague"},
        {"provenance": ["a", 1]},
        {"provenance": {"config": "x", "git": "abc", "refinement": [], "stages": {}}},
        {"provenance": {"qualities": 7}},
        {"provenance": {"config": {"lmbda": "x", "seed": None, "quantizer": "y"}}},
        {"dataset": {"name": 1, "files": "x", "sha256": None}},
    ],
)  # fmt: skip
def test_what_others_state_in_our_words_is_shown_and_not_used(compared, wrong, tmp_path, stated):
    text = compared(wrong("anchor"), wrong("other", **stated), anchor="anchor")
    assert "| other | 5 | - | +0.00† |" in text
    if isinstance(stated.get("provenance"), str):
        assert "measured by a colleague" in (tmp_path / "o" / "report.html").read_text()


def test_one_run_without_usable_results_leaves_its_curve(compared, runs, write_runs):
    names = sorted(path.name for path in runs.glob("m-*-0"))
    damaged = runs / names[0] / "results" / "kodak.json"
    damaged.write_text(damaged.read_text()[:1000])
    table = runs / names[1] / "results" / "kodak.csv"
    table.write_bytes(b"\0" + table.read_bytes()[:300] + b"\xff")
    (runs / names[2] / "results" / "kodak.json").unlink()
    write_runs(runs, "r", "quantizer=ramp", offset=50)
    text = compared(f"{runs}/*", anchor="uniform_noise", resamples=100)
    assert "| 1 | mixed | 4 | 2 to 3 | -" in text
    assert text.count("| not ranked |") == 3 and "'ramp' was measured on other files" in text
    assert f"Runs without results on kodak: {names[2]}." in text
    assert "Different seeds at different points: mixed." in text
