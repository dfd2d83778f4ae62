"""Cases: what a subject asks for and a unit decides, from the day it came in until everybody has acted (clauses 11, 12, 16)."""
