"""Intake: plan, ask, record."""
