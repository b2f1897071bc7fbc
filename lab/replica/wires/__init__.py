"""What makes a wire bad from outside the kernel, where the kernel itself cannot."""
