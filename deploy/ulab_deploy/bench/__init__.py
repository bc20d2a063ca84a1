"""`ulab bench`: how fast, and how large, this machine is for students."""
