"""nbgrader's settings for everyone on the hub: where assignments are exchanged. Put it into /etc/jupyter/.

The instructor's own settings are in the folder of the class, where `mialab assign` writes them.
"""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "mialab"
# Make it once: sudo install -d -m 777 /srv/nbgrader/exchange
c.Exchange.root = "/srv/nbgrader/exchange"
# Students' files carry no time zone of their own.
c.Exchange.timezone = "UTC"
