"""Pictures of surrogates: PNG and SVG, texts that do not collide, frames that say what they cut."""

from __future__ import annotations

import xml.etree.ElementTree

import matplotlib
import pytest
from matplotlib._pylab_helpers import Gcf
from PIL import Image

from evaluation.figures import surrogates as surrogate_figures
from evaluation.figures.style import STYLE
from evaluation.figures.surrogate_statistics import respond
from evaluation.figures.surrogates import LATENTS, Panel, write_overview, write_pair
from quantizers import Fourier, Gumbel, SoftRound, StraightThrough, UniformNoise


@pytest.fixture(scope="module")
def responses():
    return [respond(SoftRound(alpha=a), LATENTS, f"alpha = {a}") for a in (3, 7, 15)]


@pytest.fixture(scope="module")
def panels(responses):
    return [
        Panel(["soft_round"], responses),
        Panel(["mixed", "straight_through", "trellis"], [respond(StraightThrough(), LATENTS)]),
        Panel(["fourier"], [respond(Fourier(terms=10), LATENTS, "terms = 10")]),
        Panel(["n" * 70], [respond(UniformNoise(seed=1), LATENTS)]),
        Panel(["gumbel"], [respond(Gumbel(seed=1, tau=0.2), LATENTS, "tau = 0.2")]),
    ]


def drawn(panels):
    style = {**STYLE, "font.size": surrogate_figures._SMALL_FONT}
    with matplotlib.rc_context(style):
        figure = surrogate_figures._overview(panels)
        figure.canvas.draw()
    return figure


def test_writes_png_and_svg(panels, responses, tmp_path):
    for png, svg in (
        write_overview(tmp_path / "new" / "all", [*panels, *panels[:2]]),
        write_pair(tmp_path / "new" / "pair", responses),
    ):
        with Image.open(png) as image:
            assert image.width == 1440
            assert image.info["dpi"][0] == pytest.approx(200, abs=0.1)
        assert xml.etree.ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert len(list((tmp_path / "new").iterdir())) == 4


@pytest.mark.parametrize("count", range(1, 6))
def test_few_panels_leave_no_blank_half(panels, count):
    figure = drawn(panels[:count])
    boxes = [axes.get_position() for axes in figure.axes]
    width, height = figure.get_size_inches()
    covered = sum(box.width * width * box.height * height for box in boxes)
    assert covered > 0.5 * width * height


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_texts_do_not_overlap_and_stay_inside(panels, count):
    figure = drawn(panels[-count:])
    renderer = figure.canvas.get_renderer()
    texts = []
    for axes in figure.axes:
        texts += axes.texts
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
        if axes.axison:
            labels = [axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels()]
            texts += [axes._left_title, *labels, *axes.get_yticklabels()]
    boxes = [
        (text, text.get_window_extent(renderer))
        for text in texts
        if text.get_text() and text.get_visible()
    ]
    width, height = figure.canvas.get_width_height()
    for index, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
        for other, other_box in boxes[index + 1 :]:
            assert not box.overlaps(other_box), (text, other)


def test_all_panels_have_the_same_axes(panels):
    figure = drawn(panels)
    assert len(figure.axes) == 2 * len(panels) + 1
    values, gradients = figure.axes[:-1:2], figure.axes[1:-1:2]
    for axes in (values, gradients):
        assert len({(one.get_xlim(), one.get_ylim()) for one in axes}) == 1


def test_a_gradient_beyond_the_frame_is_told(panels):
    axes = drawn(panels).axes
    of_soft_round, of_fourier = ([t.get_text() for t in axes[i].texts] for i in (1, 5))
    assert of_soft_round == []
    assert of_fourier == ["\N{BLACK UP-POINTING TRIANGLE}21", "\N{BLACK DOWN-POINTING TRIANGLE}−5"]


def test_the_same_inputs_give_the_same_bytes(panels, tmp_path):
    first = write_overview(tmp_path / "a", panels)
    second = write_overview(tmp_path / "b", panels)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_uses_no_pyplot(responses, tmp_path):
    write_pair(tmp_path / "pair", responses)
    # The module itself may be there: the package bjontegaard imports it.
    assert not Gcf.figs, "pyplot keeps every figure that it makes"
