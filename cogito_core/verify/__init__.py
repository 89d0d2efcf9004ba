"""Answer verification: extract the final answer of a response and judge it against the gold.

>>> from cogito_core.verify import judge
>>> judge("So the area is \\\\boxed{\\\\frac{1}{2}}", "0.5").outcome
'right'

The gold decides how the answer is read. Nothing a model wrote is ever executed, no function here raises on any
string, and every verdict says which rule decided and why.
"""

from cogito_core.verify.api import judge, verify
from cogito_core.verify.extract import extract
from cogito_core.verify.many import verify_many
from cogito_core.verify.verdict import VERSION, Candidate, Extraction, Verdict

__all__ = ["VERSION", "Candidate", "Extraction", "Verdict", "extract", "judge", "verify", "verify_many"]
