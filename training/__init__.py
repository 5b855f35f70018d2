"""Recipes of the weights that Glassdesk has trained itself. In no image, and imported by nothing of the product."""
