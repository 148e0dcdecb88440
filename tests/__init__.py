"""Tests of OneGrid."""
