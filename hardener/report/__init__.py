"""What pods that exist look like to the policies: the state of a cluster, assessed by the same engine as admission."""
