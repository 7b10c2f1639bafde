"""The door a web server opens."""

from __future__ import annotations

import os
import threading
import time

from django.core.wsgi import get_wsgi_application

from unaji.web.bodies import watched
from unaji.web.serving import warm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unaji.web.settings")
application = watched(get_wsgi_application())


# Each process loads what was compiled before the first person asks what if.
threading.Thread(target=warm, daemon=True).start()


def _end_with_the_server(server: int) -> None:
    """End when the server that started this process is gone: else we would answer beside the next one."""
    while os.getppid() == server:
        time.sleep(0.5)
    os._exit(1)


threading.Thread(target=_end_with_the_server, args=(os.getppid(),), daemon=True).start()
