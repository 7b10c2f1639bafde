"""The door a web server opens."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading

from django.core.wsgi import get_wsgi_application

from unaji.web.bodies import watched
from unaji.web.serving import warm

PR_SET_PDEATHSIG = 1  # of prctl(2): which signal to send to this process when its parent ends

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unaji.web.settings")
application = watched(get_wsgi_application())


# Each process loads what was compiled before the first person asks what if.
threading.Thread(target=warm, daemon=True).start()

# Should the server that started this process be killed, this one would go on answering beside the next.
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    server = multiprocessing.parent_process()
    if server is not None and not server.is_alive():  # it was killed while we were being loaded
        os._exit(1)
