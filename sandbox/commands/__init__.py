"""The commands of `teachbox`: one file for each, with their options."""
