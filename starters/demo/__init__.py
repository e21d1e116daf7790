"""The demonstration: the whole service on one machine, against the simulators."""
