"""Lanes: a motorway with traffic, a slip road, an ambulance, and a crosswalk."""
