"""What the workbench costs, in time and memory."""
