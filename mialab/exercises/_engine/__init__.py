"""What a check is: the kinds of exercise, how a function is called and judged, what the learner sees, what is kept."""
