"""Results files as evaluate.py writes them and as others publish them."""

import json
import pathlib

import numpy as np
import pytest
from omegaconf import OmegaConf

from evaluation.comparison.compare import compare
from evaluation.media import IMAGE
from evaluation.results import Results, write_results
from training.run_directory import NOT_PART_OF_A_RUN

LMBDAS = (0.0035, 0.013, 0.0483, 0.18)
IMAGES = 8


@pytest.fixture
def quantizers():
    return pathlib.Path(__file__).resolve().parents[3] / "configs" / "quantizer"


@pytest.fixture
def config_of(compose):
    """``config_of("quantizer=mixed")``: the configuration that results hold."""
    return lambda *overrides: OmegaConf.to_container(compose(*overrides), resolve=True)


@pytest.fixture
def write_runs(config_of):
    """Writes runs whose rate is `factor` of a common curve, with noise of image and seed.

    With ``loss`` their files tell a loss, which is that number of bits per pixel.
    """

    def write(
        folder, name, *overrides, factor=1.0, seeds=(0, 1, 2), lmbdas=LMBDAS, offset=0, loss=None
    ):
        config = config_of(*overrides)
        for seed in seeds:
            for k, lmbda in enumerate(lmbdas):
                rows = []
                for image in range(IMAGES):
                    noise = np.random.default_rng([offset, seed, k, image, int(1000 * factor)])
                    bits = int(factor * 4000 * 2**k * (1 + image / 10))
                    psnr = 27 + 3 * k + image / 5 + noise.normal(0, 0.05)
                    digest = f"{image + offset:064d}"
                    rows.append(
                        IMAGE.with_rates(
                            {
                                **dict.fromkeys((each.column for each in IMAGE.metrics), psnr),
                                "file": f"{image}.png", "sha256": digest,
                                "height": 160, "width": 240,
                                "bits_noise": bits, "bits_training": bits, "bits_rounded": bits,
                                "bits_coded": bits, "bits_fixed_length": float("nan"),
                                "bits_side": 0.0, "psnr_training": psnr,
                                "ms_ssim": 0.9 + 0.02 * k + image / 1000, "encode_seconds": 0.1,
                                "decode_seconds": 0.1, "refine_seconds": 0.0,
                                **({} if loss is None else {"loss": loss * bits / 160 / 240}),
                            }
                        )
                    )  # fmt: skip
                run = {**config, "lmbda": lmbda, "seed": seed, "run": f"{name}-{lmbda}-{seed}"}
                results = Results.from_rows(
                    rows, name=run["run"], description="", dataset="kodak",
                    provenance={"config": run, "git": {"commit": "c0ffee", "dirty": False}},
                )  # fmt: skip
                write_results(results, folder / run["run"] / "results" / "kodak.json")

    return write


@pytest.fixture
def runs(tmp_path, write_runs):
    folder = tmp_path / "runs"
    write_runs(folder, "u", "quantizer=uniform_noise")
    write_runs(folder, "m", "quantizer=mixed", factor=0.9)
    (folder / "u.log").write_text("not a run\n")
    return folder


@pytest.fixture
def published(tmp_path):
    def write(name, factor=1.0, psnr=(26.0, 29.0, 31.5, 34.5, 38.0), path=None):
        bpp = (factor * np.array([0.1, 0.2, 0.45, 0.9, 2.0])).tolist()
        path = path or tmp_path / f"{name}.json"
        path.write_text(json.dumps({"name": name, "results": {"bpp": bpp, "psnr-rgb": psnr}}))
        return path

    return write


@pytest.fixture
def published_audio(tmp_path):
    def write(name, factor=1.0):
        points = {
            "kbps": (factor * np.array([6.0, 9.0, 14.0, 22.0, 35.0])).tolist(),
            "si-sdr": [4.0, 8.0, 11.0, 15.0, 19.0],
            "log-mel": [6.0, 4.5, 3.0, 2.0, 1.5],
        }
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"name": name, "results": points}))
        return path

    return write


@pytest.fixture
def compared(tmp_path, quantizers):
    """``compared(*results, anchor=NAME, ...)``: `compare` to the folder ``o``."""

    def run(*results, **options):
        options = {"output": tmp_path / "o", "load_codec": None, **options}
        return compare(
            list(map(str, results)), quantizers=quantizers, ignored=NOT_PART_OF_A_RUN, **options
        )

    return run
