"""Configuration file -> policies; namespace -> policy; opt-out annotations -> decisions."""
