# ---
# tries: nothing; the notebook as it was given out
# kind: honest
# score: {}
# others: zero
# ---

# %% edit
import json
from attacks.grading_notebooks import LANGUAGE, built

notebook["cells"] = json.loads(json.dumps(built("questions").releases[LANGUAGE]))["cells"]
