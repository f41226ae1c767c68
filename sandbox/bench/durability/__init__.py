"""`teachbox bench trust`: what a person said survives kills, power cuts and crashes, each with a control."""
