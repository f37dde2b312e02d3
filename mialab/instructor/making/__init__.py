"""Making assignments: whose key, which model, which cells, which hidden tests."""
