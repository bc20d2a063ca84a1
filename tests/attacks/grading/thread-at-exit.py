# ---
# tries: a thread that is no daemon, which its process would wait for; the answers are right
# kind: accident
# score: {}
# ---

# %% free
import threading
import time

threading.Thread(target=time.sleep, args=(600,)).start()
