"""Rate and distortion of codecs, measured on files: learned ones beside JPEG and WebP."""
