"""Fixtures, options and markers come from the product's own plugin."""

pytest_plugins = ["lab.front.plugin"]
