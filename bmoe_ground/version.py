"""The project's version: setup.cfg and the ``__version__`` of every package read it here."""

__version__ = '0.4.0'
