"""Who a customer is: visitors, signed identities and the tickets of a page."""
