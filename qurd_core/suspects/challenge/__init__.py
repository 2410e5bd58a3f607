"""A sealed challenge: models without their labels for whoever wants to tell stolen ones, and how well they did."""
