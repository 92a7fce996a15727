"""What becomes of manifests, shown: each format is one way to print a preview."""
