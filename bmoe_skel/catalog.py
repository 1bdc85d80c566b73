"""The recipes that the project brings along, by name."""

from mm_runtime.catalog import list_configs

__all__ = ['list_configs']
