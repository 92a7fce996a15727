"""What a scan has found, shown: each format is one way to print a report."""
