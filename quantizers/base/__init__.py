"""What quantizers are built from; the choices are in the package above."""
