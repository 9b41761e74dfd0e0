"""Judges of claims that a network is near a function, for networks that have a judge of their own."""
