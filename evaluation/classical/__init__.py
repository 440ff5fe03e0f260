"""Classical codecs, the yardstick beside learned ones."""
