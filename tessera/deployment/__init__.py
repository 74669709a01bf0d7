"""Deploying contracts and comparing them with their record. Needs the compiler (dependency group `ops`)."""
