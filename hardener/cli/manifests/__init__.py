"""Manifests as people keep them: files, folders and streams of YAML and JSON, with the place of everything in them."""
