"""How good is the health decision? Seeded simulations of our own code beside the rules of others."""
