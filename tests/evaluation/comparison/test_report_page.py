"""The report page in a real browser: it sorts, hovers, slides, and says nothing on the console."""

import json
import re
import shutil

import numpy as np
import pytest

from evaluation.comparison.by_file import ByFile
from evaluation.comparison.comparable import Unranked
from evaluation.comparison.curves import Curve
from evaluation.comparison.page.document import write_page
from evaluation.comparison.page.recordings import Listening
from evaluation.comparison.ranking import compare_with_anchor
from evaluation.figures.crops import Crop
from evaluation.metrics import METRICS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
DRIVER = shutil.which("chromedriver")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--window-size=1000,1400",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NASTY = "</script><b>x & 'y'"


def curve(name, factor, metric="psnr-rgb"):
    bpp = factor * np.array([0.1, 0.2, 0.4, 0.8])
    values = np.array([26.0, 29, 32, 35]) if metric == "psnr-rgb" else np.array([8.0, 10, 13, 16])
    noise = np.array([[-0.1], [0.1]])
    return Curve(
        name, METRICS[metric], bpp, values, seeds=((0, 1),) * 4,
        file_rates=tuple(np.full([2, 1], b) for b in bpp) if metric == "psnr-rgb" else None,
        file_quality=tuple(value + noise for value in values) if metric == "psnr-rgb" else None,
        file_names=("a.png",),
        settings=tuple(f"lmbda={lmbda}" for lmbda in (0.01, 0.02, 0.04, 0.08)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    curves = [curve("anchor", 1.0), curve("better", 0.8), curve(NASTY, 1.3)]
    grid = np.linspace(26, 35, 9)
    # Without rows: what is tested is the page, not the bootstrap.
    bare = [each.__class__(**{**each.__dict__, "file_rates": None}) for each in curves]
    rows = [compare_with_anchor(bare[0], each, grid, resamples=100, seed=0) for each in bare]
    rows.sort(key=lambda row: row.bd_rate)
    pixels = np.random.default_rng(0).integers(0, 256, [2, 32, 48, 3], dtype=np.uint8)
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(
        path, bare[0], rows, [Unranked("fallen", "it falls", None)],
        ["a note <with> signs"], dataset="three (3 files)",
        metrics={"PSNR": curves, "MS-SSIM": [curve(c.name, 1.0, "ms-ssim-rgb") for c in curves]},
        provenance={"run-1": {"config": {"quantizer": "mixed", "text": NASTY}}},
        crops=[Crop("kodim01.png", "better", pixels[0], pixels[1], 0.5, 30.1)],
        recordings=[Listening("speech, 6 kbps", b"RIFF")],
        contrasts=[(["contrast", "p"], [["b against a", "0.250 (1.000)"], ["c", "-"]])],
        files={NASTY: ByFile(np.array([-3.5]), -3.5, (-4.0, -3.0), -3.5, 1.0, (1.0, 1.0))},
        differences=(["setting", NASTY], [["config.steps", "100, 200"]]),
    )  # fmt: skip
    return path


def test_page_is_whole_by_itself(page):
    text = page.read_text()
    assert not re.search(
        r"""(src|href)=["']?(?!data:)\w""", re.sub(r"(?s)<script>.*?</script>", "", text)
    )
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    block = re.search(r'(?s)<script type="application/json" id="data">(.*?)</script>', text)[1]
    data = json.loads(block)
    assert [row[0]["value"] for row in data["ranking"]["rows"]] == [
        "better",
        "anchor",
        NASTY,
        "fallen",
    ]
    assert data["ranking"]["rows"][0][1]["text"] == "\N{MINUS SIGN}20.00"
    assert data["metrics"]["PSNR"]["curves"][0]["band"] is not None
    assert [cell["value"] for cell in data["contrasts"][0]["rows"][0]] == ["b against a", 0.25]
    assert [cell["text"] for cell in data["files"]["rows"][0]] == ["a.png", "\N{MINUS SIGN}3.50"]
    assert "<td>config.steps</td><td>100, 200</td>" in text
    assert NASTY not in text and "a note &lt;with&gt; signs" in text
    assert data["audio"][0]["source"] == "data:audio/wav;base64,UklGRg=="


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium or chromedriver is missing")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.browser
def test_sorts_hovers_toggles_and_slides(page, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    def find(selector):
        return browser.find_elements(By.CSS_SELECTOR, selector)

    def order():
        return [cell.text for cell in find("#table tbody td:first-child")]

    browser.get(page.as_uri())
    for low, high in ((0.05, 2.5), (0.29, 0.378), (1.05, 1.47), (10.6, 14.6), (6, 60)):
        at = browser.execute_script(f"return logTicks({low}, {high})")
        assert len(at) >= 3 and low <= min(at) and max(at) <= high, "every axis has numbers"
    assert order() == ["better", "anchor", NASTY, "fallen"]
    rate = find("#table th button")[1]
    rate.click()
    assert order() == [NASTY, "anchor", "better", "fallen"], "what is not ranked stays last"
    assert find("#table th")[1].get_attribute("aria-sort") == "descending"
    rate.send_keys(Keys.ENTER)
    assert order() == ["better", "anchor", NASTY, "fallen"], "the keyboard sorts too"

    reason = find("#table td.reason")[0]
    assert (reason.text, reason.get_attribute("colspan")) == ("not ranked: it falls", "11")

    points = find("#chart .point")
    assert len(points) == 12
    ActionChains(browser).move_to_element(points[5]).perform()
    tip = find("#tip")[0]
    assert tip.text.splitlines() == [
        "better", "lmbda=0.02", "0.1600 bpp, PSNR 29.00 dB", "2 seeds: 28.90 to 29.10 dB",
    ]  # fmt: skip
    assert [cell.text for cell in find("#contrast-tables tbody td")][:2] == [
        "b against a", "0.250 (1.000)",
    ]  # fmt: skip
    assert [cell.text for cell in find("#file-table tbody td")] == ["a.png", "\N{MINUS SIGN}3.50"]

    def gaps():
        places = [float(point.get_attribute("cx")) for point in find("#chart .point")[:4]]
        return np.diff(places)

    # Rates that double are equally far apart on a logarithmic axis alone.
    np.testing.assert_allclose(gaps(), gaps()[0], rtol=1e-6)
    find("#log")[0].click()
    np.testing.assert_allclose(gaps()[1:], 2 * gaps()[:-1], rtol=1e-6)
    find("#legend button")[1].click()
    assert len(find("#chart .point")) == 8
    Select(find("#metric")[0]).select_by_visible_text("MS-SSIM")
    assert "MS-SSIM" in find("#chart svg")[0].get_attribute("aria-label")
    assert len(find("#chart .point")) == 8, "hidden curves stay hidden"

    slider, pair = find(".pair input")[0], find(".pair")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", pair)
    ActionChains(browser).move_to_element(slider).click_and_hold().move_by_offset(
        -pair.size["width"] // 4, 0
    ).release().perform()
    assert 15 <= int(slider.get_attribute("value")) <= 35
    clip = find(".pair .original")[0].value_of_css_property("clip-path")
    assert f"{100 - int(slider.get_attribute('value'))}%" in clip, clip
    sizes = browser.execute_script(
        "return [...document.images].map((image) => [image.naturalWidth, image.naturalHeight])"
    )
    assert sizes == [[48, 32]] * 2
    browser.set_window_size(420, 900)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert [entry["message"] for entry in browser.get_log("browser")] == []
