"""Searches in one variable: tolerances, square layers, tubes, minimum-link paths."""
