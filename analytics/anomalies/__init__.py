"""Detectors: what is wrong with a meter, a pipe or a building, learnt from its own past. Arrays in, findings out."""
