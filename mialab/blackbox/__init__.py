"""This room shows a model as a stranger sees it: questions in, class probabilities out, and every question counted.

Notebook 08 puts a model behind a real prediction service and asks it over HTTP. An attack cannot tell three things
apart: a model, a `QueryMeter` around it, and a `RemoteModel` that asks a service started with `serve`.
`_meter` and `_remote` are the two views; of the service, `_server` starts and stops it, `_app` holds its routes,
`_wire` reads and writes both formats, `_openapi` describes them, `_traffic` has patience and keeps the log.
"""

from mialab._answers import BudgetExhausted
from mialab.blackbox._meter import QueryMeter
from mialab.blackbox._remote import RemoteModel
from mialab.blackbox._server import serve

__all__ = ["BudgetExhausted", "QueryMeter", "RemoteModel", "serve"]
