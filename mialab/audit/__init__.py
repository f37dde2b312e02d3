"""This room audits a model: it runs every attack that the threat model allows, and says what follows from it.

Notebook 19 audits a hospital's model. The auditor holds the members and comparable non-members, and asks what an
attacker could do who does not know which is which. `_inputs` reads what is given, `_audit` attacks and judges,
`_report` writes the page.
"""

from mialab.audit._audit import Audit, audit

__all__ = ["Audit", "audit"]
