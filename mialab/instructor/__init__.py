"""For instructors: assignments from the course's notebooks, grades that can be trusted, and the challenge.

Students need none of this, and nbgrader is imported only where it is used: `pip install mialab[instructor]`.
"""
