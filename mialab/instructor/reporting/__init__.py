"""Reporting: tables for the gradebook, pages of feedback, and the class at a glance."""
