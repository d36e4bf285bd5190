"""Names: what a flag, an operation, a backend, a variant and an environment may be called."""

import re

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
KEY_RULE = "starts with a letter or digit and has at most 100 of: letters, digits, . _ : -"
