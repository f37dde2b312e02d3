"""JupyterHub for a class with this course, for a hub on one machine.

The Littlest JupyterHub: put this file into /opt/tljh/config/jupyterhub_config.d/ and run `sudo tljh-config reload`.
A hub of your own: load it from its jupyterhub_config.py with `load_subconfig("/path/to/this/file")`.
"""

c = get_config()  # noqa: F821

c.Spawner.default_url = "/lab"
# The course trains thousands of small models: threads that fight for the same cores make them slower, not faster.
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
# What one learner needs, where the hub's spawner can limit it (The Littlest JupyterHub's can).
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 2.0
c.Spawner.http_timeout = 60
