"""The pages of the documentation that are derived from the code."""
