"""Rooms: a robot vacuum in a flat, with an exact planner."""
