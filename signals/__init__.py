"""Images and audio as files and arrays: reading, writing, resampling, loudness."""
