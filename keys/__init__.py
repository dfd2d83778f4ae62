"""Keys: versioned secrets, sealing at rest, signatures, and the connections they open."""
