"""Decodes an .rtc file with the pretrained model or the run that coded it.

python scripts/decompress.py in.rtc out.png
python scripts/decompress.py --run runs/NAME in.rtc out.wav
"""

from commands.console import script

if __name__ == "__main__":
    script("decompress")
