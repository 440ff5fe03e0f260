"""Codes an image or audio file with a pretrained model or a trained run.

python scripts/compress.py in.png out.rtc
python scripts/compress.py --run runs/NAME in.wav out.rtc
python scripts/compress.py --run runs/NAME --refine sga --refine-steps 500 in.png out.rtc
"""

from commands.console import script

if __name__ == "__main__":
    script("compress")
