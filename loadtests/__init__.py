"""Load on loopback: locust users and the gateway benchmark. Prints figures; asserts none."""
