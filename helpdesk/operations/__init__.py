"""What people who run the desk look at: the register of models."""
