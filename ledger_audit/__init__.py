"""The auditor of the ledger: a program apart that shares no code with the gateway and needs exported files and public keys only."""
