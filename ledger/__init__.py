"""The ledger 台账: one appended line for every event, without a value in it, and figures that must balance."""
