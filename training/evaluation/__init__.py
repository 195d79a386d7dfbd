"""What can be said in numbers of trained networks, on benchmarks that others report too."""
