"""What greenroom is measured beside: real programs, each run in a process of its own."""
