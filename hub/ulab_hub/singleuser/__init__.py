"""What runs inside a person's sandbox beside stock Jupyter; it sees nothing else of the hub."""
