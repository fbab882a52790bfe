"""Personalization Workbench."""
