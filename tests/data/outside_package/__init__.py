"""Tests of data/outside_package."""
