"""Jobs: one input processed from end to end, in this process, by a batch or on a cluster."""
