"""Many small neural networks trained at once, each on its own subset of the same records.

Notebook 09 trains one net, then many. `_net` is the classifier, the stack of them and their training; `_stack` is the
arithmetic of one step.
"""

from mialab.nets._net import NetClassifier, Nets, train_nets

__all__ = ["NetClassifier", "Nets", "train_nets"]
