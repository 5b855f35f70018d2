"""Which tenants have open work, so that nothing that runs periodically has to look at all of them."""
