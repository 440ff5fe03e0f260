"""Builds and loads runs. Every ``instantiate`` call of the project is here."""
