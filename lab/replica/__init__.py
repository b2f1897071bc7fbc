"""The programs which run inside the nodes; they import nothing of the rest of the project."""
