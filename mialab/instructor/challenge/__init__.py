"""The challenge: a sealed service to attack, and a leaderboard."""
