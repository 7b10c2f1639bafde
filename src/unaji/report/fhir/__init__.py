"""Findings as a FHIR R4 Bundle: what was logged, what was computed from it, and which is which."""
