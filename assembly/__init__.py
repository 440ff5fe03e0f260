"""From a configuration to built parts: every ``instantiate`` call of the project is here."""

import logging
import os

from omegaconf import OmegaConf

from processor.process import set_process

# TensorFlow reads these when it is first imported. Level 3, because 2.14 reports three "errors" at
# every start (CUDA libraries registered twice); what goes wrong still arrives as an exception.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TFDS logs each thing that it does, and deprecations of its own, through absl.
logging.getLogger("absl").setLevel(logging.ERROR)
os.environ.setdefault("NO_GCE_CHECK", "true")  # Keeps TFDS from asking for a cloud it may not have.
set_process()

# ${share_of:0.75,${steps}} in a YAML: a step at that share of a run, because OmegaConf cannot
# multiply.
OmegaConf.register_new_resolver("share_of", lambda share, of: int(share * of), replace=True)
